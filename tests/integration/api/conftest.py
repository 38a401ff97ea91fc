"""The api on a real PostgreSQL and a real NATS, reached without a socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx
import pytest
from pydantic import SecretStr

from services.api.core.rights import Scope
from services.api.handlers.people import create_owner, make_token_for
from services.api.main import Assembled, assemble
from services.api.settings import ApiSettings
from shared.bus.nats import NatsBus
from shared.lifecycle import running
from shared.security.sealing import generate_key


@dataclass(frozen=True, slots=True)
class Running:
    """A running api, a client that may do everything, and a bus of somebody else's."""

    api: Assembled
    client: httpx.AsyncClient
    bus: NatsBus
    owner_password: str

    def anonymous(self) -> httpx.AsyncClient:
        """A client that nobody knows."""
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.api.app), base_url="http://ronda.test")


@pytest.fixture
def api_settings(database_url: str, nats_url: str) -> ApiSettings:
    return ApiSettings(
        database_url=SecretStr(database_url),
        nats_url=nats_url,
        seal_keys=SecretStr(generate_key()),
        api_port=0,
        instance="api-test",
    )


@pytest.fixture
async def ronda(api_settings: ApiSettings, nats_url: str) -> AsyncIterator[Running]:
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(assemble(api_settings))
        bus = await stack.enter_async_context(NatsBus.connect(nats_url, name="test", source="test"))
        parts = api.parts
        owner = await create_owner(login="owner", store=parts.store, hasher=parts.hasher, clock=parts.clock)
        token = await make_token_for(
            login="owner", name="tests", scopes=frozenset(Scope), store=parts.store, clock=parts.clock
        )
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(api.app),
            base_url="http://ronda.test",
            headers={"Authorization": f"Bearer {token}"},
        )
        await stack.enter_async_context(client)
        await stack.enter_async_context(running(api.service))
        yield Running(api, client, bus, owner.password)
