"""From suspicion to ruling: what a host hangs on is heard first, and so is whoever else may see it alive.

A suspect's parents are asked at once. Whose burst is lost is ruled on when the way to it is known, or when the policy's
hold is over. What fell is told to what hangs on it; what hangs on it costs nothing until then.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Protocol

from services.poller.core.judge import FALLEN, Phase, State, burst_s
from services.poller.core.landscape import Landscape, Way
from services.poller.core.outages import Extent, MassGuard, Outage
from services.poller.core.reply import Fact, Retry, Ruling, Seen
from services.poller.core.sentinels import Sentinels
from services.poller.handlers.inquiry import Inquiries
from services.poller.press import Press
from services.poller.watch import Watch
from shared.clock import Clock
from shared.contracts.events import OutageBegan
from shared.contracts.ids import HostId
from shared.contracts.vocabulary import HostState, OutageScope

CROWD = 10  # suspects behind one parent: from here on the parent is asked before their bursts
RETRACT_S = 60.0  # a parent that falls so soon after its child was told down explains the child
WITNESS_GRACE_S = 0.2  # beyond the burst that they are asked beside
LONGEST_GRACE_S = 60.0  # for a child to return after its parent


class Errands(Protocol):
    """What the court asks of the patrol."""

    def hurry(self, watch: Watch) -> None:
        """Ask this host now."""

    def pace(self, watch: Watch) -> None:
        """This host's burst may go on."""

    def plan(self, watch: Watch) -> None:
        """This host is to be asked at the pace of its new phase."""

    def remind(self, watch: Watch, at: float) -> None:
        """Call `reminded` then, in monotonic seconds."""


