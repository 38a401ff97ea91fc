"""The round of the watch: every host is asked when its time has come, and again quickly when it gives reason to."""

from __future__ import annotations

import asyncio
import ipaddress
import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from services.poller.core.budget import BurstBudget
from services.poller.core.judge import Phase, State, pause
from services.poller.core.landscape import Landscape
from services.poller.core.reply import Fact
from services.poller.core.schedule import TimeWheel
from services.poller.core.sentinels import Sentinels
from services.poller.court import Court
from services.poller.handlers.inquiry import Inquiries
from services.poller.handlers.sentinels import SentinelRound
from services.poller.measuring import Measurements
from services.poller.names import Names
from services.poller.patrol_rounds import ASKS_PER_TURN, Rounds
from services.poller.ports import Probe, Resolver, Witness, target_of
from services.poller.press import HostPress, Press
from services.poller.trains import Trains
from services.poller.watch import Watch
from shared.clock import Clock
from shared.contracts.ids import HostId
from shared.contracts.inventory import Host, ProbePolicy
from shared.contracts.vocabulary import HostState, ProbeFailure, ProbeKind

_REGULAR = (Phase.STEADY, Phase.CONDEMNED)  # what is asked in these phases is a round and no burst


class Patrol:
    """Watches hosts. Everything but `run` is a plain call on the event loop's thread."""

    def __init__(
        self,
        probes: Mapping[ProbeKind, Probe],
        resolver: Resolver,
        clock: Clock,
        *,
        sentinels: tuple[str, ...] = (),
        on_facts: Callable[[Watch, tuple[Fact, ...]], None] = lambda *_: None,
        press: Press | None = None,
        landscape: Landscape[Watch] | None = None,
        witnesses: Sequence[Witness] = (),
        measurements: Measurements | None = None,
    ) -> None:
        """`press` hears everything; where there is none, `on_facts` hears of the hosts."""
        self._probes = probes
        self._clock = clock
        self._press = press or HostPress(on_facts)
        self._sentinels = Sentinels(sentinels)
        self._watches: dict[HostId, Watch] = {}
        self._rounds = Rounds(probes.get(ProbeKind.ICMP), clock, self._ask)
        self._wheel: TimeWheel[tuple[Watch, int]] = TimeWheel()
        self._reminders: TimeWheel[Watch] = TimeWheel(0.05)
        self._waiting: deque[tuple[Watch, int]] = deque()  # bursts that wait for leave
        self._inquiries = Inquiries(witnesses, clock)
        self._names = Names(resolver)
        self._sooner = asyncio.Event()
        self._wakes_at = float("inf")
        self.budget = BurstBudget()
        self.landscape: Landscape[Watch] = Landscape() if landscape is None else landscape
        self.court = Court(
            self.landscape, self._sentinels, clock, errands=self, press=self._press, inquiries=self._inquiries
        )
        self.measurements = measurements or Measurements(clock)
        self.measurements.sentinels = self._sentinels
        self.trains = Trains(probes, clock)
        self._asked_singly = 0

    @property
    def watches(self) -> Mapping[HostId, Watch]:
        """Everything that is watched now."""
        return self._watches

    @property
    def asked_total(self) -> int:
        """Probes asked for since the start."""
        return self._asked_singly + self._rounds.asked_swiftly

    @property
    def blind(self) -> bool:
        """Whether none of our sentinels answers."""
        return self._sentinels.blind

    # ── who is watched ──────────────────────────────────────────────────────────────────────────────────────────────

    def put(
        self,
        host: Host,
        policy: ProbePolicy,
        remembered: State,
        *,
        tells: bool = True,
        seen_at: datetime | None = None,
    ) -> None:
        """Watch a host from now on, or as it is described from now on.

        `remembered` counts for hosts that are new to us, and for those that we begin to tell of (`tells`): what was
        told counts, not what we saw silently. `seen_at`: when whoever told it last looked.
        """
        watch = self._watches.get(host.id)
        if watch is not None and (watch.host, watch.policy, watch.tells) == (host, policy, tells):
            return
        state, before = remembered.remembered(seen_at), watch
        if before is not None:
            if before.tells or not tells:
                state = before.state.remembered()
            self.drop(host.id)
        watch = Watch(
            host, policy, state, clock=self._clock, sentinels=self._sentinels, overseer=self.court, tells=tells
        )
        if before is not None:
            watch.in_maintenance, watch.review = before.in_maintenance, before.review
        self._watches[host.id] = watch
        self.budget.add(policy.interval_s)
        self.measurements.open(watch)
        self.trains.put(watch)
        self._aim(watch)
        self.court.joined(watch)
        self._wake_at(self._rounds.join(watch))
        self.plan(watch)

    def adopt(self, host_id: HostId, state: State) -> None:
        """Another poller told this host's state: go on from there."""
        watch = self._watches.get(host_id)
        if watch is not None:
            watch.become(state.remembered())

    def drop(self, host_id: HostId) -> None:
        """Watch this host no longer; what is still in flight for it is ignored."""
        watch = self._watches.pop(host_id, None)
        if watch is not None:
            watch.retire()
            self.budget.remove(watch.policy.interval_s)
            self.court.left(watch)
            self.measurements.close(watch)
        self._names.leave(host_id)

    # ── the round ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def run(self) -> None:
        """Walk until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                for address in self._sentinels.addresses:
                    sentinel = SentinelRound(
                        address, self._sentinels, self._clock, on_blind=self._press.blind, on_sight=self._press.sighted
                    )
                    group.create_task(sentinel.run(self._probes[ProbeKind.ICMP]), name=f"sentinel {address}")
                group.create_task(self._walk(), name="patrol")
                group.create_task(self.trains.run(), name="trains")
                group.create_task(self.measurements.run(), name="measurements")
        finally:
            await self._names.close()
            await self._inquiries.close()

    async def _walk(self) -> None:
        while True:
            for count, (watch, ticket) in enumerate(self._wheel.due(self._clock.monotonic()), 1):
                if ticket == watch.ticket and self._may_burst(watch):
                    self._ask(watch)
                if count % ASKS_PER_TURN == 0:
                    await asyncio.sleep(0)
            await self._rounds.go(self.measurements)
            self._ask_waiting()
            for watch in self._reminders.due(self._clock.monotonic()):
                self.court.reminded(watch)
            await self._rest()

    async def _rest(self) -> None:
        """Sleep until something is due, or until something is planned that is due earlier."""
        now = self._clock.monotonic()
        moments = [
            at for at in (self._wheel.next_at(), self._rounds.next_at(), self._reminders.next_at()) if at is not None
        ]
        if self._waiting:
            moments.append(self.budget.next_at(now))
        self._wakes_at = min(moments, default=math.inf)
        self._sooner.clear()
        loop = asyncio.get_running_loop()
        timer = None if not moments else loop.call_later(max(0.0, self._wakes_at - now), self._sooner.set)
        try:
            await self._sooner.wait()
        finally:
            if timer is not None:
                timer.cancel()

    def _ask(self, watch: Watch) -> None:
        watch.number += 1
        watch.asked += 1
        watch.postponed = False
        watch.asked_at = self._clock.monotonic()
        self._asked_singly += 1
        watch.connection.gauge.asked(watch.number, counts=watch.state.phase in _REGULAR)
        target = watch.target
        if target is not None:
            self._probes[target.kind].ask(target, watch.number, watch.timeout_s(), watch)
        elif watch.failing_name:
            watch.loss(watch.number, 0.0, ProbeFailure.NAME_NOT_RESOLVED)
        else:
            watch.blind(watch.number, watch.trouble)
        watch.age()
        self.plan(watch)

    # ── out of turn ─────────────────────────────────────────────────────────────────────────────────────────────────

    def hurry(self, watch: Watch) -> None:
        """Ask this host now, whatever the budget: others wait for its answer."""
        self.budget.spend()
        self._ask(watch)

    def look_again(self, watch: Watch) -> None:
        """Announced work on this host is over: ask it now; if it is down, tell so anew once that is confirmed."""
        if watch.state.hard is HostState.DOWN:
            watch.review = True
            self.court.retry(watch)
        elif watch.state.phase is Phase.STEADY:
            watch.postponed = True
            self.pace(watch)

    def remind(self, watch: Watch, at: float) -> None:
        """See `court.Errands`."""
        self._reminders.add(at, watch)
        self._wake_at(at)

    def pace(self, watch: Watch) -> None:
        """A burst that waited for a parent may go on as the budget allows."""
        watch.parked = False
        if watch.postponed and not watch.retired:
            watch.slow_down()
            self._waiting.append((watch, watch.ticket))
            self._sooner.set()

    def _may_burst(self, watch: Watch) -> bool:
        """Whether a probe out of turn may leave. If not, the next regular round counts in its place."""
        watch.parked = self.court.parks(watch)
        if not watch.parked and not self._waiting and self.budget.take(self._clock.monotonic()):
            return True
        watch.postponed = True
        watch.ticket += 1
        if not watch.parked:
            line = self._waiting
            (line.appendleft if self.court.leads(watch) else line.append)((watch, watch.ticket))
        return False

    def _ask_waiting(self) -> None:
        while self._waiting:
            watch, ticket = self._waiting[0]
            waits = ticket == watch.ticket and watch.postponed
            if waits:
                watch.parked = self.court.parks(watch)
                waits = not watch.parked
            if waits and not self.budget.take(self._clock.monotonic()):
                return
            self._waiting.popleft()
            if waits:
                self._ask(watch)

    # ── when ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def plan(self, watch: Watch) -> None:
        """See `court.Errands`."""
        watch.ticket += 1
        now = self._clock.monotonic()
        phase = watch.state.phase
        if phase in _REGULAR:
            return  # the rounds go on by themselves
        if phase is Phase.CONFIRMING and watch.asked == 0:
            self._names.hurry(watch.host.id)
        delay_s = pause(watch.state, watch.policy, watch.asked, now - watch.first_loss)
        if delay_s is None:
            return  # all asked: the results decide what comes next
        self._wheel.add(now + delay_s, (watch, watch.ticket))
        self._wake_at(now + delay_s)

    def _wake_at(self, at: float) -> None:
        if at < self._wakes_at:
            self._sooner.set()

    def _aim(self, watch: Watch) -> None:
        try:
            address = str(ipaddress.ip_address(watch.host.address))
        except ValueError:
            self._names.follow(watch)
        else:
            watch.aim(target_of(watch.host, address, watch.policy))
