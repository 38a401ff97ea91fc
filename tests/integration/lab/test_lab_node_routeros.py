"""node-routeros, written for Node and older than `!empty`, against the lab's routers: both logins, listen, cancel."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import pytest

pytestmark = pytest.mark.needs_node

STORY = """
const { RouterOSAPI } = require('node-routeros');
const say = (what, value) => console.log(JSON.stringify([what, value]));
const api = new RouterOSAPI({
  host: '127.0.0.1', port: Number(process.argv[2]), user: 'admin', password: process.argv[3], timeout: 5,
});
(async () => {
  try { await api.connect(); } catch (error) { say('refused', error.message); process.exit(0); }
  say('identity', await api.write('/system/identity/print'));
  try { await api.write('/wifi/print'); } catch (error) { say('trap', error.message); }
  const added = await api.write('/ppp/secret/add', ['=name=node', '=password=x', '=profile=10M']);
  say('added', added);
  say('found', await api.write('/ppp/secret/print', ['?name=node', '=.proplist=name,profile']));
  const stream = api.stream(['/ppp/active/listen'], (error, row) => {
    if (error) { say('stream-error', error.message); return; }
    say('event', row);
    if (row['.dead']) {
      stream.stop().then(() => { say('stopped', true); return api.close(); }).then(() => process.exit(0));
    }
  });
  setTimeout(() => say('listening', true), 50);
})().catch((error) => { say('failed', String(error)); process.exit(1); });
"""


@pytest.fixture(scope="session")
def node_folder(tmp_path_factory) -> Path:
    """A temporary folder with the client installed. Only where Node is."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("needs Node")
    return tmp_path_factory.mktemp("node")


async def install(folder: Path) -> None:
    """Put the client into the folder, once."""
    if (folder / "node_modules").exists():
        return
    npm = shutil.which("npm") or "npm"
    arguments = ["install", "--no-save", "--no-audit", "--no-fund", "node-routeros@1.6.9"]
    process = await asyncio.create_subprocess_exec(
        npm, *arguments, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await asyncio.wait_for(process.communicate(), 90)
    assert process.returncode == 0, output.decode()
    (folder / "story.js").write_text(STORY)


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
    await install(folder)
    node = shutil.which("node") or "node"
    process = await asyncio.create_subprocess_exec(
        node, "story.js", str(port), password, cwd=folder, stdout=asyncio.subprocess.PIPE
    )
    return Client(process)


@pytest.mark.parametrize("version", ["6.42.12", "6.49.18", "7.16.2"])
async def test_client_edits_listens_and_cancels(start_router, node_folder, version):
    router = await start_router(version)
    client = await run(node_folder, router.port, "rahasia")
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


async def test_client_understands_the_refusal_of_a_login(start_router, node_folder):
    router = await start_router("7.16.2")
    client = await run(node_folder, router.port, "salah")
    try:
        assert await client.until("refused") == "Username or password is invalid"
    finally:
        await client.end()
