"""5,000 hosts behind one parent are cut at once, on real sockets: what is told, when, and with how many packets?

The patrol and its ICMP engine run in the benchmark's own process on 5,001 addresses of 127.0.0.0/8, one round a second
(policy infra), with the facts collected instead of published. To cut a host its answers are thrown away as they arrive:
probes are sent and received as ever, and count as lost after their time. The clock starts with the cut. Rates are
counted in every tenth of a second, over windows of one second; the regular rate is the one before the cut.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from itertools import pairwise

from bench.figures import Figure, this_machine
from bench.stage import Stage
from services.poller.adapters.icmp import IcmpProbe
from services.poller.adapters.resolver import SystemResolver
from services.poller.core.judge import State
from services.poller.core.outages import Outage
from services.poller.core.reply import Fact, WentDown, WentUnreachable
from services.poller.loop import Patrol
from services.poller.ports import Asker, Probe, Target
from services.poller.watch import Watch
from shared.clock import SystemClock
from shared.contracts.ids import HostId, SiteId
from shared.contracts.inventory import PROBE_POLICIES, Host
from shared.contracts.vocabulary import HostState, ProbeFailure, ProbeKind

CHILDREN = 5_000
BAR_S = 3.0
SHARE = 20.0  # percent of the regular rate that may come on top
_SETTLE_S = 26.0  # until every host has the answers that its timeout is made from
_WATCH_S = 15.0
_LOOK_EVERY_S = 0.1
PARENT = HostId("parent")


class Cable:
    """A probe whose answers are lost while it is cut."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self.cut = False

    def ask(self, target: Target, number: int, timeout_s: float, asker: Asker) -> None:
        """See `ports.Probe`."""
        self._probe.ask(target, number, timeout_s, _End(self, asker, timeout_s))


class _End:
    """The end of the cable where answers come out, or do not."""

    __slots__ = ("_asker", "_cable", "_timeout_s")

    def __init__(self, cable: Cable, asker: Asker, timeout_s: float) -> None:
        self._cable = cable
        self._asker = asker
        self._timeout_s = timeout_s

    def answer(self, number: int, rtt_ms: float) -> None:
        if not self._cable.cut:
            self._asker.answer(number, rtt_ms)
            return
        lost = self._timeout_s, number, self._timeout_s, ProbeFailure.TIMEOUT
        asyncio.get_running_loop().call_later(lost[0], self._asker.loss, *lost[1:])

    def loss(self, number: int, age_s: float, failure: ProbeFailure) -> None:
        self._asker.loss(number, age_s, failure)

    def blind(self, number: int, reason: str) -> None:
        self._asker.blind(number, reason)


class Collected:
    """What was told, with its moment."""

    def __init__(self) -> None:
        self.facts: list[tuple[float, HostId, Fact]] = []
        self.outages: list[tuple[float, Outage]] = []

    def told(self, watch: Watch, facts: tuple[Fact, ...]) -> None:
        """See `press.Press`."""
        self.facts += [(time.monotonic(), watch.host.id, fact) for fact in facts]

    def outage_began(self, outage: Outage, examples: tuple[HostId, ...], of: int) -> None:  # noqa: ARG002
        """See `press.Press`."""
        self.outages.append((time.monotonic(), outage))

    def outage_ended(self, outage: Outage) -> None:
        """See `press.Press`."""

    def blind(self, for_s: float) -> None:
        """See `press.Press`."""

    def sighted(self) -> None:
        """See `press.Press`."""


async def measure(stage: Stage) -> list[Figure]:
    """One cut."""
    await stage.clear()
    engine, told = IcmpProbe(), Collected()
    cable = Cable(engine)
    probes: Mapping[ProbeKind, Probe] = dict.fromkeys(ProbeKind, cable)
    patrol = Patrol(probes, SystemResolver(), SystemClock(), press=told)
    for host in _hosts():
        patrol.put(host, PROBE_POLICIES["infra"], State(HostState.UP, 1))
    walking = asyncio.create_task(patrol.run())
    try:
        await asyncio.sleep(_SETTLE_S)
        before = await _rates(patrol, 3.0)
        cpu, cut_at = time.process_time(), time.monotonic()
        cable.cut = True
        during = await _rates(patrol, _WATCH_S)
        cpu = (time.process_time() - cpu) / _WATCH_S * 100
    finally:
        walking.cancel()
        await asyncio.gather(walking, return_exceptions=True)
        engine.close()
    return _figures(told, cut_at, regular=sum(before) / len(before), peak=max(during), cpu=cpu)


def _hosts() -> list[Host]:
    site = SiteId("bench")
    parent = Host(id=PARENT, site_id=site, name="parent", address="127.60.0.1")
    return [parent] + [
        Host(
            id=HostId(f"child-{number}"),
            site_id=site,
            name=f"child-{number}",
            address=f"127.61.{number >> 8}.{number & 255}",
            parents=((PARENT,),),
        )
        for number in range(CHILDREN)
    ]


async def _rates(patrol: Patrol, for_s: float) -> list[float]:
    """Probes sent within each second that ends with a look."""
    looks = [(time.monotonic(), patrol.asked_total)]
    end = looks[0][0] + for_s
    while looks[-1][0] < end:
        await asyncio.sleep(_LOOK_EVERY_S)
        looks.append((time.monotonic(), patrol.asked_total))
    span = round(1 / _LOOK_EVERY_S)
    return [(b - a) / (t - s) for (s, a), (t, b) in zip(looks, looks[span:], strict=False)] or [
        (b - a) / (t - s) for (s, a), (t, b) in pairwise(looks)
    ]


def _figures(told: Collected, cut_at: float, *, regular: float, peak: float, cpu: float) -> list[Figure]:
    downs = [(at - cut_at, host_id) for at, host_id, fact in told.facts if isinstance(fact, WentDown)]
    behind = [at - cut_at for at, _, fact in told.facts if isinstance(fact, WentUnreachable)]
    root_s = min((at for at, host_id in downs if host_id == PARENT), default=float("nan"))
    children = sum(host_id != PARENT for _, host_id in downs)
    machine = this_machine()
    seen = f"{len(behind):,} of {CHILDREN:,} unreachable, the last after {max(behind, default=0):.1f} s"
    return [
        Figure(
            "parent_cut", "5,000 hosts behind one parent cut → the parent is told down", BAR_S, root_s, "s", 1, machine
        ),
        Figure(
            "parent_cut_alarms",
            "the same → hosts behind it that are told down",
            0,
            children,
            "alarms",
            CHILDREN,
            machine,
            besides=f"{seen}; {len(told.outages)} outage",
        ),
        Figure(
            "parent_cut_rate",
            "the same → most probes in a second, beyond the regular ones",
            SHARE,
            (peak / regular - 1) * 100,
            "%",
            1,
            machine,
            besides=f"{regular:,.0f} regular, {peak:,.0f} at most; {cpu:.0f} % of a core",
        ),
    ]
