"""A real NATS server for tests.

`nats_url`: one server per test run (and worker), emptied before each test; connects as the operator, who may all.
`nats_server`: a server of the test's own, to stop and kill (`.kill()`, `.start()`, `.url("poller")`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import nats
import pytest

from deploy.local.nats_server import NatsServer


@pytest.fixture(scope="session")
def shared_nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """The server behind `nats_url`; use it for `.url(user)`, never to kill it."""
    with NatsServer(tmp_path_factory.mktemp("nats")) as server:
        yield server


@pytest.fixture
async def nats_url(shared_nats_server: NatsServer) -> str:
    """A server without streams, as the operator."""
    await _empty(shared_nats_server.url())
    return shared_nats_server.url()


@pytest.fixture
def nats_server(tmp_path: Path) -> Iterator[NatsServer]:
    """A server that the test may end as it likes."""
    with NatsServer(tmp_path / "nats") as server:
        yield server


async def _empty(url: str) -> None:
    client = await nats.connect(url, inbox_prefix="_INBOX.operator")
    try:
        answer = await client.request("$JS.API.STREAM.NAMES", b"", timeout=5)
        for name in json.loads(answer.data).get("streams") or []:
            await client.request(f"$JS.API.STREAM.DELETE.{name}", b"", timeout=5)
    finally:
        await client.close()
