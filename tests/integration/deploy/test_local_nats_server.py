"""The embedded NATS server starts, keeps its place and its streams, and says why when it cannot."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from deploy.local.nats_config import container_config
from deploy.local.nats_rights import USERS
from deploy.local.nats_server import NatsServer
from shared.bus.nats import NatsBus
from shared.contracts.streams import EVENTS
from shared.errors import Misconfigured
from tests.cases.bus import down

CONTAINER_CONFIG = Path(__file__).parents[3] / "deploy" / "nats.conf"


@pytest.mark.parametrize("ending", ["stop", "kill"])
async def test_keeps_port_and_streams_over_a_restart(nats_server, ending):
    async with NatsBus.connect(nats_server.url(), name="one", source="x") as bus:
        await bus.publish(down())
    port = nats_server.port
    getattr(nats_server, ending)()
    assert not nats_server.running
    nats_server.start()
    assert nats_server.port == port
    async with NatsBus.connect(nats_server.url(), name="one", source="x") as bus:
        assert [one and one.message async for one in bus.read(EVENTS, after_sequence=0, follow=False)] == [down(), None]


def test_taken_port_is_said(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(Misconfigured, match=str(port)):
            NatsServer(tmp_path, port=port).start()


def test_port_of_another_nats_server_is_taken_too(nats_server, tmp_path):
    with pytest.raises(Misconfigured, match=str(nats_server.port)):
        NatsServer(tmp_path / "second", port=nats_server.port).start()


def test_passwords_are_for_nobody_else_to_read(nats_server, tmp_path):
    config = tmp_path / "nats" / "nats.conf"
    assert config.stat().st_mode & 0o077 == 0
    assert len({nats_server.url(user) for user in USERS}) == len(USERS)


def test_stopped_twice_and_never_started_is_harmless(tmp_path):
    server = NatsServer(tmp_path)
    server.stop()
    server.start()
    pid = server.pid
    server.stop()
    server.stop()
    assert pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_configuration_for_containers_is_the_one_of_the_table():
    assert CONTAINER_CONFIG.read_text() == container_config(), (
        "run: python -m deploy.local.nats_config > deploy/nats.conf"
    )
