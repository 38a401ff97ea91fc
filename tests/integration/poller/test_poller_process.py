"""The poller as a process: killed without warning, stopped politely, started with wrong settings."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from shared.bus.nats import NatsBus
from shared.contracts.events import HostDown, HostTransition, HostUp
from shared.contracts.ids import HostId, SiteId
from shared.contracts.inventory import Host, ProbePolicy, Site
from shared.contracts.streams import EVENTS, INVENTORY_BUCKET
from shared.contracts.vocabulary import ProbeKind
from shared.security.sealing import generate_key
from tests.support.waiting import until

SITE = Site(id=SiteId("waru"), name="Waru")
QUICK = ProbePolicy(
    name="quick", interval_s=0.2, burst_size=3, burst_spacing_s=0.05, recovery_spacing_s=0.05, max_timeout_s=0.3
)


async def start(url: str, **settings: str) -> asyncio.subprocess.Process:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("RONDA_")},
        "RONDA_NATS_URL": url,
        "RONDA_SEAL_KEYS": generate_key(),
        **settings,
    }
    command = (sys.executable, "-m", "services.poller")
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=pipe, stderr=asyncio.subprocess.STDOUT
    )


@asynccontextmanager
async def poller(url: str, **settings: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await start(url, **settings)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@asynccontextmanager
async def following(bus: NatsBus) -> AsyncIterator[list[HostTransition]]:
    events: list[HostTransition] = []

    async def follow() -> None:
        async for received in bus.read(EVENTS, after_sequence=0):
            events.extend([received.message] if received is not None else [])

    task = asyncio.create_task(follow())
    yield events
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def web(port: int) -> Host:
    return Host(
        id=HostId("web-1"),
        site_id=SITE.id,
        name="web-1",
        address="127.0.0.1",
        probe=ProbeKind.TCP,
        port=port,
        policy="quick",
    )


@pytest.mark.mission("C1")
async def test_killed_poller_goes_on_where_it_was(nats_url, shared_nats_server):
    url = shared_nats_server.url("poller")
    door = socket.create_server(("127.0.0.1", 0))
    port = door.getsockname()[1]
    async with NatsBus.connect(nats_url, name="desk", source="desk") as bus, following(bus) as events:
        inventory = await bus.bucket(INVENTORY_BUCKET)
        for entry in (SITE, QUICK, web(port)):
            await inventory.put(entry.key(), entry.model_dump_json().encode())
        async with poller(url) as first:
            await until(lambda: [type(event) for event in events] == [HostUp])
            door.close()
            await until(lambda: len(events) == 2)
            first.send_signal(signal.SIGKILL)  # perhaps before the state was saved
            await first.wait()
        with socket.create_server(("127.0.0.1", port)):
            async with poller(url):
                await until(lambda: len(events) == 3)
    assert [type(event) for event in events] == [HostUp, HostDown, HostUp]
    assert [event.transition - events[0].transition for event in events] == [0, 1, 2]
    assert events[2].down_since == events[1].since


async def test_signal_ends_it_cleanly(nats_url, shared_nats_server):
    async with poller(shared_nats_server.url("poller")) as process:
        async for line in process.stdout:
            if b"started" in line:
                break
        process.terminate()
        output, _ = await process.communicate()
    assert process.returncode == 0, output
    assert b"Traceback" not in output


async def test_wrong_settings_are_said_at_once():
    async with poller("nats://127.0.0.1:1", RONDA_POLLER_SENTINELS="gateway", RONDA_SEAL_KEYS="nonsense") as process:
        output, _ = await process.communicate()
    assert process.returncode == 2
    assert b"RONDA_POLLER_SENTINELS" in output
    assert b"RONDA_SEAL_KEYS" in output
