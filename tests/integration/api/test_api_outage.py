"""The bus goes away and comes back: what was changed meanwhile arrives, once and in its last state."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from pydantic import SecretStr

from deploy.local.nats_server import NatsServer
from services.api.core.rights import Scope
from services.api.handlers.people import create_owner, make_token_for
from services.api.main import assemble
from services.api.settings import ApiSettings
from shared.bus.nats import NatsBus
from shared.contracts.desired import DesiredAccount
from shared.contracts.streams import DESIRED, INVENTORY_BUCKET
from shared.lifecycle import running
from shared.security.sealing import generate_key
from tests.support.waiting import until


@pytest.mark.mission("B1", "F")
async def test_changes_made_while_the_bus_is_away_arrive_when_it_is_back(
    database_url: str, nats_server: NatsServer
) -> None:
    settings = ApiSettings(
        database_url=SecretStr(database_url), nats_url=nats_server.url("api"), seal_keys=SecretStr(generate_key())
    )
    async with assemble(settings) as api, running(api.service):
        parts = api.parts
        await create_owner(login="owner", store=parts.store, hasher=parts.hasher, clock=parts.clock)
        token = await make_token_for(
            login="owner", name="t", scopes=frozenset(Scope), store=parts.store, clock=parts.clock
        )
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(api.app), base_url="http://ronda.test", headers=headers
        ) as client:
            nats_server.kill()
            router = {"name": "gw", "host": "10.0.0.1", "username": "u", "password": "x"}
            router_id = (await client.post("/api/v1/routers", json=router)).json()["id"]
            account = {"router_id": router_id, "service": "ppp", "name": "budi", "password": "p", "profile": "a"}
            made = (await client.post("/api/v1/accounts", json=account)).json()
            for profile in ("b", "c"):
                answer = await client.patch(f"/api/v1/accounts/{made['id']}", json={"profile": profile})
                assert answer.status_code == 202
            tried = await client.post(f"/api/v1/routers/{router_id}/test")
            assert (tried.status_code, tried.json()["code"]) == (503, "unreachable")
            await asyncio.to_thread(nats_server.start)
            async with NatsBus.connect(nats_server.url(), name="test", source="test") as bus:
                assert await until(lambda: last_profile(bus), 40) == "c"
                bucket = await bus.bucket(INVENTORY_BUCKET)
                assert await until(lambda: bucket.get(f"router.{router_id}"), 40)


async def last_profile(bus: NatsBus) -> str | None:
    async for received in bus.read(DESIRED, last_per_subject=True, follow=False):
        if received is not None and isinstance(received.message, DesiredAccount) and received.message.generation == 3:
            return received.message.profile
    return None


@pytest.mark.mission("F")
async def test_second_start_finds_everything_as_it_was(database_url: str, nats_url: str) -> None:
    keys = SecretStr(generate_key())
    settings = ApiSettings(database_url=SecretStr(database_url), nats_url=nats_url, seal_keys=keys)
    async with assemble(settings) as first:
        parts = first.parts
        await create_owner(login="owner", store=parts.store, hasher=parts.hasher, clock=parts.clock)
    async with assemble(settings) as second, second.parts.store.unit() as unit:
        assert [person.login for person in await unit.people.all()] == ["owner"]
