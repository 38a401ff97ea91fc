"""Are we blind? Addresses that practically always answer tell our own troubles from a host's."""

from __future__ import annotations

SENTINEL_INTERVAL_S = 0.5  # a look within the shortest confirmation (1 s policy: 860 ms and more)
_JUST_NOW_S = 1.5 * SENTINEL_INTERVAL_S
_LOST_IN_A_ROW = 3  # by every sentinel, before we call ourselves blind


class Sentinels:
    """When each sentinel last answered, and what it has lost since. Without sentinels every result counts."""

    def __init__(self, addresses: tuple[str, ...]) -> None:
        self.addresses = addresses
        self._heard: dict[str, float] = dict.fromkeys(addresses, float("-inf"))
        self._lost: dict[str, int] = dict.fromkeys(addresses, 0)
        self.blind = False
        self.last_sight = float("-inf")  # when the newest probe that was answered had been sent
        self.sees_since = float("-inf")  # since when we see again

    def answered(self, address: str, asked_at: float) -> bool:
        """A probe that was sent at `asked_at` (monotonic seconds) came back. Whether we see again just now."""
        self._heard[address] = max(self._heard[address], asked_at)
        self.last_sight = max(self.last_sight, asked_at)
        self._lost[address] = 0
        if not self.blind:
            return False
        self.blind, self.sees_since = False, asked_at
        return True

    def lost(self, address: str) -> bool:
        """A probe did not come back, or could not be sent. Whether we became blind just now."""
        self._lost[address] += 1
        if self.blind or min(self._lost.values()) < _LOST_IN_A_ROW:
            return False
        self.blind = True
        return True

    def saw_around(self, moment: float) -> bool:
        """Whether our own way out worked about then: enough to believe that silence was heard, not to condemn."""
        return self.vouch(moment - _JUST_NOW_S)

    def vouch(self, since: float) -> bool:
        """Whether our own way out has worked after `since`: some sentinel answered a probe sent after it."""
        return not self._heard or max(self._heard.values()) > since
