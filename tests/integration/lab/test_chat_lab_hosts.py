"""Hosts that answer, fall silent and come back: loopback services everywhere, namespaces where root allows."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator

import pytest
from icmplib import async_ping

from lab.hosts import HostError, HostFarm
from lab.hosts import namespace as namespaces


async def connects(address: str, port: int) -> bool:
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection(address, port), 2)
    except OSError:
        return False
    await reader.readline()
    writer.close()
    await writer.wait_closed()
    return True


@pytest.fixture
async def loopback() -> AsyncIterator[HostFarm]:
    farm = HostFarm(["core-1", "ap-1"], "tcp")
    await farm.start()
    yield farm
    await farm.stop()


async def test_a_tcp_host_refuses_while_cut_and_keeps_its_port(loopback: HostFarm):
    host, other = loopback.host("core-1"), loopback.host("ap-1")
    port = host.port
    assert await connects(host.address, port)
    await host.cut()
    await host.cut()
    assert not await connects(host.address, port)
    assert await connects(other.address, other.port)
    await host.restore()
    assert host.port == port
    assert await connects(host.address, port)


async def test_cutting_ends_open_connections(loopback: HostFarm):
    host = loopback.host("core-1")
    reader, writer = await asyncio.open_connection(host.address, host.port)
    assert await reader.readline() == b"core-1\r\n"
    await host.cut()
    assert await asyncio.wait_for(reader.read(), 2) == b""
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


async def test_flapping_ends_answering(loopback: HostFarm):
    host = loopback.host("core-1")
    await host.flap(times=2, seconds=0.01)
    task = host._flapping
    await asyncio.wait_for(task, 5)
    assert host.state == "up"
    assert await connects(host.address, host.port)


async def test_an_unknown_host_is_said(loopback: HostFarm):
    with pytest.raises(HostError, match="there is no host core-9"):
        loopback.host("core-9")


def ip_netns(*words: str) -> str:
    return subprocess.run(["ip", "netns", *words], capture_output=True, text=True, check=True).stdout


def pid_of_the_dead() -> int:
    gone = subprocess.Popen(["true"])
    gone.wait()
    return gone.pid


async def test_without_the_right_to_a_namespace_hosts_are_services_and_say_why(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(namespaces, "possible", lambda: False)
    farm = HostFarm(["core-1"])
    await farm.start()
    assert (farm.kind, farm.host("core-1").kind) == ("tcp", "tcp")
    assert "root" in farm.why
    await farm.stop()
    with pytest.raises(HostError, match="need root"):
        await HostFarm(["core-1"], "icmp").start()


@pytest.mark.needs_root
class TestNamespace:
    @pytest.fixture
    async def farm(self) -> AsyncIterator[HostFarm]:
        made = HostFarm([f"host-{n}" for n in range(1000)], "icmp")
        await made.start()
        yield made
        await made.stop()

    async def test_a_thousand_hosts_of_which_one_can_be_cut(self, farm: HostFarm):
        last, neighbour = farm.host("host-999"), farm.host("host-998")
        assert (await async_ping(last.address, count=1, timeout=1)).is_alive
        await last.cut()
        assert not (await async_ping(last.address, count=1, timeout=0.3)).is_alive
        assert (await async_ping(neighbour.address, count=1, timeout=1)).is_alive
        await last.restore()
        assert (await async_ping(last.address, count=1, timeout=1)).is_alive

    async def test_a_degraded_host_loses_and_delays(self, farm: HostFarm):
        host = farm.host("host-5")
        assert await host.degrade(loss=0.5, delay_ms=60)
        answer = await async_ping(host.address, count=30, interval=0.01, timeout=0.25)
        assert 0.1 < answer.packet_loss < 0.9
        assert answer.min_rtt > 35
        await host.restore()
        assert (await async_ping(host.address, count=5, interval=0.01, timeout=1)).max_rtt < 35
        await host.degrade(loss=0.5, delay_ms=60)
        await host.cut()
        assert not (await async_ping(host.address, count=3, interval=0.01, timeout=0.3)).is_alive

    async def test_two_labs_do_not_meet_and_leave_nothing(self, farm: HostFarm):
        second = HostFarm(["host-0"], "icmp")
        await second.start()
        assert second.host("host-0").address != farm.host("host-0").address
        assert (await async_ping(second.host("host-0").address, count=1, timeout=1)).is_alive
        name = second._namespace.name
        await second.stop()
        assert name not in ip_netns("list")
        assert (await async_ping(farm.host("host-0").address, count=1, timeout=1)).is_alive

    async def test_the_namespace_of_a_dead_lab_is_removed(self):
        name = f"{namespaces.PREFIX}{pid_of_the_dead()}-0"
        ip_netns("add", name)
        assert name in await namespaces.remove_stale()
