"""Who is told what the patrol finds out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from services.poller.core.outages import Outage
from services.poller.core.reply import Fact
from services.poller.watch import Watch
from shared.contracts.ids import HostId


class Press(Protocol):
    """Who tells everybody."""

    def told(self, watch: Watch, facts: tuple[Fact, ...]) -> None:
        """Facts about one host."""

    def outage_began(self, outage: Outage, examples: tuple[HostId, ...], of: int) -> None:
        """Many hosts are one outage; `of` is how many hosts are watched."""

    def outage_ended(self, outage: Outage) -> None:
        """What is left of it is told one by one."""

    def blind(self, for_s: float) -> None:
        """No sentinel has answered since so many seconds ago."""

    def sighted(self) -> None:
        """A sentinel answers again."""


class HostPress:
    """Passes on what is told of hosts, and nothing else."""

    def __init__(self, on_facts: Callable[[Watch, tuple[Fact, ...]], None]) -> None:
        self._on_facts = on_facts

    def told(self, watch: Watch, facts: tuple[Fact, ...]) -> None:
        """See `Press`."""
        self._on_facts(watch, facts)

    def outage_began(self, outage: Outage, examples: tuple[HostId, ...], of: int) -> None:
        """See `Press`."""

    def outage_ended(self, outage: Outage) -> None:
        """See `Press`."""

    def blind(self, for_s: float) -> None:
        """See `Press`."""

    def sighted(self) -> None:
        """See `Press`."""
