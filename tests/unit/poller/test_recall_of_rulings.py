"""What was told but not remembered is remembered from the stream; works, outages and ourselves too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from services.poller.core.flapping import Flap
from services.poller.core.judge import State
from services.poller.core.records import (
    HostRecord,
    MaintenanceRecord,
    PollerRecord,
    host_key,
    maintenance_key,
    poller_key,
)
from services.poller.handlers.recall import Memory, recall
from services.poller.handlers.telling import Teller
from shared.bus.memory import MemoryBus
from shared.contracts.events import (
    Event,
    HostDown,
    HostFlapping,
    HostHeard,
    HostSilent,
    HostUnreachable,
    OutageBegan,
    OutageEnded,
)
from shared.contracts.ids import HostId, MaintenanceId
from shared.contracts.streams import STATE_BUCKET
from shared.contracts.vocabulary import HostState
from tests.fakes.clock import FakeClock

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
H1 = HostId("h1")
FULL = State(
    HostState.UNREACHABLE,
    7,
    NOON,
    NOON - timedelta(minutes=1),
    (HostId("gate"),),
    flap=Flap((NOON,), (NOON,), NOON, 6),
    outage_id="7f3a9c",
    hidden=True,
)


def told(kind: type[Event], **fields: object) -> Event:
    """An event like its example."""
    return kind.model_validate({**kind.EXAMPLE, "host_id": "h1", **fields})


async def remembered(*events: Event, records: dict[str, bytes] | None = None) -> Memory:
    """What a poller recalls after these events with these records in the bucket."""
    bus = MemoryBus(source="poller", clock=FakeClock())
    bucket = await bus.bucket(STATE_BUCKET)
    for key, value in (records or {}).items():
        await bucket.put(key, value)
    for event in events:
        await bus.publish(event)
    return await recall(bus, bucket, Teller(bus, bucket, on_takeover=lambda *_: None))


async def test_record_holds_everything_that_is_hard():
    memory = await remembered(records={host_key(H1): HostRecord.of(H1, FULL).encoded()})
    assert memory.hosts[H1] == FULL


async def test_record_of_an_older_version_is_still_read():
    old = b'{"order": 3, "id": "h1", "state": "down", "since": "2026-11-20T12:00:00Z", "down_since": null}'
    memory = await remembered(records={host_key(H1): old})
    assert memory.hosts[H1] == State(HostState.DOWN, 3, NOON)


async def test_unreachable_that_was_told_and_not_saved_is_recalled():
    event = told(HostUnreachable, transition=8, behind=["gate"], outage_id="7f3a9c", in_maintenance=True)
    state = (await remembered(event)).hosts[H1]
    assert (state.hard, state.transition, state.behind) == (HostState.UNREACHABLE, 8, ("gate",))
    assert (state.outage_id, state.hidden) == ("7f3a9c", True)


async def test_later_of_two_verdicts_holds_whatever_their_kind():
    events = told(HostDown, transition=8), told(HostUnreachable, transition=9)
    assert (await remembered(*events)).hosts[H1].hard is HostState.UNREACHABLE


async def test_silence_and_its_end_are_recalled_in_their_order():
    up = {host_key(H1): HostRecord.of(H1, State(HostState.UP, 3, NOON)).encoded()}
    silent = told(HostSilent, at=NOON + timedelta(seconds=5), since=NOON, mark=5)
    heard = told(HostHeard, at=NOON + timedelta(seconds=9), silent_since=NOON, mark=9)
    assert (await remembered(silent, records=up)).hosts[H1].silent_since == NOON
    assert (await remembered(silent, heard, records=up)).hosts[H1].silent_since is None


async def test_silence_before_the_last_change_is_over():
    up = {host_key(H1): HostRecord.of(H1, State(HostState.UP, 5, NOON)).encoded()}
    silent = told(HostSilent, at=NOON - timedelta(hours=1), since=NOON - timedelta(hours=1))
    assert (await remembered(silent, records=up)).hosts[H1].silent_since is None


async def test_flapping_that_was_told_and_not_saved_is_recalled():
    up = {host_key(H1): HostRecord.of(H1, State(HostState.UP, 5, NOON)).encoded()}
    began = told(HostFlapping, at=NOON + timedelta(seconds=1))
    assert (await remembered(began, records=up)).hosts[H1].flap.since == began.at


async def test_outages_that_are_not_over_are_recalled():
    began = OutageBegan.model_validate({**OutageBegan.EXAMPLE, "outage_id": "on"})
    events = (
        OutageBegan.model_validate({**OutageBegan.EXAMPLE, "outage_id": "over"}),
        OutageEnded.model_validate({**OutageEnded.EXAMPLE, "outage_id": "over"}),
        began,
    )
    assert [event.outage_id for event in (await remembered(*events)).outages] == ["on"]


async def test_works_and_the_last_look_are_recalled():
    work = MaintenanceId("m1")
    records = {
        maintenance_key(work): MaintenanceRecord(order=1, id=work, began_at=NOON).encoded(),
        poller_key("old"): PollerRecord(order=1, seen_at=NOON - timedelta(hours=2)).encoded(),
        poller_key("mine"): PollerRecord(order=1, seen_at=NOON - timedelta(hours=3)).encoded(),
    }
    memory = await remembered(records=records)
    assert memory.maintenances == {work: NOON}
    assert memory.seen_at("mine") == NOON - timedelta(hours=3)
    assert memory.seen_at("new") == NOON - timedelta(hours=2)
