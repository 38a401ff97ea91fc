"""Story 2: a subscriber logs in and out, by hotspot and by PPPoE, and the administrator and the subscriber read it."""

from __future__ import annotations

import time
from datetime import datetime

import pytest

from tests.e2e.conftest import ON_THE_PRODUCT
from tests.support.live_events import live_events
from tests.support.provider import HENDRA, Provider
from tests.support.spoken_times import greeting, spoken

pytestmark = ON_THE_PRODUCT

JAKARTA = "Asia/Jakarta"
NETWORKS = {"hotspot": "Hotspot", "ppp": "PPPoE"}
STATUS = {"login": "🟢 ONLINE", "logout": "⚪ OFFLINE"}
FACT = {"login": "session.opened", "logout": "session.closed"}


@pytest.mark.mission("B5", "B6", "F")
@pytest.mark.parametrize("service", ["hotspot", "ppp"])
@pytest.mark.parametrize(("router", "version"), [("gw-waru", "6.49"), ("gw-gedangan", "7.")])
async def test_a_login_and_a_logout_are_told_on_whatsapp(
    provider: Provider, router: str, version: str, service: str
) -> None:
    assert (await provider.planned_router(router))["version"].startswith(version)
    person = await provider.subscriber(router, service)
    user = person["user"]
    noc, own = provider.phone(HENDRA), provider.subscribers_phone(person)
    before, began = await noc.now(), time.time()
    async with live_events(provider.product.api, "session.opened,session.closed") as live:
        for deed in ("login", "logout"):
            known = {event.id for event in live.seen}
            await provider.product.lab_do("subscribers", user, deed)
            fact = await live.first(FACT[deed], lambda body: body["account"] == user, unless=known)
            at, address = datetime.fromisoformat(fact.body["at"]), fact.body["address"]
            assert (fact.body["router_name"], fact.body["service"], fact.body["inferred"]) == (router, service, False)
            words = (
                STATUS[deed],
                greeting(at, JAKARTA),
                f"Waktu: {spoken(at, JAKARTA, 'id')}",
                f"Alamat IP: {address}",
                f"Pengguna: {user}",
                f"{NETWORKS[service]}, {router}",
            )
            await noc.message(*words, after=before)
            await own.message(*words, f"{greeting(at, JAKARTA)}, {person['name']}", after=before)
            if deed == "login":
                async with provider.asked(router) as asked:
                    (session,) = await asked.sessions(service, user)
                assert session["address"] == address
    for phone in (noc, own):  # each of them once
        about = [b for b in await phone.messages() if user in b["text"] and b["at"] >= began]
        told = [bubble["text"] for bubble in sorted(about, key=lambda bubble: bubble["at"])]
        assert [text.split(" ·")[0] for text in told] == list(STATUS.values())
    assert await provider.known_sessions(user, 0) == []
