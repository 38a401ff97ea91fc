"""A host goes dark and comes back: what the chats show, on real parts."""

from __future__ import annotations

import pytest

from lab.chats.faults import Fault
from services.notifier.adapters.store import SCHEMA
from shared.contracts.events import AlertAcknowledged, AlertEvent, AlertOpened, ChatUnusable
from shared.contracts.ids import IncidentId
from shared.contracts.queries import AcknowledgeAlert
from shared.contracts.streams import EVENTS
from shared.db.pool import Database
from shared.errors import NotFound
from tests.integration.notifier.conftest import GROUP, SARI, RunNotifier, Town, host_down, host_up
from tests.support.waiting import until

TRIED_IN_VAIN = "select count(*) = 2 from deliveries where state = 'pending' and claimed_until is not null"
SARIS = f"tg:{SARI.id}"
NOCS = f"tg:{GROUP}"


async def events(town: Town) -> list[AlertEvent]:
    stored = town.bus.read(EVENTS, "ronda.v1.evt.alert.>", after_sequence=0, follow=False)
    return [one.message async for one in stored if one is not None and isinstance(one.message, AlertEvent)]


@pytest.mark.mission("C1", "C2")
async def test_outage_is_told_edited_and_answered(town: Town, run_notifier: RunNotifier) -> None:
    async with run_notifier():
        down = host_down()
        await town.bus.publish(down)
        (first,) = await town.heard(SARIS, 1)
        await town.heard(NOCS, 1)
        assert first.text.startswith("🔴 DOWN · core-1 @ Waru  #")
        assert "10.20.0.1" in first.text
        assert "WIB" in first.text
        assert "kabel putus, perangkat mati" in first.text
        assert [button.text for button in first.buttons] == ["👷 Tangani"]
        await town.bus.publish(host_up(down, 137))
        edited, reply = await town.heard(SARIS, 2)
        await until(lambda: town.from_bot(SARIS)[0].text.startswith("✅"))
        edited = town.from_bot(SARIS)[0]
        assert edited.id == first.id
        assert edited.text.startswith("✅ UP · core-1 @ Waru")
        assert edited.buttons == ()
        assert reply.reply_to == first.id
        assert reply.text.startswith("✅ UP")
        assert "2 menit 17 detik" in reply.text
        names = [type(one).__name__ for one in await events(town)]
        assert names == ["AlertOpened", "AlertResolved"]


async def test_blip_is_edited_and_rings_once(town: Town, run_notifier: RunNotifier) -> None:
    async with run_notifier():
        down = host_down()
        await town.bus.publish(down)
        await town.heard(SARIS, 1)
        await town.bus.publish(host_up(down, 4))
        await until(lambda: town.from_bot(SARIS)[0].text.startswith("⚡ BLIP 4 detik · core-1"))
        later = host_down(5, ago_s=0)
        await town.bus.publish(later)
        first, second = await town.heard(SARIS, 2)
        assert second.text.startswith("🔴")
        assert second.reply_to == ""
        assert first.revisions


async def test_events_out_of_order_are_told_in_order(town: Town, run_notifier: RunNotifier) -> None:
    down = host_down()
    await town.bus.publish(host_up(down, 137))
    await town.bus.publish(down)
    async with run_notifier():
        await town.heard(SARIS, 2)
        assert [one.text[:4] for one in town.from_bot(SARIS)] == ["✅ UP", "✅ UP"]
        assert town.from_bot(SARIS)[0].revisions[0].startswith("🔴 DOWN")


async def test_press_acknowledges_and_everybody_sees_who(town: Town, run_notifier: RunNotifier) -> None:
    async with run_notifier():
        await town.bus.publish(host_down())
        (first,) = await town.heard(SARIS, 1)
        await town.heard(NOCS, 1)
        town.telegram.phones.press(SARIS, int(first.id), first.buttons[0].value)
        await until(lambda: "Ditangani Sari Wulandari" in town.from_bot(SARIS)[0].text)
        await until(lambda: "Ditangani Sari Wulandari" in town.from_bot(NOCS)[0].text)
        assert town.from_bot(SARIS)[0].buttons == ()
        (taken,) = [one for one in await events(town) if isinstance(one, AlertAcknowledged)]
        assert taken.by == "Sari Wulandari"


