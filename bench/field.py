"""Ten thousands of hosts on loopback, the real poller that watches them, and a look at their packets from outside."""

from __future__ import annotations

import asyncio
import ctypes
import os
import re
import shutil
import socket
import struct
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from deploy.local.nats_server import NatsServer
from deploy.local.stack import ROOT
from services.poller.core.schedule import offset
from shared.bus.nats import NatsBus
from shared.contracts.ids import HostId, SiteId
from shared.contracts.inventory import PROBE_POLICIES, Host, ProbePolicy, Site
from shared.contracts.streams import INVENTORY_BUCKET
from shared.errors import DeadlineExceeded, Misconfigured
from shared.security.sealing import generate_key

SITES = 200
FPING = "fping"
POLICY = "bench"
ONE_IN = 16  # hosts whose packets are looked at
_AT_ONCE = 256
_READY_S = 120.0


def address(number: int) -> str:
    """Of the host with this number (from 0): all in 127.1.0.0 and above."""
    return f"127.{1 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"


def host_id(number: int) -> HostId:
    """Of the host with this number."""
    return HostId(f"bench{number:06d}")


def hosts(count: int, policy: str) -> Iterator[Host]:
    """Hosts of many sites."""
    for number in range(count):
        yield Host(
            id=host_id(number),
            site_id=SiteId(f"site{number % SITES}"),
            name=f"host {number}",
            address=address(number),
            policy=policy,
        )


def policy(interval_s: float) -> ProbePolicy:
    """The policy for infrastructure, at another pace."""
    return PROBE_POLICIES["infra"].model_copy(update={"name": POLICY, "interval_s": interval_s})


def fping() -> str:
    """The program. Raises Misconfigured if it is not installed."""
    found = shutil.which(FPING)
    if found is None:
        raise Misconfigured("this benchmark compares with fping, which is not installed (Debian's package fping)")
    return found


def cpu_s(pid: int) -> float:
    """What a process has used, by the scheduler's own account in nanoseconds: `times` counts in hundredths."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


@dataclass(frozen=True, slots=True)
class Poller:
    """The real poller's process with its own NATS server."""

    process: asyncio.subprocess.Process
    metrics_url: str
    nats_url: str

    async def metric(self, name: str) -> float:
        """A figure that it shows to Prometheus."""
        async with httpx.AsyncClient() as client:
            text = (await client.get(self.metrics_url)).raise_for_status().text
        found = re.search(rf"^(?:ronda_)?{name} (\S+)$", text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    def memory_mb(self) -> float:
        """Its resident memory."""
        return float(psutil.Process(self.process.pid).memory_info().rss) / 1e6


@asynccontextmanager
async def poller(count: int, interval_s: float, others: Sequence[Host] = ()) -> AsyncIterator[Poller]:
    """The poller watching so many hosts and `others`, each asked at least once. Raises DeadlineExceeded."""
    with tempfile.TemporaryDirectory() as directory, NatsServer(Path(directory)) as server:
        await _fill(server.url(), interval_s, [*hosts(count, POLICY), *others])
        port = _free_port()
        command = (sys.executable, "-m", "services.poller")
        log = Path(directory) / "poller.log"
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *command, env=_environment(server.url("poller"), port), cwd=ROOT, stdout=output, stderr=output
            )
        try:
            made = Poller(process, f"http://127.0.0.1:{port}/metrics", server.url())
            await _until_watching(made, count + len(others), interval_s, log)
            yield made
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _fill(url: str, interval_s: float, watched: Sequence[Host]) -> None:
    async with NatsBus.connect(url, name="bench", source="bench") as bus:
        inventory = await bus.bucket(INVENTORY_BUCKET)
        entries: list[Site | ProbePolicy | Host] = [policy(interval_s), *watched]
        entries += [Site(id=SiteId(f"site{number}"), name=f"Site {number}") for number in range(SITES)]
        for begin in range(0, len(entries), _AT_ONCE):
            batch = entries[begin : begin + _AT_ONCE]
            await asyncio.gather(*(inventory.put(each.key(), each.model_dump_json().encode()) for each in batch))


