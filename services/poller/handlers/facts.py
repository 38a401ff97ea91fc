"""From a fact to a message: look around, name the likely causes, tell."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from services.poller.core.landscape import Landscape
from services.poller.core.outages import Outage
from services.poller.core.records import (
    HostRecord,
    OutageRecord,
    PollerRecord,
    host_key,
    outage_key,
    poller_key,
)
from services.poller.core.reply import Fact, WentDown, WentUnknown, WentUnreachable, WentUp
from services.poller.core.roster import Roster
from services.poller.core.wording import Scene, host_event, outage_words
from services.poller.handlers.telling import Teller
from services.poller.handlers.upkeep import Upkeep
from services.poller.watch import Watch
from shared.clock import Clock
from shared.contracts.events import OutageBegan, OutageEnded, PollerBlind, PollerSighted
from shared.contracts.ids import HostId
from shared.contracts.vocabulary import HostState, OutageScope


class Herald:
    """Tells what the patrol finds out: of hosts, of outages of many hosts, and of ourselves."""

    def __init__(
        self,
        instance: str,
        sentinels: tuple[str, ...],
        *,
        roster: Roster,
        landscape: Landscape[Watch],
        upkeep: Upkeep,
        teller: Teller,
        clock: Clock,
        known: PollerRecord | None = None,
    ) -> None:
        """`known` is what this poller remembers of itself."""
        self._instance = instance
        self._sentinels = sentinels
        self._roster = roster
        self._landscape = landscape
        self._upkeep = upkeep
        self._teller = teller
        self._clock = clock
        self._self = known

    def told(self, watch: Watch, facts: tuple[Fact, ...]) -> None:
        """Queue the events of a host."""
        host = watch.host
        for fact in facts:
            if isinstance(fact, WentDown | WentUnreachable) and fact.previous is HostState.UP:
                self._upkeep.outage_began(watch, fact.since)
            if isinstance(fact, WentDown | WentUnreachable | WentUp | WentUnknown):
                watch.state = replace(watch.state, hidden=watch.in_maintenance)
            state = watch.state
            scene = Scene(
                self._roster.site_name(host.site_id),
                watch.policy.name,
                self._landscape.around(host),
                self._landscape.parents_down(host),
                state.outage_id,
                watch.in_maintenance,
            )
            self._teller.tell(host_key(host.id), host_event(fact, host, scene), HostRecord.of(host.id, state))

    # ── many hosts ──────────────────────────────────────────────────────────────────────────────────────────────────

    def outage_began(self, outage: Outage, examples: tuple[HostId, ...], of: int) -> None:
        """See `press.Press`."""
        now = self._clock.now()
        event = OutageBegan(
            **outage_words(outage, self._instance),
            at=now,
            object_name=self._name(outage),
            hosts=len(outage.silent),
            of=of,
            examples=examples,
        )
        self._teller.tell(outage_key(outage.id), event, OutageRecord(order=int(now.timestamp())))

    def outage_ended(self, outage: Outage) -> None:
        """See `press.Press`."""
        now = self._clock.now()
        event = OutageEnded(
            **outage_words(outage, self._instance),
            at=now,
            object_name=self._name(outage),
            lasted_s=max(0.0, (now - outage.since).total_seconds()),
            still_down=len(outage.silent),
        )
        self._teller.tell(outage_key(outage.id), event, None)

    def _name(self, outage: Outage) -> str:
        extent = outage.extent
        if extent.scope is OutageScope.HOST:
            host = self._roster.hosts.get(HostId(extent.object_id))
            return host.name if host else extent.object_id
        return self._roster.site_name(extent.site_id) if extent.scope is OutageScope.SITE else self._instance

    # ── ourselves ───────────────────────────────────────────────────────────────────────────────────────────────────

    def blind(self, for_s: float) -> None:
        """See `press.Press`. Said once, also if we are restarted while we are blind."""
        now = self._clock.now()
        if self._self is not None and self._self.blind_since is not None:
            return
        since = now - timedelta(seconds=for_s)
        event = PollerBlind(at=now, instance=self._instance, since=since, sentinels=self._sentinels)
        self._remember(_record(now, blind_since=since), event)

    def sighted(self) -> None:
        """See `press.Press`."""
        now = self._clock.now()
        if self._self is None or self._self.blind_since is None:
            return
        event = PollerSighted(at=now, instance=self._instance, blind_since=self._self.blind_since)
        self._remember(_record(now), event)

    def seeing(self) -> PollerRecord | None:
        """What to remember of ourselves while we see."""
        if self._self is None or self._self.blind_since is None:
            self._self = _record(self._clock.now())
            return self._self
        return None

    def _remember(self, record: PollerRecord, event: PollerBlind | PollerSighted) -> None:
        self._self = record
        self._teller.tell(poller_key(self._instance), event, record)


def _record(now: datetime, blind_since: datetime | None = None) -> PollerRecord:
    return PollerRecord(order=int(now.timestamp() * 1000), seen_at=blind_since or now, blind_since=blind_since)
