"""Health over real HTTP: alive, ready by name with grace, metrics."""

from datetime import UTC, datetime

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from shared.config import ServiceSettings
from shared.errors import Misconfigured, Unreachable
from shared.telemetry import Check, HealthServer, Metrics


class SettableClock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def monotonic(self) -> float:
        return self.seconds


class Need:
    def __init__(self) -> None:
        self.error: Exception | None = None

    async def probe(self) -> None:
        if self.error:
            raise self.error


@pytest.fixture
async def client():
    async with httpx.AsyncClient(timeout=5) as opened:
        yield opened


async def test_ready_names_each_check_and_forgives_for_a_while(client):
    clock, bus, database = SettableClock(), Need(), Need()
    checks = {"bus": Check(bus.probe, grace_s=30), "database": Check(database.probe)}
    async with HealthServer(ServiceSettings(), checks, clock=clock).running() as address:
        answer = await client.get(f"{address}/readyz")
        assert (answer.status_code, answer.json()["ready"]) == (200, True)
        bus.error = Unreachable("the bus is away")
        clock.seconds += 30
        answer = await client.get(f"{address}/readyz")
        assert answer.status_code == 200
        assert answer.json()["checks"]["bus"] == {"ready": True, "reason": "the bus is away"}
        clock.seconds += 1
        answer = await client.get(f"{address}/readyz")
        assert answer.status_code == 503
        assert answer.json()["checks"]["database"] == {"ready": True}
        bus.error = None
        assert (await client.get(f"{address}/readyz")).status_code == 200


async def test_what_never_worked_has_no_grace_and_bugs_do_not_leak(client):
    bus = Need()
    bus.error = RuntimeError("rahasia")
    async with HealthServer(ServiceSettings(), {"bus": Check(bus.probe, grace_s=30)}).running() as address:
        answer = await client.get(f"{address}/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["bus"] == {"ready": False, "reason": "RuntimeError"}


async def test_alive_while_every_loop_runs(client):
    loops = {"sweep": True, "relay": True}
    async with HealthServer(ServiceSettings(), loops=lambda: loops).running() as address:
        assert (await client.get(f"{address}/healthz")).status_code == 200
        loops["relay"] = False
        answer = await client.get(f"{address}/healthz")
    assert answer.status_code == 503
    assert answer.json() == {"alive": False, "loops": {"sweep": True, "relay": False}}


async def test_metrics_and_routes_of_the_service(client):
    metrics = Metrics()
    metrics.counter("probes_total", "Probes sent.", ["kind"]).labels("icmp").inc(3)
    metrics.histogram("probe_rtt_seconds", "Round trips.").observe(0.004)
    metrics.watch("outbox_waiting", "Messages that wait.", lambda: 7)

    async def hook(_request):
        return PlainTextResponse("hooked")

    server = HealthServer(ServiceSettings(), metrics=metrics, routes=[Route("/hook", hook, methods=["POST"])])
    async with server.running() as address:
        text = (await client.get(f"{address}/metrics")).text
        assert (await client.post(f"{address}/hook")).text == "hooked"
    assert 'ronda_probes_total{kind="icmp"} 3.0' in text
    assert 'ronda_probe_rtt_seconds_bucket{le="0.005"} 1.0' in text
    assert "ronda_outbox_waiting 7.0" in text
    assert "process_resident_memory_bytes" in text


@pytest.mark.parametrize("make", [lambda m: m.counter("probes", "x"), lambda m: m.histogram("probe_time", "x")])
def test_metrics_carry_their_unit(make):
    with pytest.raises(ValueError, match="must end with"):
        make(Metrics())


async def test_a_port_in_use_is_misconfigured():
    async with HealthServer(ServiceSettings()).running() as address:
        taken = ServiceSettings(health_port=int(address.rpartition(":")[2]))
        with pytest.raises(Misconfigured, match="in use"):
            async with HealthServer(taken).running():
                pass
