"""Samples and the degraded alarm, told as stories of a walking patrol in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from services.poller.core.connection import SLICE_S
from services.poller.core.degraded import BecameDegraded, BecameGood, QualityFact, Standing
from services.poller.core.judge import State
from services.poller.core.reply import Fact
from services.poller.loop import Patrol
from services.poller.measuring import TOGETHER, KnownQuality, Measurements
from services.poller.watch import Watch
from shared.contracts.ids import HostId, SiteId
from shared.contracts.inventory import PROBE_POLICIES, Host, ProbePolicy
from shared.contracts.samples import HostSlices
from shared.contracts.vocabulary import HostState, ProbeKind, QualityFault
from tests.fakes.network import FakeNetwork, FakeResolver
from tests.fakes.virtual_time import EPOCH, VirtualClock, run_virtually

UP = State(HostState.UP, 1)
ADDRESS = "10.20.0.1"
# A fast policy of one's own, so that windows of 100 packets fit into a short story.
QUICK = PROBE_POLICIES["infra"].model_copy(update={"name": "quick", "interval_s": 0.2, "quality_window_s": 40.0})


def host(name: str = "core-1", address: str = ADDRESS, **others: object) -> Host:
    return Host(id=HostId(name), site_id=SiteId("waru"), name=name, address=address, **others)


class LossyNetwork(FakeNetwork):
    """Loses every `n`th probe to an address."""

    def __init__(self) -> None:
        super().__init__()
        self.every: dict[str, int] = {}

    def ask(self, target, number, timeout_s, asker):
        every = self.every.get(target.address)
        if every and self.asked[target.address] % every == 0:
            self.cut.add(target.address)
            super().ask(target, number, timeout_s, asker)
            self.cut.discard(target.address)
        else:
            super().ask(target, number, timeout_s, asker)


@dataclass
class Story:
    network: LossyNetwork
    patrol: Patrol
    samples: list[HostSlices] = field(default_factory=list)
    quality: list[QualityFact] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)

    def put(self, watched: Host, policy: ProbePolicy | str = QUICK, state: State = UP) -> Watch:
        self.patrol.put(watched, PROBE_POLICIES[policy] if isinstance(policy, str) else policy, state)
        return self.patrol.watches[watched.id]


def tell(plot: Callable[[Story], Awaitable[None]], remembered: dict[HostId, KnownQuality] | None = None) -> Story:
    async def run() -> Story:
        network, clock = LossyNetwork(), VirtualClock()
        told = Story(network, None)  # type: ignore[arg-type]

        async def say(sample: HostSlices) -> None:
            told.samples.append(sample)

        def on_quality(_: Watch, fact: QualityFact | None) -> None:
            told.quality.extend([fact] if fact else [])

        measurements = Measurements(
            clock, "poller-1", say=say, on_quality=on_quality, remembered={} if remembered is None else remembered
        )
        told.patrol = Patrol(
            dict.fromkeys(ProbeKind, network),
            FakeResolver(),
            clock,
            on_facts=lambda _, facts: told.facts.extend(facts),
            measurements=measurements,
        )
        walking = asyncio.create_task(told.patrol.run())
        await plot(told)
        walking.cancel()
        await asyncio.gather(walking, return_exceptions=True)
        return told

    return run_virtually(run())


def test_slices_are_told_at_every_tenth_second_of_the_wall_clock():
    async def plot(story: Story) -> None:
        await asyncio.sleep(3.3)
        story.put(host(), "infra")
        story.put(host("gone", "10.20.0.9"), "infra", State(HostState.DOWN, 1, EPOCH))
        story.network.cut.add("10.20.0.9")
        await asyncio.sleep(37)

    samples = tell(plot).samples
    assert [sample.at.second for sample in samples] == [10, 20, 30, 40]
    assert {sample.slice_s for sample in samples} == {SLICE_S}
    second = samples[1]
    HostSlices.model_validate_json(second.model_dump_json())
    row = dict(zip(second.hosts, zip(second.sent, second.received, second.rtt_avg_ms, strict=True), strict=True))
    assert row == {"core-1": (10, 10, 2.0), "gone": (10, 0, None)}


def test_many_hosts_are_told_in_several_messages():
    async def plot(story: Story) -> None:
        for number in range(2 * TOGETHER + 1):
            story.put(host(f"h{number}", f"10.21.{number // 250}.{number % 250}"), "infra")
        await asyncio.sleep(12)

    samples = tell(plot).samples
    assert sorted(len(sample.hosts) for sample in samples) == [1, TOGETHER, TOGETHER]
    assert len({name for sample in samples for name in sample.hosts}) == 2 * TOGETHER + 1


def test_loss_of_a_tenth_is_told_once_and_shown_and_its_end_too():
    async def plot(story: Story) -> None:
        watch = story.put(host())
        await asyncio.sleep(100)
        assert watch.shown is HostState.UP
        story.network.every[ADDRESS] = 10
        await asyncio.sleep(200)
        assert watch.shown is HostState.DEGRADED
        story.network.every.clear()
        await asyncio.sleep(300)
        assert watch.shown is HostState.UP

    story = tell(plot)
    assert story.facts == []  # no outage: every burst was answered
    bad, good = story.quality
    assert isinstance(bad, BecameDegraded)
    assert isinstance(good, BecameGood)
    assert bad.faults == (QualityFault.LOSS,)
    assert 7 <= bad.measured.loss_percent <= 13  # each loss costs a round or two for its burst
    assert 40 <= (bad.at - EPOCH).total_seconds() - 100 <= 40 * 3 + SLICE_S


def test_an_outage_is_no_degraded_connection():
    async def plot(story: Story) -> None:
        story.put(host())
        await asyncio.sleep(100)
        story.network.cut.add(ADDRESS)
        await asyncio.sleep(300)
        story.network.cut.clear()
        await asyncio.sleep(300)

    story = tell(plot)
    assert len(story.facts) == 2
    assert story.quality == []


def test_what_cannot_be_asked_is_neither_sent_nor_lost():
    async def plot(story: Story) -> None:
        story.put(host())
        await asyncio.sleep(15)
        story.network.no_way_out = True
        await asyncio.sleep(60)

    samples = tell(plot).samples
    assert [sample.at.second for sample in samples] == [10, 20]


def test_degraded_host_is_still_so_after_a_restart_and_not_told_again():
    standing = Standing(7, EPOCH, faults=(QualityFault.LOSS,))

    async def plot(story: Story) -> None:
        story.network.every[ADDRESS] = 10
        watch = story.put(host())
        assert watch.shown is HostState.DEGRADED
        await asyncio.sleep(200)
        assert story.quality == []
        story.patrol.put(host(name="core-1", enabled=True), QUICK.model_copy(update={"hold_s": 9}), UP)  # a new watch
        assert story.patrol.watches[HostId("core-1")].shown is HostState.DEGRADED
        story.network.every.clear()
        await asyncio.sleep(300)

    [good] = tell(plot, {HostId("core-1"): KnownQuality(standing)}).quality
    assert (good.number, good.degraded_since) == (8, EPOCH)


def test_another_pollers_word_is_taken_over():
    async def plot(story: Story) -> None:
        watch = story.put(host())
        story.patrol.measurements.adopt(HostId("core-1"), KnownQuality(Standing(3, EPOCH, words="nine days left")))
        assert watch.shown is HostState.DEGRADED
        await asyncio.sleep(20)

    assert sum(sample.sent[0] for sample in tell(plot).samples) == pytest.approx(100, abs=3)


# ── trains ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_standard_host_gets_ten_packets_a_minute_besides_its_rounds():
    async def plot(story: Story) -> None:
        story.put(host(), "standard")
        await asyncio.sleep(600)

    story = tell(plot)
    assert story.patrol.trains.sent_total == 100
    assert story.network.asked[ADDRESS] == pytest.approx(160, abs=1)
    assert sum(sample.sent[0] for sample in story.samples) == pytest.approx(160, abs=12)


def test_standard_host_has_enough_packets_for_a_grade():
    async def plot(story: Story) -> None:
        watch = story.put(host(), "standard")
        story.network.every[ADDRESS] = 8
        await asyncio.sleep(1_300)
        measured = watch.connection.measured(story.patrol.measurements.clock.now().timestamp())
        assert measured.sent >= 100
        assert 5 <= measured.loss_percent <= 15

    tell(plot)


def test_lost_train_is_no_suspicion():
    """Cut between two rounds for longer than a train takes: packets are lost, and nobody is suspected."""

    async def plot(story: Story) -> None:
        seldom = PROBE_POLICIES["standard"].model_copy(update={"interval_s": 600.0})
        watch = story.put(host(), seldom)
        rounds = watch.number
        await asyncio.sleep(130)
        story.network.cut.add(ADDRESS)
        for _ in range(600):
            await asyncio.sleep(0.1)
            assert watch.shown is HostState.UP
        assert watch.number >= rounds + 10

    story = tell(plot)
    assert sum(sent - got for s in story.samples for sent, got in zip(s.sent, s.received, strict=True)) >= 10


def test_answer_of_a_train_proves_life():
    async def plot(story: Story) -> None:
        seldom = PROBE_POLICIES["standard"].model_copy(update={"interval_s": 600.0})
        watch = story.put(host(), seldom)
        await asyncio.sleep(300)
        assert watch.round_trips.last_ms == pytest.approx(2.0)

    tell(plot)


def test_host_that_is_down_gets_no_trains():
    async def plot(story: Story) -> None:
        story.network.cut.add(ADDRESS)
        story.put(host(), "standard", State(HostState.DOWN, 1, EPOCH))
        await asyncio.sleep(300)

    assert tell(plot).patrol.trains.sent_total == 0


@pytest.mark.parametrize("probe", [ProbeKind.TCP, ProbeKind.HTTP])
def test_servers_are_not_asked_ten_times_in_a_row(probe):
    async def plot(story: Story) -> None:
        story.put(host(probe=probe, port=80), "standard")
        await asyncio.sleep(300)

    assert tell(plot).patrol.trains.sent_total == 0


def test_removed_host_gets_no_more_trains():
    async def plot(story: Story) -> None:
        story.put(host(), "standard")
        await asyncio.sleep(120)
        story.patrol.drop(HostId("core-1"))
        before = story.network.asked[ADDRESS]
        await asyncio.sleep(300)
        assert story.network.asked[ADDRESS] == before

    tell(plot)


def test_host_that_another_poller_tells_of_is_neither_reported_nor_sent_trains():
    async def plot(story: Story) -> None:
        story.patrol.put(host(), PROBE_POLICIES["standard"], UP, tells=False)
        await asyncio.sleep(300)

    story = tell(plot)
    assert story.samples == []
    assert story.patrol.trains.sent_total == 0


def test_no_alarm_begins_during_announced_work_and_one_that_was_told_may_end():
    async def plot(story: Story) -> None:
        watch = story.put(host())
        watch.in_maintenance = True
        story.network.every[ADDRESS] = 10
        await asyncio.sleep(300)
        assert story.quality == []
        watch.in_maintenance = False
        await asyncio.sleep(200)
        assert watch.shown is HostState.DEGRADED
        watch.in_maintenance = True
        story.network.every.clear()
        await asyncio.sleep(300)

    assert [type(fact) for fact in tell(plot).quality] == [BecameDegraded, BecameGood]


def test_what_is_lost_while_our_own_way_out_is_broken_is_no_hosts_bad_connection():
    async def plot(story: Story) -> None:
        watch = story.put(host())
        await asyncio.sleep(100)
        story.network.every[ADDRESS] = 3
        for _ in range(40):  # we see again, and again, and again
            story.patrol.measurements.sentinels.sees_since = story.patrol.measurements.clock.monotonic()
            await asyncio.sleep(5)
        assert story.quality == []
        assert watch.shown is HostState.UP

    tell(plot)


def test_probes_of_a_burst_are_in_no_sample():
    async def plot(story: Story) -> None:
        story.put(host(), "infra")
        story.network.every[ADDRESS] = 10
        await asyncio.sleep(300.5)

    story = tell(plot)
    sent = sum(sample.sent[0] for sample in story.samples)
    lost = sent - sum(sample.received[0] for sample in story.samples)
    assert lost >= 20
    assert story.network.asked[ADDRESS] - sent >= lost  # each loss was asked after at once
