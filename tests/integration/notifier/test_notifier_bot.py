"""What people ask of the bot, by Telegram and by WhatsApp, with a poller that answers on the real bus."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from services.notifier.adapters.store import SCHEMA
from shared.bus.ports import Received
from shared.contracts.events import ChatRefused
from shared.contracts.queries import ListWatched, PingReport, PingTarget, WatchedHost, WatchReport
from shared.contracts.streams import EVENTS
from shared.contracts.vocabulary import HostState
from shared.db.pool import Database
from tests.integration.notifier.conftest import (
    GATEWAY_TOKEN,
    GROUP,
    HOST,
    SARI,
    STRANGER,
    RunNotifier,
    Town,
    host_down,
)
from tests.support.waiting import until

SARIS, STRANGERS, NOCS, ADMIN = f"tg:{SARI.id}", f"tg:{STRANGER.id}", f"tg:{GROUP}", "gw:6285711112222"


@pytest.fixture
async def poller(town: Town) -> AsyncIterator[list[PingTarget]]:
    """Answers as the poller would; 10.20.0.66 is dead. Gives the questions it was asked."""
    asked: list[PingTarget] = []

    async def ping(query: PingTarget) -> PingReport:
        asked.append(query)
        if query.target == "10.20.0.66":
            return PingReport(target=query.target, address=query.target, sent=query.count, received=0)
        return PingReport(
            target=query.target,
            address="10.20.0.1",
            sent=query.count,
            received=query.count,
            rtt_min_ms=0.42,
            rtt_avg_ms=1.25,
            rtt_max_ms=2.5,
        )

    async def watched(_: ListWatched) -> WatchReport:
        return WatchReport(hosts=(WatchedHost(host_id=HOST.id, state=HostState.UP, rtt_ms=1.25),), sessions={"r1": 17})

    tasks = [
        asyncio.create_task(town.bus.serve(PingTarget, ping, queue="poller")),
        asyncio.create_task(town.bus.serve(ListWatched, watched, queue="poller")),
    ]
    yield asked
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.mission("D1", "D2", "D3")
async def test_person_asks_and_is_answered(town: Town, run_notifier: RunNotifier, poller: list[PingTarget]) -> None:
    async with run_notifier():
        town.telegram.phones.send(SARIS, "/ping core 7")
        (answer,) = await town.heard(SARIS, 1)
        assert answer.text == (
            "🟢 Ping core-1 · 10.20.0.1\n7 terkirim, 7 diterima, loss 0 %\nRTT min 0,4 / rata-rata 1,2 / maks 2,5 ms"
        )
        assert (poller[0].host_id, poller[0].count) == ("h1", 7)
        town.telegram.phones.send(SARIS, "ping 10.20.0.66")
        assert (await town.heard(SARIS, 2))[1].text.endswith("0 diterima, loss 100 %\ntimeout, loss 100 %")
        town.telegram.phones.send(SARIS, "/monitor")
        monitor = (await town.heard(SARIS, 3))[2].text
        assert monitor.startswith("🟢 2 · 🔴 0 · ⚪ 0")
        assert "core-1 @ Waru · 10.20.0.1 · 1,2 ms" in monitor
        assert "waru-gw @ Waru · 127.0.0.9 · 17 online" in monitor
        town.telegram.phones.send(SARIS, "/menu")
        assert "/ping <nama atau alamat> [jumlah]" in (await town.heard(SARIS, 4))[3].text
        town.telegram.phones.send(SARIS, "/pnig core-1")
        assert "Maksud Anda /ping?" in (await town.heard(SARIS, 5))[4].text


async def test_group_hears_only_what_is_meant_for_the_bot(
    town: Town, run_notifier: RunNotifier, poller: list[PingTarget]
) -> None:
    async with run_notifier():
        town.telegram.phones.send(NOCS, "/ping@other_bot core-1")
        town.telegram.phones.send(NOCS, "/ping@ronda_bot core-1")
        (answer,) = await town.heard(NOCS, 1)
        assert answer.reply_to != ""
        assert len(poller) == 1


async def test_stranger_is_refused_politely_once_a_minute(town: Town, run_notifier: RunNotifier) -> None:
    town.telegram.phones.start(STRANGERS)
    async with run_notifier():
        (answer,) = await town.heard(STRANGERS, 1)
        assert answer.text.startswith("🙏 Sorry, this chat is not registered")
        assert str(STRANGER.id) in answer.text
        town.telegram.phones.send(STRANGERS, "/ping core-1")
        town.telegram.phones.send(SARIS, "/menu")
        await town.heard(SARIS, 1)
        assert len(town.from_bot(STRANGERS)) == 1
        stored = town.bus.read(EVENTS, ChatRefused.filter(), after_sequence=0, follow=False)
        (refused,) = [one async for one in stored if isinstance(one, Received)]
        assert isinstance(refused.message, ChatRefused)
        assert refused.message.address == str(STRANGER.id)


async def test_update_that_comes_again_after_a_crash_is_answered_once(
    town: Town, run_notifier: RunNotifier, notifier_database_url: str
) -> None:
    async with run_notifier():
        town.telegram.phones.send(SARIS, "/menu")
        await town.heard(SARIS, 1)
        async with Database.connect(notifier_database_url, schema=SCHEMA, source="test") as database:
            await until(lambda: database.fetchval("select bool_and(answered) from received"))
    async with run_notifier():  # never confirmed to Telegram: the last poll was cut off by the end
        town.telegram.phones.send(SARIS, "/help")
        await town.heard(SARIS, 2)
        assert len(town.from_bot(SARIS)) == 2


@pytest.mark.mission("D3")
async def test_whatsapp_asks_in_plain_words(town: Town, run_notifier: RunNotifier, poller: list[PingTarget]) -> None:
    async with run_notifier() as address, httpx.AsyncClient(base_url=address) as client:
        hook = f"/webhooks/whatsapp-gateway/{GATEWAY_TOKEN}"
        said = {"from": "6285711112222@c.us", "body": "ping core-1", "id": "w1", "pushName": "Pak Admin"}
        assert (await client.post(hook, json=said)).status_code == 200
        assert (await client.post(hook, data=said)).json() == {"status": True}  # the same again
        (answer,) = await town.heard(ADMIN, 1)
        assert answer.text.startswith("🟢 *Ping* core-1 · ```10.20.0.1```")
        assert (await client.post("/webhooks/whatsapp-gateway/wrong", json=said)).status_code == 403
        await town.bus.publish(host_down())
        (alert,) = await town.heard(SARIS, 1)
        number = alert.text.split("#")[1].split()[0]
        await client.post(hook, json=said | {"body": f"ack {number}", "id": "w2"})
        await until(lambda: "Ditangani Pak Admin" in town.from_bot(SARIS)[0].text)
        assert len(poller) == 1


async def test_second_notifier_waits_and_takes_over(town: Town, run_notifier: RunNotifier) -> None:
    async with run_notifier(instance="first"):
        await until(lambda: town.telegram.calls)
        async with run_notifier(instance="second"):
            town.telegram.phones.send(SARIS, "/menu")
            await town.heard(SARIS, 1)
            assert len([name for name, _ in town.telegram.calls if name.lower() == "getme"]) == 1
