"""The NATS server of a far site: a child process that leads to a hub."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.local.nats_config import LeafPlace, render_leaf
from deploy.local.nats_server import binary
from tests.support.waiting import until


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def write_config(directory: Path, place: LeafPlace, password: str) -> Path:
    directory.mkdir()
    config = directory / "nats-leaf.conf"
    config.write_text(render_leaf(place, password))
    return config


@asynccontextmanager
async def leaf_server(directory: Path, hub: str) -> AsyncIterator[str]:
    """Where the far site's poller connects. `hub`: where and as whom the leaf connects."""
    port, password = free_port(), "of-the-far-site"
    config = write_config(directory, LeafPlace("far-site", "127.0.0.1", port, hub), password)
    process = await asyncio.create_subprocess_exec(
        str(binary()), "--config", str(config), "--log", str(directory / "nats-leaf.log")
    )

    def answers() -> bool:
        with socket.socket() as attempt:
            return attempt.connect_ex(("127.0.0.1", port)) == 0

    try:
        await until(answers)
        yield f"nats://poller:{password}@127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()
