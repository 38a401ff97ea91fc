"""One host under watch: asks are counted here, replies are judged here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from services.poller.core.judge import Phase, State, is_stale, next_state
from services.poller.core.reply import Answer, Blind, Fact, Loss, Reply, Stale, WentDown
from services.poller.core.sentinels import Sentinels
from services.poller.core.timeout import RoundTrips
from services.poller.ports import Target
from shared.clock import Clock
from shared.contracts.inventory import Host, ProbePolicy
from shared.contracts.vocabulary import ProbeFailure

NOT_RESOLVED_YET = "the name has not been resolved yet"
NO_SENTINEL = "this poller is blind: none of its sentinels answers"


class Watch:
    """What the patrol knows of one host. It is the asker of its own probes."""

    __slots__ = (
        "_clock",
        "_first_loss",
        "_heard_at",
        "_heard_number",
        "_on_change",
        "_on_facts",
        "_retired",
        "_sentinels",
        "asked",
        "failing_name",
        "host",
        "number",
        "policy",
        "round_trips",
        "state",
        "target",
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
        on_change: Callable[[Watch], None],
        on_facts: Callable[[Watch, tuple[Fact, ...]], None],
    ) -> None:
        self.host = host
        self.policy = policy
        self.state = state
        self.target: Target | None = None
        self.failing_name = False
        self.round_trips = RoundTrips()
        self.number = 0  # of the last probe
        self.asked = 0  # probes sent in the present phase or burst
        self.ticket = 0  # which entry of the schedule is valid
        self.trouble = NOT_RESOLVED_YET
        self._heard_at = clock.monotonic()
        self._heard_number = 0
        self._first_loss = 0.0
        self._retired = False
        self._clock = clock
        self._sentinels = sentinels
        self._on_change = on_change
        self._on_facts = on_facts

    # ── what probes report ──────────────────────────────────────────────────────────────────────────────────────────

    def answer(self, number: int, rtt_ms: float) -> None:
        """See `ports.Asker`."""
        self.round_trips.add(rtt_ms)
        self._heard(number)
        self.judge(Answer(number, rtt_ms))

    def loss(self, number: int, age_s: float, failure: ProbeFailure) -> None:
        """See `ports.Asker`. A loss that would make the host down counts only if our own way out is known to work."""
        sent_at = self._clock.now() - timedelta(seconds=age_s)
        sent = self._clock.monotonic() - age_s
        reply: Reply = Loss(number, sent_at, failure)
        if self.state.phase is Phase.STEADY:
            self._first_loss = sent
        _, facts = next_state(self.state, reply, self.policy, sent_at)
        downs = any(isinstance(fact, WentDown) for fact in facts)
        if downs and not self._sentinels.vouch(self._first_loss):
            self.blind(number, NO_SENTINEL)
            return
        if self._sentinels.vouch(sent) or downs:
            self._heard(number)
        else:
            self.trouble = NO_SENTINEL
        self.judge(reply)

    def blind(self, number: int, reason: str) -> None:
        """See `ports.Asker`."""
        self.trouble = reason
        self.judge(Blind(number, reason))

    # ── what the patrol asks ────────────────────────────────────────────────────────────────────────────────────────

    def age(self) -> None:
        """Notice when nothing has been heard for too long."""
        silent_s = self._clock.monotonic() - self._heard_at
        if is_stale(silent_s, self.number - self._heard_number, self.policy):
            self.judge(Stale(self.trouble))

    def timeout_s(self) -> float:
        """How long the next probe may take."""
        return self.round_trips.timeout_s(self.policy)

    def retire(self) -> None:
        """Take no notice of anything from now on."""
        self.ticket += 1
        self._retired = True

    def judge(self, reply: Reply) -> None:
        """Take the reply into account; tell what follows from it."""
        if self._retired:
            return
        before = self.state
        self.state, facts = next_state(before, reply, self.policy, self._clock.now())
        if self.state is before:
            return
        after = self.state
        if (after.phase, after.burst, after.hard) != (before.phase, before.burst, before.hard):
            self._on_change(self)
        if facts:
            self._on_facts(self, facts)

    def _heard(self, number: int) -> None:
        self._heard_at = self._clock.monotonic()
        self._heard_number = max(self._heard_number, number)
