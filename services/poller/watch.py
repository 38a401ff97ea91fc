"""One host under watch: asks are counted here, replies are judged here."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Protocol

from services.poller.core.connection import Connection
from services.poller.core.flapping import changed, waited, window_s
from services.poller.core.judge import FALLEN, Phase, State, is_stale, next_state
from services.poller.core.reply import (
    Answer,
    BecameSteady,
    BeganFlapping,
    Blind,
    Fact,
    Loss,
    Reply,
    Stale,
    WentDown,
    WentUp,
)
from services.poller.core.schedule import offset
from services.poller.core.sentinels import Sentinels
from services.poller.core.timeout import SHORTEST_S, RoundTrips
from services.poller.ports import NOT_SWIFT, Target, plain_destination
from shared.clock import Clock
from shared.contracts.inventory import Host, ProbePolicy
from shared.contracts.vocabulary import HostState, ProbeFailure

NOT_RESOLVED_YET = "the name has not been resolved yet"
NO_SENTINEL = "this poller is blind: none of its sentinels answers"
_NEVER = float("-inf")


class Overseer(Protocol):
    """Who hears what becomes of a host."""

    def changed(self, watch: Watch, before: State) -> None:
        """The host is seen in another light and wants to be asked at another pace."""

    def doubted(self, watch: Watch) -> None:
        """A second probe of a suspect was lost."""

    def heard(self, watch: Watch) -> None:
        """A host that others wait for answered."""

    def cut_off(self, watch: Watch) -> None:
        """A host that is unreachable, or to be told down anew, still does not answer."""

    def told(self, watch: Watch, facts: tuple[Fact, ...]) -> None:
        """Facts that everybody should know."""


class Watch:
    """What the patrol knows of one host. It is the asker of its own probes."""

    __slots__ = (
        "_answered_at",
        "_calm",
        "_clock",
        "_overseer",
        "_plain_of",
        "_retired",
        "_sentinels",
        "asked",
        "asked_at",
        "awaited",
        "changed_at",
        "condemned_at",
        "connection",
        "destination",
        "failing_name",
        "first_loss",
        "fresh",
        "heard_at",
        "heard_number",
        "host",
        "in_maintenance",
        "number",
        "offset",
        "parked",
        "policy",
        "postponed",
        "review",
        "round_trips",
        "state",
        "swift",
        "target",
        "tells",
        "ticket",
        "trouble",
    )

    def __init__(
        self,
        host: Host,
        policy: ProbePolicy,
        state: State,
        *,
        clock: Clock,
        sentinels: Sentinels,
        overseer: Overseer,
        tells: bool = True,
    ) -> None:
        self.host = host
        self.policy = policy
        self.state = state
        self.tells = tells  # False: judged for the sake of what hangs on it, told by another poller
        self.in_maintenance = state.hidden and state.hard in FALLEN
        self.review = False  # down, and to be told so anew
        self.target: Target | None = None
        self.failing_name = False
        self.round_trips = RoundTrips()
        self.offset = offset(host.id, policy.interval_s)
        self.connection: Connection
        self.number = 0  # of the last probe
        self.asked = 0  # probes sent in the present phase or burst
        self.asked_at = _NEVER  # when the last probe was sent, at the latest
        self.ticket = 0  # which entry of the schedule is valid
        self.postponed = False  # the burst has no leave: the next regular round counts instead
        self.parked = False  # and nobody asks for leave: the parents come first
        self.awaited = False  # what hangs on this host waits for an answer
        self.first_loss = 0.0  # when the first lost probe of the suspicion was sent
        self.condemned_at = 0.0
        self.trouble = NOT_RESOLVED_YET
        self._calm = state.calm
        self.heard_at = clock.monotonic()
        self.heard_number = 0  # the newest probe whose result came
        self.swift = NOT_SWIFT  # else: the half of the gauge that the round trips in `fresh` belong to
        self.fresh: list[float] = []  # round trips of swift rounds that are not counted yet
        self.destination = b""  # the address of `_plain_of` as bytes; what is in flight came from there
        self._plain_of: Target | None = None
        self._answered_at = _NEVER
        # When the hard state began, in monotonic seconds, also if that was before this process began.
        past = (clock.now() - state.since).total_seconds() if state.since else 0.0
        self.changed_at = clock.monotonic() - max(0.0, past)
        self._retired = False
        self._clock = clock
        self._sentinels = sentinels
        self._overseer = overseer

    @property
    def shown(self) -> HostState:
        """The state as people see it: up, but on a bad connection, is DEGRADED."""
        if self.in_maintenance:
            return HostState.MAINTENANCE
        if self.state.flap.since is not None:
            return HostState.FLAPPING
        shown = self.state.shown
        return HostState.DEGRADED if shown is HostState.UP and self.connection.standing.degraded else shown

    @property
    def retired(self) -> bool:
        """Whether this host is watched no longer."""
        return self._retired

    def alive_at(self) -> float:
        """When the newest probe that was answered had been sent, in monotonic seconds."""
        answered_at = self.heard_at if self.fresh else self._answered_at
        return answered_at - (self.last_ms or 0.0) / 1000

    @property
    def last_ms(self) -> float | None:
        """The newest round trip."""
        return self.fresh[-1] if self.fresh else self.round_trips.last_ms

    # ── what probes report ──────────────────────────────────────────────────────────────────────────────────────────

    def answer(self, number: int, rtt_ms: float) -> None:
        """See `ports.Asker`. Nearly always the host was up and is up: that way is kept short."""
        self.settle()
        self.round_trips.add(rtt_ms)
        self.connection.gauge.answered(number, rtt_ms)
        self._answered_at = self.heard_at = self._clock.monotonic()
        if number > self.heard_number:
            self.heard_number = number
        if not self._calm:
            self._answered(number, rtt_ms)

    def _answered(self, number: int, rtt_ms: float) -> None:
        self.judge(Answer(number, rtt_ms))
        if self.awaited and not self._retired:
            self._overseer.heard(self)

    def loss(self, number: int, age_s: float, failure: ProbeFailure) -> None:
        """See `ports.Asker`. A loss that would condemn the host counts only if our own way out is known to work."""
        if self._retired:
            return
        self.slow_down()
        if self._sentinels.blind:
            self.blind(number, NO_SENTINEL)
            return
        sent = self._clock.monotonic() - age_s
        state = self.state
        if state.phase is Phase.STEADY:
            self.first_loss = sent
            if state.hard in FALLEN and state.unseen_since is None:
                self._still_lost(number, sent)
                return
        reply = Loss(number, self._clock.now() - timedelta(seconds=age_s), failure)
        condemns = state.phase is Phase.CONFIRMING and self._condemns(reply)
        if condemns and not self._sentinels.vouch(self.first_loss):
            self.blind(number, NO_SENTINEL)
            return
        self._lost(number, sent, conclusive=condemns)
        self.judge(reply)
        if state.phase is Phase.CONFIRMING and state.lost == 0 and self.state.lost == 1:
            self._overseer.doubted(self)

    def _condemns(self, reply: Loss) -> bool:
        return next_state(self.state, reply, self.policy, reply.sent_at)[0].phase is Phase.CONDEMNED

    def _still_lost(self, number: int, sent: float) -> None:
        self._lost(number, sent)
        if self.review or self.state.hard is HostState.UNREACHABLE:
            self._overseer.cut_off(self)

    def _lost(self, number: int, sent: float, *, conclusive: bool = False) -> None:
        """A loss is a result too, if we could have heard an answer."""
        self.connection.gauge.lost(number)
        if conclusive or self._sentinels.saw_around(sent):
            self.heard_at = self._clock.monotonic()
            self.heard_number = max(self.heard_number, number)
        else:
            self.trouble = NO_SENTINEL

    def blind(self, number: int, reason: str) -> None:
        """See `ports.Asker`."""
        self.slow_down()
        self.connection.gauge.not_asked(number)
        self.trouble = reason
        self.judge(Blind(number, reason))

    # ── swift rounds ────────────────────────────────────────────────────────────────────────────────────────────────

    def quicken(self, half: int) -> bool:
        """Be asked in swift rounds, whose answers belong to this half of the gauge; or not: whether so.

        Whoever is up, heard of its last probe and asked by plain packets may. Nothing that the judge wants to hear of
        can happen to it but a probe that is not answered, and that one is taken out of the swift round.
        """
        self.settle()
        self.swift = NOT_SWIFT
        if self._calm and not self.postponed and self.number and self.heard_number == self.number:
            if self._plain_of is not self.target:
                self.destination, self._plain_of = plain_destination(self.target), self.target
            if self.destination and self.policy.max_timeout_s >= SHORTEST_S:
                self.swift = half
        return self.swift != NOT_SWIFT

    def slow_down(self) -> None:
        """Be asked one by one from now on."""
        self.settle()
        self.swift = NOT_SWIFT

    def settle(self) -> None:
        """Count the round trips of swift rounds."""
        fresh = self.fresh
        if fresh:
            self._answered_at = self.heard_at
            self.round_trips.extend(fresh)
            self.connection.gauge.came_back(fresh, self.swift)
            fresh.clear()

    def recall(self, number: int) -> float:
        """See `ports.SwiftAsker`."""
        self.slow_down()
        self.connection.gauge.asked(number, counts=True)
        return self.timeout_s()

    def aim(self, target: Target | None) -> None:
        """Be asked there from now on."""
        self.slow_down()
        self.target = target

    # ── what the patrol asks ────────────────────────────────────────────────────────────────────────────────────────

    def age(self) -> None:
        """Notice when nothing has been heard for too long. While we are blind nothing ages."""
        unheard = self.number - self.heard_number
        if unheard < 3 or self._sentinels.blind:
            return
        silent_s = self._clock.monotonic() - max(self.heard_at, self._sentinels.sees_since)
        if is_stale(silent_s, unheard, self.policy):
            self.judge(Stale(self.trouble))

    def timeout_s(self) -> float:
        """How long the next probe may take."""
        return self.round_trips.timeout_s(self.policy)

    def retire(self) -> None:
        """Take no notice of anything from now on."""
        self.ticket += 1
        self._retired = True
        self.slow_down()

    def judge(self, reply: Reply) -> None:
        """Take the reply into account; tell what follows from it, then let it have its effect on others."""
        if self._retired:
            return
        before = self.state
        after, facts = next_state(before, reply, self.policy, self._clock.now())
        if after is before:
            return
        self.state = after
        self.expect()
        if after.hard is not before.hard:
            self.changed_at = self._clock.monotonic()
        if after.transition != before.transition:
            self.review = False
        if facts:
            self._overseer.told(self, self._with_flapping(facts))
        if (after.phase, after.burst, after.hard) != (before.phase, before.burst, before.hard):
            self._overseer.changed(self, before)

    def expect(self) -> None:
        """Find out anew whether the next answer could matter to anybody."""
        self._calm = self.state.calm and not self.awaited
        if not self._calm:
            self.slow_down()

    def become(self, state: State) -> None:
        """Go on from a state that somebody else found out."""
        before, self.state = self.state, state
        self.expect()
        self.changed_at = self._clock.monotonic()
        self._overseer.changed(self, before)

    # ── too many changes ────────────────────────────────────────────────────────────────────────────────────────────

    def _with_flapping(self, facts: tuple[Fact, ...]) -> tuple[Fact, ...]:
        """That a host begins to flap is told before the change that makes it so."""
        for fact in facts:
            down = isinstance(fact, WentDown) and fact.previous is HostState.UP
            up = isinstance(fact, WentUp) and fact.previous is HostState.DOWN
            if down or up:
                return (*self._flapped(down=down), *facts)
        return facts

    def _flapped(self, *, down: bool) -> tuple[Fact, ...]:
        now, before = self._clock.now(), self.state.flap
        flap = changed(before, now, down=down)
        self.state = replace(self.state, flap=flap)
        if flap.since is None or before.since is not None:
            return ()
        return (BeganFlapping(now, flap.count, window_s(flap, now), self.state.hard),)

    def calm_down(self) -> None:
        """Time has passed: tell if the host has stopped flapping."""
        now, before = self._clock.now(), self.state.flap
        flap = waited(before, now)
        if flap is before or before.since is None or self._retired:
            return
        self.state = replace(self.state, flap=flap)
        self._overseer.told(self, (BecameSteady(now, self.state.hard, before.since, before.count),))
