"""The same host cut, seen by Ronda and by Prometheus with its blackbox exporter and Alertmanager, in one run.

Both watch the same hosts of the lab at the same time. Theirs is set to its fastest: one ICMP probe and one evaluation a
second, `for: 2s`, no wait for grouping, a webhook as the message. Ours is the demo as it is, with a Telegram server as
the receiver. The clock is the machine's and starts before the lab is asked to cut the host. Each cut gives one pair;
the figure is the worse one of two ratios, that of the medians and that of the 95th percentiles. Needs Debian's packages
prometheus, prometheus-blackbox-exporter and prometheus-alertmanager, and the right to ping.
"""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import socket
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx

from bench.figures import Figure, amount, percentile, this_machine
from bench.stage import Stage, until
from deploy.local.rehearsal import Rehearsal
from shared.errors import Misconfigured

CUTS = 30
HOSTS = 60
BAR = 0.6
PROGRAMS = ("prometheus", "prometheus-blackbox-exporter", "prometheus-alertmanager")
_PAUSES_S = (2.5, 4.5)
_LONGEST_S = 30.0

_BLACKBOX = """\
modules:
  icmp:
    prober: icmp
    timeout: 900ms
    icmp: {preferred_ip_protocol: ip4}
"""
_PROMETHEUS = """\
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: [rules.yml]
alerting:
  alertmanagers:
    - static_configs: [{{targets: ["127.0.0.1:{alertmanager}"]}}]
scrape_configs:
  - job_name: icmp
    metrics_path: /probe
    params: {{module: [icmp]}}
    static_configs: [{{targets: {targets}}}]
    relabel_configs:
      - {{source_labels: [__address__], target_label: __param_target}}
      - {{source_labels: [__param_target], target_label: instance}}
      - {{target_label: __address__, replacement: "127.0.0.1:{blackbox}"}}
"""
_RULES = """\
groups:
  - name: hosts
    interval: 1s
    rules: [{alert: HostDown, expr: "probe_success == 0", for: 2s}]
"""
_ALERTMANAGER = """\
route: {{receiver: bench, group_by: [instance], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers:
  - name: bench
    webhook_configs: [{{url: "http://127.0.0.1:{receiver}/", send_resolved: true}}]
"""


class Receiver:
    """Where Alertmanager's webhook ends: when each host was first said to be down."""

    def __init__(self) -> None:
        self.arrived: dict[str, float] = {}
        self._more = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request after the other on a connection."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                at = time.time()
                body = await reader.readexactly(_length(head))
                for alert in json.loads(body)["alerts"]:
                    if alert["status"] == "firing":
                        self.arrived.setdefault(alert["labels"]["instance"], at)
                self._more.set()
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def when(self, instance: str) -> float:
        """The moment at which this host was said to be down."""
        while instance not in self.arrived:
            self._more.clear()
            await self._more.wait()
        return self.arrived[instance]


async def measure(stage: Stage) -> list[Figure]:
    """Cut hosts that nothing hangs on, each once, under both watches."""
    for program in PROGRAMS:
        if shutil.which(program) is None:
            raise Misconfigured(f"{program} is not installed; the Debian package of that name has it")
    product = await stage.product("--hosts", str(HOSTS))
    inventory = (await product.lab.get("/lab/api/inventory")).raise_for_status().json()
    chat = next(f"tg:{c['id']}" for c in inventory["chats"] if c["channel"] == "telegram" and c["role"] == "owner")
    parents = {parent for host in inventory["hosts"] for parent in host["parents"]}
    leaves = {host["name"]: host["address"] for host in inventory["hosts"] if host["name"] not in parents}
    dice = random.Random(2)  # noqa: S311 - moments, repeatable
    pairs = []
    async with _prometheus(list(leaves.values())) as receiver:
        for name, address in list(leaves.items())[:CUTS]:
            await asyncio.sleep(dice.uniform(*_PAUSES_S))
            pairs.append(await _cut(product, receiver, chat, name, address))
    return [_figure(pairs)]


async def _cut(product: Rehearsal, receiver: Receiver, chat: str, name: str, address: str) -> tuple[float, float]:
    """Seconds until our message, and until theirs."""
    after = await product.chat_number()
    receiver.arrived.pop(address, None)
    cut_at = time.time()
    await product.lab_do("hosts", name, "cut")
    async with asyncio.timeout(_LONGEST_S):
        ours, theirs = await asyncio.gather(product.message(chat, after=after, contains=name), receiver.when(address))
    await product.lab_do("hosts", name, "restore")
    return float(ours["at"]) - cut_at, theirs - cut_at


def _figure(pairs: list[tuple[float, float]]) -> Figure:
    ours, theirs = zip(*pairs, strict=True)
    shares = {share: (percentile(ours, share), percentile(theirs, share)) for share in (0.5, 0.95)}
    besides = "; ".join(
        f"p{100 * share:.0f} {amount(mine, 's')} against {amount(other, 's')}"
        for share, (mine, other) in shares.items()
    )
    return Figure(
        "host_cut_beside_prometheus",
        "host cut → message, as a share of what Prometheus + blackbox_exporter + Alertmanager need at their fastest",
        BAR,
        max(mine / other for mine, other in shares.values()),
        "×",
        len(pairs),
        this_machine(),
        besides=besides,
    )


@asynccontextmanager
async def _prometheus(targets: list[str]) -> AsyncIterator[Receiver]:
    """The three programs with a receiver, watching these addresses, all of them seen alive once."""
    receiver = Receiver()
    async with AsyncExitStack() as stack:
        server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
        stack.callback(server.close)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ronda-prometheus-")))
        ports = {"receiver": server.sockets[0].getsockname()[1]}
        ports |= {name: _free_port() for name in ("prometheus", "blackbox", "alertmanager")}
        (folder / "blackbox.yml").write_text(_BLACKBOX)
        (folder / "rules.yml").write_text(_RULES)
        (folder / "alertmanager.yml").write_text(_ALERTMANAGER.format(**ports))
        (folder / "prometheus.yml").write_text(_PROMETHEUS.format(targets=json.dumps(targets), **ports))
        for program, arguments in zip(PROGRAMS, _arguments(folder, ports), strict=True):
            await stack.enter_async_context(_running(program, arguments, folder))
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{ports['prometheus']}") as client:
            await until(lambda: _sees_all(client, len(targets)), "Prometheus sees every host alive")
        yield receiver


def _arguments(folder: Path, ports: dict[str, int]) -> list[list[str]]:
    def listen(name: str) -> str:
        return f"--web.listen-address=127.0.0.1:{ports[name]}"

    return [
        [f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb", listen("prometheus")],
        [f"--config.file={folder}/blackbox.yml", listen("blackbox")],
        [
            f"--config.file={folder}/alertmanager.yml",
            f"--storage.path={folder}/alerts",
            "--cluster.listen-address=",
            listen("alertmanager"),
        ],
    ]


@asynccontextmanager
async def _running(program: str, arguments: list[str], folder: Path) -> AsyncIterator[None]:
    with (folder / f"{program}.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(program, *arguments, stdout=log, stderr=log)
    try:
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _sees_all(client: httpx.AsyncClient, count: int) -> bool:
    try:
        answer = await client.get("/api/v1/query", params={"query": "count(probe_success == 1)"})
    except httpx.TransportError:
        return False
    found = answer.json()["data"]["result"] if answer.is_success else []
    return bool(found) and int(found[0]["value"][1]) == count


def _length(head: bytes) -> int:
    found = (line.partition(b":") for line in head.split(b"\r\n"))
    return next(int(value) for name, _, value in found if name.lower() == b"content-length")


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
