"""What was told of a connection is remembered over restarts, crashes and takeovers."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from services.poller.core.degraded import BecameDegraded, BecameGood, Standing
from services.poller.core.gauge import Turn
from services.poller.core.judge import State
from services.poller.core.quality import Measured
from services.poller.core.quality_events import quality_event, told_standing
from services.poller.core.records import QualityRecord, quality_key, read_record
from services.poller.core.roster import Roster
from services.poller.handlers.quality import tell_quality
from services.poller.handlers.recall import recall
from services.poller.handlers.sampling import SampleVoice
from services.poller.handlers.telling import Teller
from services.poller.loop import Patrol
from services.poller.measuring import KnownQuality
from shared.bus.memory import MemoryBus
from shared.contracts.events import HostDegraded, HostRestored
from shared.contracts.ids import HostId, SiteId
from shared.contracts.inventory import PROBE_POLICIES, Host
from shared.contracts.samples import HostSlices
from shared.contracts.streams import STATE_BUCKET
from shared.contracts.vocabulary import Grade, HostState, ProbeKind, QualityFault, Severity
from tests.fakes.clock import FakeClock
from tests.fakes.network import FakeNetwork, FakeResolver
from tests.support.waiting import until

CLOCK = FakeClock()
NOW = CLOCK.now()
HOST = Host(id=HostId("h1"), site_id=SiteId("waru"), name="core-1", address="10.20.0.1", policy="infra")
MEASURED = Measured(100.0, 100, 80, 41.2, 12.5)
LOSSY = BecameDegraded(NOW, 4, (QualityFault.LOSS,), Severity.CRITICAL, MEASURED, 12.0)
GOOD = BecameGood(NOW + timedelta(minutes=9), 5, NOW, Measured(100.0, 100, 100, 11.0, 0.5))


def test_event_says_what_was_measured_with_its_grades():
    event = quality_event(LOSSY, HOST, "Waru", "infra")
    assert isinstance(event, HostDegraded)
    assert (event.quality.loss_percent, event.quality.loss_grade) == (20.0, Grade.UNACCEPTABLE)
    assert (event.quality.grade, event.usual_ms, event.severity) == (Grade.UNACCEPTABLE, 12.0, Severity.CRITICAL)
    assert event.message_id() == "host.degraded:h1:4"


def test_words_alone_are_told_with_nothing_measured():
    event = quality_event(BecameDegraded(NOW, 1, (), Severity.WARNING, None, None, "nine days left"), HOST, "W", "edge")
    assert (event.words, event.quality.sent, event.quality.grade) == ("nine days left", 0, Grade.EXCELLENT)


def test_event_tells_the_standing_that_made_it():
    standing = told_standing(quality_event(LOSSY, HOST, "Waru", "infra"), Standing(3))
    assert standing == Standing(4, NOW, Severity.CRITICAL, (QualityFault.LOSS,))
    assert told_standing(quality_event(GOOD, HOST, "Waru", "infra"), standing) == Standing(5)


def test_record_holds_all_that_survives():
    standing = Standing(4, NOW, Severity.CRITICAL, (QualityFault.LOSS,), "nine days left", bad=1, good=2)
    record = QualityRecord.of(HOST.id, standing, (12.0, 13.5))
    back = read_record(QualityRecord, record.encoded())
    assert back.standing() == standing.remembered()
    assert back.days == (12.0, 13.5)


class Night:
    """A poller's memory on a bus, without its loops."""

    def __init__(self) -> None:
        self.bus = MemoryBus(source="test")
        self.taken: list[str] = []

    async def teller(self) -> Teller:
        return Teller(self.bus, await self.bus.bucket(STATE_BUCKET), on_takeover=lambda key, _: self.taken.append(key))

    async def recalled(self) -> KnownQuality:
        bucket = await self.bus.bucket(STATE_BUCKET)
        return (await recall(self.bus, bucket, await self.teller())).quality.get(HOST.id, KnownQuality())


def watch(known: KnownQuality):
    patrol = Patrol(dict.fromkeys(ProbeKind, FakeNetwork()), FakeResolver(), CLOCK, on_facts=lambda *_: None)
    patrol.measurements.remembered[HOST.id] = known
    patrol.put(HOST, PROBE_POLICIES["infra"], State(HostState.UP, 1))
    return patrol.watches[HOST.id]


async def test_what_was_told_is_known_after_a_restart():
    night = Night()
    teller = await night.teller()
    telling = asyncio.create_task(teller.run())
    standing = Standing(4, NOW, Severity.CRITICAL, (QualityFault.LOSS,))
    tell_quality(watch(KnownQuality(standing, (12.0,))), LOSSY, roster=Roster(), teller=teller)
    await until(lambda: teller.waiting == 0)
    assert await night.recalled() == KnownQuality(standing, (12.0,))
    tell_quality(watch(KnownQuality(Standing(5), (12.0, 13.0))), GOOD, roster=Roster(), teller=teller)
    await until(lambda: teller.waiting == 0)
    telling.cancel()
    await asyncio.gather(telling, return_exceptions=True)
    assert await night.recalled() == KnownQuality(Standing(5), (12.0, 13.0))


@pytest.mark.parametrize(("fact", "degraded"), [(LOSSY, True), (GOOD, False)])
async def test_crash_between_telling_and_remembering_forgets_nothing(fact, degraded):
    night = Night()
    bucket = await night.bus.bucket(STATE_BUCKET)
    await bucket.create(quality_key(HOST.id), QualityRecord.of(HOST.id, Standing(3), (12.0,)).encoded())
    await night.bus.publish(quality_event(fact, HOST, "Waru", "infra"))
    known = await night.recalled()
    assert (known.standing.number, known.standing.degraded, known.days) == (fact.number, degraded, (12.0,))


async def test_old_news_in_the_stream_do_not_undo_the_memory():
    night = Night()
    await night.bus.publish(quality_event(LOSSY, HOST, "Waru", "infra"))
    await night.bus.publish(quality_event(GOOD, HOST, "Waru", "infra"))
    assert (await night.recalled()).standing == Standing(5)


async def test_same_fact_from_two_pollers_is_one_message():
    night = Night()
    receipts = [await night.bus.publish(quality_event(LOSSY, HOST, "Waru", "infra")) for _ in range(2)]
    assert [receipt.duplicate for receipt in receipts] == [False, True]
    assert isinstance(quality_event(GOOD, HOST, "Waru", "infra"), HostRestored)


class AbsentBus(MemoryBus):
    @property
    def connected(self) -> bool:
        return False


async def test_samples_are_counted_when_nobody_can_hear_them():
    voice = SampleVoice(AbsentBus(source="test"))
    await voice.say(HostSlices.example())
    assert (voice.said_total, voice.dropped_total) == (0, 1)
    voice = SampleVoice(MemoryBus(source="test"))
    await voice.say(HostSlices.example())
    assert (voice.said_total, voice.dropped_total) == (1, 0)


def test_turn_is_shared_by_all_hosts_of_a_poller():
    turn = Turn()
    assert (turn.flip(), turn.flip(), turn.flip()) == (0, 7, 0)
