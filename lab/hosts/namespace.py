"""Hosts as addresses of one network namespace: the kernel answers for them, cutting one is removing its address.

Everything carries the process id in its name, so that labs live side by side and the rest of a dead one is found.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
from pathlib import Path

from lab.hosts.host import Host, HostError
from lab.hosts.iproute import available, ip
from lab.hosts.slow_lane import TUN, SlowLane

PREFIX = "ronda-lab-"
BLOCKS = list(ipaddress.IPv4Network("10.240.0.0/12").subnets(new_prefix=20))
"""Where blocks of 4096 addresses are taken from, the first free one for each lab."""


def possible() -> bool:
    """Whether this process may try: root and iproute2."""
    return os.geteuid() == 0 and available()


class NamespaceGround:
    """One namespace with a block of addresses, joined to the machine by one pair of virtual links."""

    def __init__(self) -> None:
        pid = os.getpid()
        serial = NamespaceGround._made
        NamespaceGround._made += 1
        self.name = f"{PREFIX}{pid}-{serial}"
        self._outside = f"rl{pid}.{serial}a"
        self._inside = f"rl{pid}.{serial}b"
        self._lane = SlowLane(f"rl{pid}.{serial}t")
        self.block = ipaddress.IPv4Network("10.240.0.0/20")

    _made = 0

    @property
    def gateway(self) -> str:
        """The inner end of the link."""
        return str(self.block[-2])

    async def start(self) -> None:
        """Make it, after removing what dead labs left; raises HostError."""
        await remove_stale()
        await ip("netns", "add", self.name)
        try:
            await ip("link", "add", self._outside, "type", "veth", "peer", "name", self._inside)
            await ip("link", "set", self._inside, "netns", self.name)
            await self._take_block()
            await ip("netns", "exec", self.name, "sh", "-c", "echo 0 > /proc/sys/net/ipv4/ip_forward")
        except BaseException:
            await self.stop()
            raise

    async def _take_block(self) -> None:
        used = await _used_networks()
        await ip("link", "set", self._outside, "up")
        await ip("-n", self.name, "link", "set", "lo", "up")
        await ip("-n", self.name, "link", "set", self._inside, "up")
        for block in BLOCKS:
            if any(block.overlaps(other) for other in used):
                continue
            self.block = block
            with contextlib.suppress(HostError):
                await ip("addr", "add", f"{block[-3]}/30", "dev", self._outside)
                await ip("-n", self.name, "addr", "add", f"{block[-2]}/30", "dev", self._inside)
                # Two labs that start together may choose the same block: the second's route is refused.
                await ip("route", "add", str(block), "via", str(block[-2]))
                await ip("-n", self.name, "route", "add", "blackhole", str(block))
                return
            await ip("addr", "flush", "dev", self._outside)
            await ip("-n", self.name, "addr", "flush", "dev", self._inside)
        raise HostError("no free block of addresses in 10.240.0.0/12")

    def address(self, number: int) -> str:
        """The address of the host with this number (from 0)."""
        return str(self.block[number + 257])

    async def open_many(self, hosts: list[Host]) -> None:
        """Make many hosts answer at once."""
        lines = "".join(f"addr add {host.address}/32 dev lo\n" for host in hosts)
        await ip("-n", self.name, "-batch", "-", lines=lines)
        for host in hosts:
            host.state = "up"

    async def open(self, host: Host) -> None:
        """Make one host answer."""
        await ip("-n", self.name, "addr", "add", f"{host.address}/32", "dev", "lo")

    async def shut(self, host: Host) -> None:
        """Make one host silent: what comes for it is dropped."""
        if self._lane.lanes.pop(host.address, None) is not None:
            await ip("route", "del", f"{host.address}/32", "dev", self._lane.device)
        await ip("-n", self.name, "addr", "del", f"{host.address}/32", "dev", "lo")

    async def degrade(self, host: Host, loss: float, delay_ms: float) -> bool:
        """Lead the host's packets through the slow lane; False without a TUN device."""
        if not self._lane.is_open:
            if not TUN.exists():
                return False
            self._lane.open()
            await ip("link", "set", self._lane.device, "up")
        self._lane.lanes[host.address] = (loss, delay_ms)
        # The kernel would choose no source on a link without an address.
        await ip("route", "add", f"{host.address}/32", "dev", self._lane.device, "src", str(self.block[-3]))
        return True

    async def stop(self) -> None:
        """Remove everything."""
        self._lane.close()
        for words in (("link", "del", self._outside), ("netns", "del", self.name)):
            with contextlib.suppress(HostError):
                await ip(*words)


async def _used_networks() -> list[ipaddress.IPv4Network]:
    found: list[ipaddress.IPv4Network] = []
    for row in json.loads(await ip("-j", "-4", "route", "show", "table", "all") or "[]"):
        with contextlib.suppress(ValueError):
            network = ipaddress.IPv4Network(str(row.get("dst", "")))
            if network.prefixlen:
                found.append(network)
    return found


def _runs(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


async def remove_stale() -> list[str]:
    """Remove the namespaces of labs whose process is gone; their names."""
    removed: list[str] = []
    for line in (await ip("netns", "list")).splitlines():
        name = line.split()[0] if line.strip() else ""
        pid = name.removeprefix(PREFIX).partition("-")[0]
        if name.startswith(PREFIX) and pid.isdigit() and not _runs(int(pid)):
            with contextlib.suppress(HostError):
                await ip("netns", "del", name)
                removed.append(name)
    return removed
