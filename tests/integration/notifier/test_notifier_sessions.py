"""A subscriber logs in and out: the administrator's and the subscriber's WhatsApp."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.clock import SystemClock
from shared.contracts.events import SessionClosed, SessionOpened
from shared.contracts.ids import RouterId, SiteId
from shared.contracts.queries import SendTestMessage
from shared.contracts.vocabulary import Service
from shared.errors import NotFound
from tests.integration.notifier.conftest import SARI, RunNotifier, Town
from tests.support.waiting import until

ADMIN, BUDI = "gw:6285711112222", "gw:6285733334444"


def login(*, inferred: bool = False, session: str = "s1") -> SessionOpened:
    return SessionOpened(
        at=SystemClock().now(),
        router_id=RouterId("r1"),
        router_name="waru-gw",
        site_id=SiteId("waru"),
        service=Service.HOTSPOT,
        account="budi@paket10",
        session_id=session,
        address="10.5.0.17",
        inferred=inferred,
    )


def logout(opened: SessionOpened) -> SessionClosed:
    fields = opened.model_dump() | {"at": opened.at + timedelta(minutes=64), "duration_s": 3840.0}
    return SessionClosed(**fields)


@pytest.mark.mission("B5", "B6")
async def test_login_and_logout_reach_administrator_and_subscriber(town: Town, run_notifier: RunNotifier) -> None:
    async with run_notifier():
        opened = login()
        await town.bus.publish(opened)
        await town.heard(ADMIN, 1)
        (mine,) = await town.heard(BUDI, 1)
        assert mine.text.startswith("🟢 *ONLINE* · budi@paket10")
        assert "Budi Santoso." in mine.text
        assert "Selamat " in mine.text
        assert "WITA" in mine.text  # the subscriber's own zone
        assert "```10.5.0.17```" in mine.text
        await town.bus.publish(logout(opened))
        *_, gone = await town.heard(BUDI, 2)
        assert gone.text.startswith("⚪ *OFFLINE* · budi@paket10")
        assert "1 jam 4 menit" in gone.text
        (in_telegram, *_) = await town.heard(f"tg:{SARI.id}", 2)
        assert in_telegram.text.startswith("🟢 ONLINE · budi@paket10")
        assert town.from_bot("tg:-4012345") == []  # that group wants alerts alone


async def test_inferred_session_says_so_and_repeated_event_does_not(town: Town, run_notifier: RunNotifier) -> None:
    async with run_notifier():
        await town.bus.publish(login(inferred=True))
        (told,) = await town.heard(ADMIN, 1)
        assert "Diketahui dari perbandingan" in told.text
    async with run_notifier():
        await town.bus.publish(login(inferred=True))
        await town.bus.publish(login(session="s2"))
        await town.heard(ADMIN, 2)
        assert len(town.from_bot(ADMIN)) == 2


async def test_number_without_whatsapp_stops_nobody_else(town: Town, run_notifier: RunNotifier) -> None:
    town.gateway.contacts.known.pop("6285711112222")
    async with run_notifier():
        await town.bus.publish(login())
        await town.heard(BUDI, 1)


async def test_test_message_answers_what_the_channel_said(town: Town, run_notifier: RunNotifier) -> None:
    async with run_notifier():
        await until(lambda: town.telegram.calls)  # the bot introduced itself, so the inventory has come as well
        answer = await town.bus.request(SendTestMessage(chat_id="sari"))  # type: ignore[arg-type]
        (told,) = await town.heard(f"tg:{SARI.id}", 1)
        assert answer.provider_message_id == told.id
        assert "pesan uji" in told.text
        with pytest.raises(NotFound):
            await town.bus.request(SendTestMessage(chat_id="nobody"))  # type: ignore[arg-type]
