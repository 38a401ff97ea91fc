"""Routers tell the api what happens on them: by a secret of their own, in few words, and not without end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.contracts.events import RouterSaid
from shared.contracts.streams import EVENTS
from shared.contracts.vocabulary import Saying, Service
from tests.integration.api.conftest import Running
from tests.support.waiting import until

ROUTER = {"name": "waru-gw", "host": "203.0.113.7", "username": "ronda", "password": "rahasia"}


@pytest.fixture
async def router_id(ronda: Running) -> str:
    answer = await ronda.client.post("/api/v1/routers", json=ROUTER)
    return str(answer.raise_for_status().json()["id"])


@pytest.fixture
async def said(ronda: Running) -> AsyncIterator[list[RouterSaid]]:
    heard: list[RouterSaid] = []

    async def listen() -> None:
        async for received in ronda.bus.read(EVENTS, RouterSaid.filter(), after_sequence=0):
            heard.extend([] if received is None else [received.message])  # type: ignore[list-item]

    listening = asyncio.create_task(listen())
    yield heard
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)


async def made(ronda: Running, router_id: str) -> dict:
    answer = await ronda.client.post(f"/api/v1/routers/{router_id}/ingest-tokens")
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.mark.mission("B9")
async def test_what_a_router_posts_is_said_on_the_bus(ronda, router_id, said):
    token = await made(ronda, router_id)
    async with ronda.anonymous() as router:
        form = {"event": "login", "user": "budi@10", "ip": "10.5.0.17", "mac": "A4:5E:60:11:22:33"}
        answer = await router.post(f"/ingest/routeros/{token['secret']}", data=form)
        assert (answer.status_code, answer.text) == (200, "ok\n")
        answer = await router.post(f"/ingest/routeros/{token['secret']}", json={"event": "down", "host": "10.9.0.1"})
        assert answer.status_code == 200
    login, down = await until(lambda: len(said) == 2 and said)
    assert (login.router_id, login.saying, login.service) == (router_id, Saying.LOGIN, Service.HOTSPOT)
    assert (login.account, login.address) == ("budi@10", "10.5.0.17")
    assert (down.saying, down.address) == (Saying.DOWN, "10.9.0.1")


async def test_secret_is_shown_once_and_opens_nothing_after_it_was_taken_back(ronda, router_id):
    first, second = await made(ronda, router_id), await made(ronda, router_id)
    listed = (await ronda.client.get(f"/api/v1/routers/{router_id}/ingest-tokens")).json()["items"]
    assert [token["id"] for token in listed] == [second["id"], first["id"]]
    assert not any("secret" in token or "digest" in token for token in listed)
    assert first["secret"] in first["scripts"][0]["source"]
    gone = await ronda.client.delete(f"/api/v1/routers/{router_id}/ingest-tokens/{first['id']}")
    assert gone.status_code == 204
    async with ronda.anonymous() as router:
        refused = await router.post(f"/ingest/routeros/{first['secret']}", data={"event": "down", "host": "10.9.0.1"})
        assert (refused.status_code, "ronda router token" in refused.json()["detail"]) == (401, True)
        taken = await router.post(f"/ingest/routeros/{second['secret']}", data={"event": "down", "host": "10.9.0.1"})
        assert taken.status_code == 200


async def test_guessing_and_flooding_and_nonsense_are_refused(ronda, router_id):
    token = await made(ronda, router_id)
    url = f"/ingest/routeros/{token['secret']}"
    async with ronda.anonymous() as router:
        assert (await router.post(url, content=b"x" * 5000)).status_code == 422
        nonsense = await router.post(url, data={"event": "dance"})
        assert (nonsense.status_code, nonsense.json()["faults"][0]["field"]) == (422, "event")
        codes = [(await router.post(f"/ingest/routeros/rr_{n}", data={})).status_code for n in range(7)]
        assert (codes[0], codes[-1]) == (401, 429)
    gate = ronda.api.parts.gate
    next(iter(gate._known.values())).left = -50.0
    async with ronda.anonymous() as router:
        flood = [await router.post(url, data={"event": "down", "host": "10.9.0.1"}) for _ in range(2)]
    assert 429 in {answer.status_code for answer in flood}


async def test_scripts_name_the_address_by_which_they_were_asked_for(ronda, router_id):
    scripts = (await ronda.client.get(f"/api/v1/routers/{router_id}/scripts")).json()["items"]
    assert {"/ip hotspot user profile, on-login", "/ppp profile, on-down"} <= {script["where"] for script in scripts}
    assert all("http://ronda.test/ingest/routeros/TOKEN" in script["source"] for script in scripts)