async def _until_watching(made: Poller, count: int, interval_s: float, log: Path) -> None:
    deadline = time.monotonic() + _READY_S
    while True:
        if made.process.returncode is not None or time.monotonic() > deadline:
            raise DeadlineExceeded(f"the poller does not watch {count} hosts: {log.read_text()[-500:]}")
        try:
            asked, unknown = [await made.metric(f"poller_{name}") for name in ("probes_sent_total", "hosts_unknown")]
            if asked >= count and not unknown and await made.metric("poller_hosts_watched") == count:
                break
        except httpx.HTTPError:
            pass
        await asyncio.sleep(0.5)
    await asyncio.sleep(max(3.0, interval_s))  # facts are told; twenty answers per host make its timeout


def _environment(nats_url: str, port: int) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RONDA_")}
    mine = {"RONDA_NATS_URL": nats_url, "RONDA_SEAL_KEYS": generate_key(), "RONDA_HEALTH_PORT": str(port)}
    return kept | mine


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as door:
        return int(door.getsockname()[1])


# ── the packets ─────────────────────────────────────────────────────────────────────────────────────────────────────

_ETHERNET, _SO_TIMESTAMPNS, _SO_ATTACH_FILTER = 14, 35, 26
_OUTGOING = 4  # PACKET_OUTGOING
_ECHO_REQUEST, _ECHO_REPLY = 8, 0


@dataclass
class Tap:
    """Requests to and answers from one host in `ONE_IN`, with the kernel's times (seconds since 1970)."""

    requests: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    replies: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    lost: int = 0  # packets that this tap itself had no room for

    def read(self, sock: socket.socket) -> None:
        """Take what waits."""
        while True:
            try:
                packet, ancillary, _flags, link = sock.recvmsg(256, 64)
            except BlockingIOError:
                return
            seconds, nanoseconds = struct.unpack_from("@qq", ancillary[0][2])
            at = seconds + nanoseconds / 1e9
            kind, outgoing = packet[_ETHERNET + 20], link[2] == _OUTGOING
            if kind == _ECHO_REQUEST and outgoing:
                self.requests[socket.inet_ntoa(packet[_ETHERNET + 16 : _ETHERNET + 20])].append(at)
            elif kind == _ECHO_REPLY and not outgoing:
                self.replies[socket.inet_ntoa(packet[_ETHERNET + 12 : _ETHERNET + 16])].append(at)

    def lateness_ms(self, count: int, interval_s: float) -> list[float]:
        """Of each request: how far from its host's regular moment it left."""
        ahead = time.time() - time.monotonic()
        late = []
        for number in range(0, count, ONE_IN):
            begin = offset(host_id(number), interval_s) + ahead
            late += [(at - begin) % interval_s * 1000 for at in self.requests[address(number)]]
        return late


@asynccontextmanager
async def tap() -> AsyncIterator[Tap]:
    """Look at the loopback device while this lasts. Needs root. Raises Misconfigured."""
    try:
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.htons(0x0003))
    except PermissionError:
        raise Misconfigured("to see packets leave takes CAP_NET_RAW") from None
    with sock:
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        sock.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)
        _only_sampled(sock)
        sock.bind(("lo", 0x0003))
        seen = Tap()
        asyncio.get_running_loop().add_reader(sock.fileno(), seen.read, sock)
        try:
            yield seen
        finally:
            asyncio.get_running_loop().remove_reader(sock.fileno())
            seen.read(sock)
            seen.lost = struct.unpack("=II", sock.getsockopt(263, 6, 8))[1]  # PACKET_STATISTICS


def _only_sampled(sock: socket.socket) -> None:
    """IPv4 ICMP whose source's or destination's last byte is a multiple of `ONE_IN`; ICMP errors do not occur here."""
    request, reply = (0x30, 0, 0, _ETHERNET + 19), (0x30, 0, 0, _ETHERNET + 15)
    program = [
        (0x28, 0, 0, 12),
        (0x15, 0, 9, 0x0800),
        (0x30, 0, 0, _ETHERNET + 9),
        (0x15, 0, 7, 1),
        (0x30, 0, 0, _ETHERNET + 20),
        (0x15, 0, 2, _ECHO_REQUEST),
        request,
        (0x05, 0, 0, 1),
        reply,
        (0x45, 1, 0, ONE_IN - 1),
        (0x06, 0, 0, 256),
        (0x06, 0, 0, 0),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in program))
    sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("@HP", len(program), ctypes.addressof(code)))
