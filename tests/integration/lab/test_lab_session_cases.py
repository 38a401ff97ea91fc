"""The product's own session does everything it promises on the lab's routers of both lines."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from lab.routers import Personality, VirtualRouter
from shared.routeros import RouterSession, Session
from shared.routeros.address import RouterAddress, Tls, TlsMode
from tests.cases.router_session import SessionCases


@pytest.fixture(params=["6.45.9", "6.49.18", "7.9.2", "7.16.2", "7.20.7"])
async def router(request) -> AsyncIterator[VirtualRouter]:
    async with VirtualRouter(Personality(request.param), "Menara-1", password="rahasia") as running:
        yield running


class TestSessionOnTheLab(SessionCases):
    @pytest.fixture
    async def session(self, router) -> AsyncIterator[Session]:
        address = RouterAddress("127.0.0.1", "admin", SecretStr("rahasia"), router.port)
        async with await RouterSession.connect(address) as session:
            yield session


async def test_anonymous_tls_of_the_product_reaches_a_router_without_certificate():
    router = VirtualRouter(Personality("7.16.2"), "Menara-1", password="rahasia")
    await router.start(tls_port=0)
    try:
        tls = Tls(TlsMode.ANONYMOUS)
        address = RouterAddress("127.0.0.1", "admin", SecretStr("rahasia"), router.tls_port, tls)
        async with await RouterSession.connect(address) as session:
            assert session.facts.identity == "Menara-1"
    finally:
        await router.stop()


async def test_old_challenge_of_the_product_opens_an_old_router():
    async with VirtualRouter(Personality("6.42.12"), "Menara-1", password="rahasia") as router:
        address = RouterAddress("127.0.0.1", "admin", SecretStr("rahasia"), router.port)
        async with await RouterSession.connect(address) as session:
            assert session.facts.identity == "Menara-1"
