"""node-routeros, written for Node and older than `!empty`, against the lab's routers: both logins, listen, cancel."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.needs_node


class Client:
    """The story running in Node; `until` waits for a word it says."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said: list[tuple[str, object]] = []

    async def until(self, word: str) -> object:
        while True:
            line = await asyncio.wait_for(self.process.stdout.readline(), 20)
            assert line, f"the client ended before it said {word}: {self.said}"
            what, value = json.loads(line)
            self.said.append((what, value))
            if what == word:
                return value

    async def end(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.process.communicate()


async def run(folder: Path, port: int, password: str) -> Client:
    command = ["node", "routeros-story.js", str(port), password]
    process = await asyncio.create_subprocess_exec(*command, cwd=folder, stdout=asyncio.subprocess.PIPE)
    return Client(process)


@pytest.mark.parametrize("version", ["6.42.12", "6.49.18", "7.16.2"])
async def test_client_edits_listens_and_cancels(start_router, node_clients, version):
    router = await start_router(version)
    client = await run(node_clients, router.port, "rahasia")
    try:
        assert await client.until("identity") == [{"name": "gw-0"}]
        assert "no such command" in await client.until("trap")
        await client.until("added")
        assert await client.until("found") == [{"name": "node", "profile": "10M"}]
        await client.until("listening")
        session = await router.pppoe_dial(user="node", password="x", mac="AA:BB:CC:00:00:07")
        first = await client.until("event")
        second = await client.until("event")
        assert (first["name"], second["address"]) == ("node", session.address)
        router.menu("/ppp/active").remove(session.active.id)
        dead = await client.until("event")
        assert dead[".dead"] == ("true" if version.startswith("7") else "yes")
        assert await client.until("stopped") is True
    finally:
        await client.end()


async def test_client_understands_the_refusal_of_a_login(start_router, node_clients):
    router = await start_router("7.16.2")
    client = await run(node_clients, router.port, "salah")
    try:
        assert await client.until("refused") == "Username or password is invalid"
    finally:
        await client.end()
