"""The round of the watch: every host is asked when its time has come, and again quickly when it gives reason to."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable, Mapping

from services.poller.core.judge import Phase, State, pause
from services.poller.core.landscape import Landscape
from services.poller.core.reply import Fact
from services.poller.core.schedule import TimeWheel, next_round
from services.poller.core.sentinels import Sentinels
from services.poller.names import Names
from services.poller.ports import Probe, Resolver, Target, target_of
from services.poller.watch import Watch
from shared.clock import Clock
from shared.contracts.ids import HostId
from shared.contracts.inventory import Host, ProbePolicy
from shared.contracts.vocabulary import ProbeFailure, ProbeKind

SENTINEL_INTERVAL_S = 0.5  # two looks within the shortest confirmation (1 s policy: 650 ms and more)
_SENTINEL_TIMEOUT_S = 1.0


class Patrol:
    """Watches hosts. Everything but `run` is a plain call on the event loop's thread."""

    def __init__(
        self,
        probes: Mapping[ProbeKind, Probe],
        resolver: Resolver,
        clock: Clock,
        *,
        sentinels: tuple[str, ...] = (),
        on_facts: Callable[[Watch, tuple[Fact, ...]], None],
    ) -> None:
        self._probes = probes
        self._clock = clock
        self._sentinels = Sentinels(sentinels)
        self._sentinel_addresses = sentinels
        self._on_facts = on_facts
        self._watches: dict[HostId, Watch] = {}
        self._wheel: TimeWheel[tuple[Watch, int]] = TimeWheel()
        self._names = Names(resolver)
        self._sooner = asyncio.Event()
        self._wakes_at = float("inf")
        self.landscape = Landscape()
        self.asked_total = 0

    @property
    def watches(self) -> Mapping[HostId, Watch]:
        """Everything that is watched now."""
        return self._watches

    # ── who is watched ──────────────────────────────────────────────────────────────────────────────────────────────

    def put(self, host: Host, policy: ProbePolicy, remembered: State) -> None:
        """Watch a host from now on, or as it is described from now on. `remembered` counts for new ones only."""
        watch = self._watches.get(host.id)
        if watch is not None and watch.host == host and watch.policy == policy:
            return
        state = remembered
        if watch is not None:
            state = watch.state.remembered()
            self.drop(host.id)
        watch = Watch(
            host,
            policy,
            state,
            clock=self._clock,
            sentinels=self._sentinels,
            on_change=self._changed,
            on_facts=self._on_facts,
        )
        self._watches[host.id] = watch
        self._aim(watch)
        self._changed(watch)

    def adopt(self, host_id: HostId, state: State) -> None:
        """Another poller told this host's state: go on from there."""
        watch = self._watches.get(host_id)
        if watch is not None:
            watch.state = state.remembered()
            self._changed(watch)

    def drop(self, host_id: HostId) -> None:
        """Watch this host no longer; what is still in flight for it is ignored."""
        watch = self._watches.pop(host_id, None)
        if watch is not None:
            watch.retire()
            self.landscape.forget(watch.host)
        self._names.leave(host_id)

    # ── the round ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def run(self) -> None:
        """Walk until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                for address in self._sentinel_addresses:
                    group.create_task(self._watch_sentinel(address), name=f"sentinel {address}")
                group.create_task(self._walk(), name="patrol")
        finally:
            await self._names.close()

    async def _walk(self) -> None:
        while True:
            for watch, ticket in self._wheel.due(self._clock.monotonic()):
                if ticket == watch.ticket:
                    self._ask(watch)
            await self._rest()

    async def _rest(self) -> None:
        """Sleep until something is due, or until something is planned that is due earlier."""
        at = self._wheel.next_at()
        self._wakes_at = float("inf") if at is None else at
        self._sooner.clear()
        loop = asyncio.get_running_loop()
        timer = None if at is None else loop.call_later(max(0.0, at - self._clock.monotonic()), self._sooner.set)
        try:
            await self._sooner.wait()
        finally:
            if timer is not None:
                timer.cancel()

    def _ask(self, watch: Watch) -> None:
        watch.number += 1
        watch.asked += 1
        self.asked_total += 1
        target = watch.target
        if target is not None:
            self._probes[target.kind].ask(target, watch.number, watch.timeout_s(), watch)
        elif watch.failing_name:
            watch.loss(watch.number, 0.0, ProbeFailure.NAME_NOT_RESOLVED)
        else:
            watch.blind(watch.number, watch.trouble)
        watch.age()
        self._plan(watch)

    def _changed(self, watch: Watch) -> None:
        """The host gave reason to be seen in another light and asked at another pace."""
        self.landscape.note(watch.host, watch.state.shown)
        if watch.state.phase is Phase.CONFIRMING:
            self._names.hurry(watch.host.id)
        watch.asked = 0
        self._plan(watch)

    def _plan(self, watch: Watch) -> None:
        watch.ticket += 1
        now = self._clock.monotonic()
        if watch.state.phase is Phase.STEADY:
            at = next_round(watch.host.id, watch.policy.interval_s, now)
        else:
            delay_s = pause(watch.state, watch.policy, watch.asked)
            if delay_s is None:
                return  # all asked: the results decide what comes next
            at = now + delay_s
        self._wheel.add(at, (watch, watch.ticket))
        if at < self._wakes_at:
            self._sooner.set()

    def _aim(self, watch: Watch) -> None:
        try:
            address = str(ipaddress.ip_address(watch.host.address))
        except ValueError:
            self._names.follow(watch)
        else:
            watch.target = target_of(watch.host, address, watch.policy)

    # ── are we blind? ───────────────────────────────────────────────────────────────────────────────────────────────

    async def _watch_sentinel(self, address: str) -> None:
        asker = _SentinelAsker(address, self._sentinels, self._clock)
        target = Target(ProbeKind.ICMP, address)
        while True:
            asker.number += 1
            asker.asked_at = self._clock.monotonic()
            self._probes[ProbeKind.ICMP].ask(target, asker.number, _SENTINEL_TIMEOUT_S, asker)
            await asyncio.sleep(SENTINEL_INTERVAL_S)


class _SentinelAsker:
    """Counts the newest probe only: an older answer says less."""

    def __init__(self, address: str, sentinels: Sentinels, clock: Clock) -> None:
        self.number = 0
        self.asked_at = 0.0
        self._address = address
        self._sentinels = sentinels
        self._clock = clock

    def answer(self, number: int, rtt_ms: float) -> None:
        asked_at = self.asked_at if number == self.number else self._clock.monotonic() - rtt_ms / 1000
        self._sentinels.answered(self._address, asked_at)

    def loss(self, number: int, age_s: float, failure: ProbeFailure) -> None:
        """Silence needs no note."""

    def blind(self, number: int, reason: str) -> None:
        """Silence needs no note."""
