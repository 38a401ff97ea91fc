"""Are we blind? Addresses that practically always answer tell our own troubles from a host's."""

from __future__ import annotations


class Sentinels:
    """When each sentinel last answered. Without sentinels every result counts."""

    def __init__(self, addresses: tuple[str, ...]) -> None:
        self._heard: dict[str, float] = dict.fromkeys(addresses, float("-inf"))

    def answered(self, address: str, asked_at: float) -> None:
        """A probe that was sent at `asked_at` (monotonic seconds) came back."""
        self._heard[address] = max(self._heard[address], asked_at)

    def vouch(self, since: float) -> bool:
        """Whether our own way out has worked after `since`: some sentinel answered a probe sent after it."""
        return not self._heard or max(self._heard.values()) > since
