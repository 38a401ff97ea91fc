"""Routers of a small provider, listening on real sockets."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from lab.routers import Clock, Personality, VirtualRouter, wire
from lab.routers.behaviour.interfaces import add_ethernet

PASSWORD = "rahasia"


def furnish(router: VirtualRouter) -> None:
    """A port, a pool, a PPPoE server with two subscribers, a hotspot with one voucher."""
    add_ethernet(router, "ether1", "48:8F:5A:00:00:01")
    add_ethernet(router, "ether2", "48:8F:5A:00:00:02")
    router.menu("/ip/address").add(address="192.168.88.1/24", interface="ether1")
    router.menu("/ip/pool").add(name="pppoe", ranges="10.20.0.10-10.20.0.250")
    router.menu("/ppp/profile").add(name="10M", local_address="10.20.0.1", remote_address="pppoe", rate_limit="5M/10M")
    router.menu("/interface/pppoe-server/server").add(service_name="isp", interface="ether2", disabled="no")
    for name in ("budi", "sari"):
        router.menu("/ppp/secret").add(name=name, password=f"{name}-pw", profile="10M", service="pppoe")
    router.menu("/ip/hotspot").add(name="hs1", interface="ether1", disabled="no")
    router.menu("/ip/hotspot/user/profile").add(name="1jam", rate_limit="1M/2M", shared_users="1")
    router.menu("/ip/hotspot/user").add(name="vc1", password="vc1", profile="1jam", limit_uptime="1h")


class Talk:
    """A client that says and hears plain sentences."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def say(self, *words: str) -> None:
        self.writer.write(wire.encode_sentence(list(words)))

    async def hear(self) -> list[str]:
        """The next sentence of the router; fails after some seconds."""
        return await asyncio.wait_for(wire.read_sentence(self.reader), 10)

    async def ask(self, *words: str) -> list[list[str]]:
        """Say something and hear all of the answer, up to `!done` or `!fatal`."""
        self.say(*words)
        heard = [await self.hear()]
        while heard[-1][0] not in {"!done", "!fatal"}:
            heard.append(await self.hear())
        return heard

    async def login(self, user: str = "admin", password: str = PASSWORD) -> None:
        assert await self.ask("/login", f"=name={user}", f"=password={password}") == [["!done"]]

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


Start = Callable[..., Awaitable[VirtualRouter]]


@pytest.fixture
async def start_router() -> AsyncIterator[Start]:
    """Starts furnished routers by version; all stop at the end of the test."""
    routers: list[VirtualRouter] = []

    async def start(
        version: str = "7.16.2", *, clock: Clock | None = None, tls: bool = False, **more: object
    ) -> VirtualRouter:
        chosen = Personality(version, **{k: more.pop(k) for k in ("board", "packages") if k in more})
        router = VirtualRouter(chosen, f"gw-{len(routers)}", clock=clock, password=PASSWORD, **more)
        routers.append(router)
        furnish(router)
        await router.start(tls_port=0 if tls else None)
        return router

    yield start
    for router in routers:
        await router.stop()


Dial = Callable[..., Awaitable[Talk]]


@pytest.fixture
async def talk_to() -> AsyncIterator[Dial]:
    """Opens plain connections to routers, logged in unless told otherwise."""
    talks: list[Talk] = []

    async def dial(router: VirtualRouter, *, login: bool = True, user: str = "admin", password: str = PASSWORD) -> Talk:
        reader, writer = await asyncio.open_connection("127.0.0.1", router.port)
        talk = Talk(reader, writer)
        talks.append(talk)
        if login:
            await talk.login(user, password)
        return talk

    yield dial
    for talk in talks:
        await talk.close()
