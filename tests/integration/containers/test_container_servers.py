"""The services on NATS and PostgreSQL as `docker-compose.yml` starts them, each with the rights of its own user."""

from contextlib import AsyncExitStack

import httpx
import pytest
from pydantic import SecretStr

from services.api.core.rights import Scope
from services.api.handlers.people import create_owner, make_token_for
from services.api.main import Assembled, assemble
from services.api.settings import ApiSettings
from services.notifier.main import build as build_notifier
from services.notifier.settings import NotifierSettings
from shared.bus.nats import NatsBus
from shared.contracts.streams import INVENTORY_BUCKET
from shared.db import Database
from shared.errors import RondaError
from shared.lifecycle import running
from tests.support.waiting import until

pytestmark = [pytest.mark.needs_docker, pytest.mark.xdist_group("docker")]


async def test_a_site_made_by_rest_reaches_the_poller_and_the_notifier_is_well(container_servers: dict[str, str]):
    api_settings = ApiSettings(
        database_url=SecretStr(container_servers["postgres-api"]),
        nats_url=container_servers["nats-api"],
        seal_keys=SecretStr(container_servers["seal-keys"]),
    )
    notifier_settings = NotifierSettings(
        database_url=SecretStr(container_servers["postgres-notifier"]), nats_url=container_servers["nats-notifier"]
    )
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(assemble(api_settings))
        notifier = await stack.enter_async_context(build_notifier(notifier_settings))
        for service in (api.service, notifier):
            await stack.enter_async_context(running(service))
        client = await stack.enter_async_context(await owners_client(api))
        made = await client.post("/api/v1/sites", json={"name": "Waru"})
        assert made.status_code == httpx.codes.CREATED, made.text

        poller = await stack.enter_async_context(
            NatsBus.connect(container_servers["nats-poller"], name="p", source="p")
        )
        inventory = await poller.bucket(INVENTORY_BUCKET)
        await until(lambda: inventory.get(f"site.{made.json()['id']}"))
        for service in (api.service, notifier):
            for check in service.checks.values():
                await check.probe()


async def test_a_service_cannot_see_the_others_schema(container_servers: dict[str, str]):
    url = SecretStr(container_servers["postgres-notifier"])
    async with Database.connect(url, schema="notifier", source="test") as database, database.transaction() as tx:
        with pytest.raises(RondaError):
            await tx.fetch("select * from api.sites")


async def owners_client(api: Assembled) -> httpx.AsyncClient:
    parts = api.parts
    await create_owner(login="owner", store=parts.store, hasher=parts.hasher, clock=parts.clock)
    token = await make_token_for(
        login="owner", name="tests", scopes=frozenset(Scope), store=parts.store, clock=parts.clock
    )
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(api.app),
        base_url="http://ronda.test",
        headers={"Authorization": f"Bearer {token}"},
    )
