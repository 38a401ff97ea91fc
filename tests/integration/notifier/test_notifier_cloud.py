"""WhatsApp by the Cloud API: the 24-hour window, signed webhooks, refusals; against the lab's stand-in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from lab.chats.whatsapp import Business, CloudServer, Contacts, Strictness, Template
from services.notifier.adapters.store import SCHEMA
from services.notifier.settings import WhatsAppDriver
from shared.db.pool import Database
from tests.integration.notifier.conftest import RunNotifier, Town
from tests.integration.notifier.test_notifier_sessions import login
from tests.support.waiting import until

ADMIN, BUDI = "6285711112222", "6285733334444"
SECRET, WORD, TOKEN = "app-secret-of-the-lab", "kata-sandi-webhook", "EAAlab-token"


@pytest.fixture
async def cloud(town: Town) -> AsyncIterator[CloudServer]:
    contacts = Contacts()
    contacts.add(ADMIN, "Administrator")
    contacts.add(BUDI, "Budi Santoso")
    business = Business(
        threads=town.threads,
        contacts=contacts,
        phone_id="1055500001",
        waba_id="1",
        number="6281100009999",
        name="Ronda",
        token=TOKEN,
        app_secret=SECRET,
        templates={
            ("noc_alert", "id"): Template("noc_alert", "id", "{{1}}\n{{2}}\nBalas untuk menanggapi."),
            ("subscriber_notice", "id"): Template("subscriber_notice", "id", "{{1}}\n{{2}}"),
        },
        strictness=Strictness(pair_rate=False),
    )
    server = CloudServer(business)
    await server.start()
    yield server
    await business.webhooks.close()
    await business.close()
    await server.stop()


def settings(cloud: CloudServer) -> dict[str, Any]:
    return {
        "whatsapp_driver": WhatsAppDriver.CLOUD,
        "whatsapp_url": cloud.url,
        "whatsapp_phone_id": "1055500001",
        "whatsapp_token": TOKEN,
        "whatsapp_app_secret": SECRET,
        "whatsapp_verify_token": WORD,
    }


async def test_template_outside_the_window_free_text_inside(
    town: Town, cloud: CloudServer, run_notifier: RunNotifier
) -> None:
    async with run_notifier(**settings(cloud)) as address:
        await cloud.business.webhooks.subscribe(f"{address}/webhooks/whatsapp", WORD)
        await town.bus.publish(login())
        (notice,) = await town.heard(f"wa:{ADMIN}", 1)
        assert notice.text.startswith("🟢 ONLINE · budi@paket10\nSelamat")
        assert "Balas" not in notice.text  # a log-in asks nobody to act
        cloud.business.webhooks.twice = True
        cloud.business.write(ADMIN, "menu")
        *_, menu = await town.heard(f"wa:{ADMIN}", 2)
        assert "/ping" in menu.text
        await town.bus.publish(login(session="s2"))
        *_, free = await town.heard(f"wa:{ADMIN}", 3)
        assert free.text.startswith("🟢 *ONLINE* · budi@paket10")
        assert len(town.from_bot(f"wa:{ADMIN}")) == 3


async def test_unsigned_webhook_is_refused(cloud: CloudServer, run_notifier: RunNotifier) -> None:
    async with run_notifier(**settings(cloud)) as address, httpx.AsyncClient(base_url=address) as client:
        assert (await client.post("/webhooks/whatsapp", json={"entry": []})).status_code == 403
        wrong = {"hub.mode": "subscribe", "hub.challenge": "1", "hub.verify_token": "wrong"}
        assert (await client.get("/webhooks/whatsapp", params=wrong)).status_code == 403


async def test_number_without_whatsapp_is_noted_when_meta_says_so_later(
    town: Town, cloud: CloudServer, run_notifier: RunNotifier, notifier_database_url: str
) -> None:

    cloud.business.contacts.known.pop(BUDI)
    async with (
        run_notifier(**settings(cloud)) as address,
        Database.connect(notifier_database_url, schema=SCHEMA, source="test") as database,
    ):
        await cloud.business.webhooks.subscribe(f"{address}/webhooks/whatsapp", WORD)
        await town.bus.publish(login())
        noted = "select count(*) from ledger where reason = 'refused' and words like '(131026)%'"
        await until(lambda: database.fetchval(noted))