async def test_taken_on_at_the_board_is_shown_in_the_chats(town: Town, run_notifier: RunNotifier) -> None:
    async with run_notifier():
        await town.bus.publish(host_down())
        await town.heard(SARIS, 1)
        await town.heard(NOCS, 1)
        [opened] = [one for one in await events(town) if isinstance(one, AlertOpened)]
        assert sorted(opened.told) == ["NOC Waru", "Sari"]
        taken = await town.bus.request(AcknowledgeAlert(incident_id=opened.incident_id, by="Owner"))
        assert (taken.number, taken.by) == (opened.number, "Owner")
        await until(lambda: "Ditangani Owner" in town.from_bot(SARIS)[0].text)
        await until(lambda: "Ditangani Owner" in town.from_bot(NOCS)[0].text)
        assert town.from_bot(NOCS)[0].buttons == ()
        with pytest.raises(NotFound):
            await town.bus.request(AcknowledgeAlert(incident_id=IncidentId("nowhere"), by="Owner"))


@pytest.mark.mission("C4")
async def test_internet_away_loses_nothing_and_says_how_late(
    town: Town, run_notifier: RunNotifier, notifier_database_url: str
) -> None:
    await town.telegram.stop()  # nothing listens there
    address, port = town.telegram.url.removeprefix("http://").split(":")
    async with run_notifier():
        down = host_down(ago_s=800)
        await town.bus.publish(down)
        await town.bus.publish(host_up(down, 137))
        async with Database.connect(notifier_database_url, schema=SCHEMA, source="test") as database:
            await until(lambda: database.fetchval(TRIED_IN_VAIN))
        await town.telegram.start(address, int(port))
        await town.heard(SARIS, 2, within_s=40)
        first, reply = town.from_bot(SARIS)
        assert "Terlambat 13 menit" in first.revisions[0]
        assert "(ulangan)" not in first.revisions[0]
        assert "Terlambat" in reply.text


async def test_too_many_requests_are_obeyed_and_nothing_is_lost(town: Town, run_notifier: RunNotifier) -> None:
    town.telegram.faults.order(Fault("retry_after", method="sendMessage", chat=str(SARI.id), seconds=1))
    async with run_notifier():
        await town.bus.publish(host_down())
        (only,) = await town.heard(SARIS, 1)
        assert "(ulangan)" not in only.text


async def test_answer_that_got_lost_is_repeated_and_says_so(town: Town, run_notifier: RunNotifier) -> None:
    town.telegram.faults.order(Fault("cut", method="sendMessage", chat=str(SARI.id)))
    async with run_notifier():
        await town.bus.publish(host_down())
        (only,) = await town.heard(SARIS, 1)
        assert "(ulangan)" in only.text


async def test_blocked_chat_is_switched_off_and_announced(town: Town, run_notifier: RunNotifier) -> None:
    town.telegram.phones.block(SARIS)
    async with run_notifier():
        await town.bus.publish(host_down())
        await town.heard(NOCS, 1)
        async for one in town.bus.read(EVENTS, ChatUnusable.filter(), after_sequence=0):
            if one is not None:
                assert isinstance(one.message, ChatUnusable)
                assert one.message.chat_id == "sari"
                assert "blocked" in one.message.reason
                break
        assert town.from_bot(SARIS) == []


async def test_group_that_became_a_supergroup_is_followed(town: Town, run_notifier: RunNotifier) -> None:
    new_id = town.telegram.phones.migrate(NOCS)
    async with run_notifier():
        await town.bus.publish(host_down())
        await until(lambda: any(town.from_bot(f"tg:{new_id}")))