class Court:
    """The overseer of every watch."""

    def __init__(
        self,
        landscape: Landscape[Watch],
        sentinels: Sentinels,
        clock: Clock,
        *,
        errands: Errands,
        press: Press,
        inquiries: Inquiries,
    ) -> None:
        self._landscape = landscape
        self._sentinels = sentinels
        self._clock = clock
        self._errands = errands
        self._press = press
        self._inquiries = inquiries
        self.guard = MassGuard(landscape)
        self.watched = 0  # hosts that we tell of

    # ── what watches report ─────────────────────────────────────────────────────────────────────────────────────────

    def told(self, watch: Watch, facts: tuple[Fact, ...]) -> None:
        """See `watch.Overseer`."""
        if not watch.tells:
            return
        self._press.told(watch, facts)
        if watch.state.flap.since is not None:
            self._errands.remind(watch, self._clock.monotonic() + 30.0)

    def changed(self, watch: Watch, before: State) -> None:
        """See `watch.Overseer`."""
        after = watch.state
        watch.asked, watch.postponed = 0, False
        self._landscape.note(watch)
        self._errands.plan(watch)
        if after.suspect and not before.suspect:
            self._suspected(watch)
        elif before.suspect and not after.suspect:
            self._cleared(watch)
        if after.phase is Phase.CONDEMNED and before.phase is not Phase.CONDEMNED:
            watch.condemned_at = self._clock.monotonic()
            self._rule(watch)
        elif after.hard in FALLEN and (after.hard, after.behind) != (before.hard, before.behind):
            self._fell(watch)
        elif after.hard is HostState.UP and before.hard is not HostState.UP:
            self._answers(watch)

    def doubted(self, watch: Watch) -> None:
        """See `watch.Overseer`. Two probes lost: it is worth asking others, unless it is a crowd."""
        if watch.state.hard is HostState.UP and watch.tells and not self._crowded(watch):
            passed_s = self._clock.monotonic() - watch.first_loss
            since = self._clock.now() - timedelta(seconds=passed_s)
            patience_s = burst_s(watch.policy, watch.timeout_s()) + WITNESS_GRACE_S - passed_s
            self._inquiries.begin(watch.host, since, patience_s, partial(self._rule, watch))

    def heard(self, watch: Watch) -> None:
        """See `watch.Overseer`."""
        proven = watch.alive_at()
        watch.awaited = False
        for child in self._landscape.suspects(watch.host.id):
            if child.first_loss >= proven:
                watch.awaited = True
            if child.parked and not self.parks(child):
                self._errands.pace(child)
            self._rule(child)
        watch.expect()

    def cut_off(self, watch: Watch) -> None:
        """See `watch.Overseer`. Once what it hangs on is back for a while, it is confirmed in its own right."""
        if watch.state.hard is HostState.DOWN:
            self.retry(watch)
            return
        now = self._clock.monotonic()
        ways = self._landscape.ways(watch.host, float("-inf"))
        if ways.way is Way.FALLEN:
            if ways.behind != watch.state.behind:
                watch.judge(self._ruling(watch, ways.behind))
            return
        grace_s = min(LONGEST_GRACE_S, watch.policy.hold_s)
        risen = [parent.changed_at for parent in self._landscape.parents(watch.host) if parent.state.hard not in FALLEN]
        if ways.way is Way.CLEAR and now - max(risen, default=float("-inf")) >= grace_s:
            self.retry(watch)

    # ── what the patrol asks ────────────────────────────────────────────────────────────────────────────────────────

    def parks(self, watch: Watch) -> bool:
        """Whether this host's burst waits for what its parent says: it is one of many behind a parent not yet heard."""
        if watch.state.phase is not Phase.CONFIRMING:
            return False
        for parent in self._landscape.parents(watch.host):
            if self._landscape.crowd(parent.host.id) < CROWD or parent.state.hard in FALLEN:
                continue
            if parent.state.suspect or parent.alive_at() <= watch.first_loss:
                return True
        return False

    def leads(self, watch: Watch) -> bool:
        """Whether others wait for this host's verdict."""
        return self._landscape.has_children(watch.host.id)

    def reminded(self, watch: Watch) -> None:
        """The time that was asked for has come."""
        if watch.retired:
            return
        self._rule(watch)
        if watch.state.flap.since is not None:
            watch.calm_down()
            if watch.state.flap.since is not None:
                self._errands.remind(watch, self._clock.monotonic() + 30.0)

    def retry(self, watch: Watch) -> None:
        """Confirm a host that is down or unreachable anew, and tell how it is in its own right."""
        watch.first_loss = self._clock.monotonic()
        watch.judge(Retry(watch.number))

    def joined(self, watch: Watch) -> None:
        """A host is watched from now on."""
        self.watched += watch.tells
        self._landscape.note(watch)
        if watch.state.flap.since is not None:
            self._errands.remind(watch, self._clock.monotonic() + 30.0)

    def left(self, watch: Watch) -> None:
        """A host is watched no longer."""
        self.watched -= watch.tells
        self._landscape.forget(watch.host)
        self._inquiries.end(watch.host.id)
        self._out_of_outage(watch)

    def go_on(self, told: OutageBegan, silent: set[HostId]) -> None:
        """An outage was told before a restart; these of its hosts are still silent."""
        object_id = "" if told.extent is OutageScope.NETWORK else told.object_id
        extent = Extent(told.extent, object_id, told.site_id)
        outage = Outage(told.outage_id, extent, told.since, float("-inf"), max(told.hosts, len(silent)), silent)
        over = self.guard.restore(outage)
        if over is not None:
            self._press.outage_ended(over)

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _suspected(self, watch: Watch) -> None:
        """Ask what it hangs on, unless that has been asked since."""
        if watch.tells and watch.state.hard is HostState.UP:
            self.guard.suspected(watch.host, watch.first_loss, watch.state.first_at or self._clock.now())
        for parent in self._landscape.parents(watch.host):
            if parent.state.hard in FALLEN or parent.alive_at() > watch.first_loss:
                continue
            parent.awaited = True
            parent.expect()
            if parent.asked_at <= watch.first_loss and parent.state.phase is Phase.STEADY:
                self._errands.hurry(parent)

    def _cleared(self, watch: Watch) -> None:
        watch.parked = False
        self._inquiries.end(watch.host.id)
        if watch.state.hard is HostState.UP:
            self._out_of_outage(watch)

    def _answers(self, watch: Watch) -> None:
        """An outage is over for this host."""
        self._out_of_outage(watch)
        for child in self._landscape.suspects(watch.host.id):
            if child.parked:
                self._errands.pace(child)
            self._rule(child)

    def _out_of_outage(self, watch: Watch) -> None:
        over = self.guard.answered(watch.host.id)
        if over is not None:
            self._press.outage_ended(over)

    def _fell(self, watch: Watch) -> None:
        """What hangs on a host that is down now is explained by it, if it was not told too long ago."""
        watch.awaited = False
        now = self._clock.monotonic()
        for child in self._landscape.children(watch.host.id):
            state = child.state
            if state.phase is Phase.CONDEMNED:
                self._rule(child)
            elif state.phase is Phase.CONFIRMING:
                if child.parked:
                    self._errands.pace(child)
            elif state.hard is HostState.UNREACHABLE or now - child.changed_at <= RETRACT_S:
                self._explain(child)

    def _explain(self, watch: Watch) -> None:
        """A host that is down or unreachable is behind something that fell."""
        if watch.state.phase is Phase.STEADY and watch.state.hard in FALLEN:
            ways = self._landscape.ways(watch.host, float("-inf"))
            if ways.way is Way.FALLEN:
                watch.judge(self._ruling(watch, ways.behind))

    def _rule(self, watch: Watch) -> None:
        """Rule on a condemned host if everybody has been heard, or had time enough."""
        if watch.state.phase is not Phase.CONDEMNED or watch.retired:
            return
        now = self._clock.monotonic()
        ways = self._landscape.ways(watch.host, watch.first_loss)
        if ways.way is Way.FALLEN:
            watch.judge(self._ruling(watch, ways.behind))
            return
        inquiry = self._inquiries.of(watch.host.id)
        if inquiry is not None and inquiry.sighting is not None:
            watch.judge(Seen(inquiry.sighting.witness, inquiry.sighting.seen_by))
            return
        waits_until = watch.condemned_at + watch.policy.hold_s if ways.way is Way.OPEN else now
        if inquiry is not None and not inquiry.done:
            waits_until = max(waits_until, inquiry.until)
        if now < waits_until:
            self._errands.remind(watch, waits_until)
            return
        watch.judge(self._ruling(watch, (), verified=ways.way is Way.CLEAR))

    def _ruling(self, watch: Watch, behind: tuple[HostId, ...], *, verified: bool = True) -> Ruling:
        """The ruling; what is told of an outage of many hosts is told before."""
        if watch.tells:
            now = self._clock.monotonic()
            outage_id = self.guard.belongs_to(watch.host, now, watch.policy.interval_s) or self._begins(watch, now)
            watch.state = replace(watch.state, outage_id=outage_id)
        return Ruling(behind, verified)

    def _begins(self, watch: Watch, now: float) -> str | None:
        outage = self.guard.begins(now, self.watched, self._landscape.host)
        if outage is None:
            return None
        self._press.outage_began(outage, self.guard.examples(outage), self.watched)
        return self.guard.belongs_to(watch.host, now, watch.policy.interval_s)

    def _crowded(self, watch: Watch) -> bool:
        return any(
            self._landscape.crowd(parent.host.id) >= CROWD or parent.state.suspect
            for parent in self._landscape.parents(watch.host)
        )
