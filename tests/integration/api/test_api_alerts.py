"""Alerts over REST: projected in any order, taken on through the notifier."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest

from shared.contracts.events import AlertAcknowledged, AlertEvent, AlertOpened, AlertResolved
from shared.contracts.queries import AcknowledgeAlert, AlertTaken, Answer, PingReport, PingTarget, Query
from shared.errors import Conflict, Unreachable
from tests.integration.api.conftest import Running
from tests.integration.api.test_api_projections import items, told
from tests.support.waiting import until

AT = datetime(2026, 11, 20, 14, 5, tzinfo=UTC)


@asynccontextmanager
async def answering(
    ronda: Running, query: type[Query[Any]], answer: Callable[[Any], Awaitable[Answer]]
) -> AsyncIterator[None]:
    """Somebody else's service, as long as this lasts."""
    serving = asyncio.create_task(ronda.bus.serve(query, answer, queue="other"))

    async def heard() -> bool:
        try:
            await ronda.api.parts.bus.request(query.example())
        except Unreachable:
            return False
        except Exception:  # noqa: BLE001 - any answer at all will do
            return True
        return True

    try:
        assert await until(heard)
        yield
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


def story() -> list[tuple[AlertEvent, ...]]:
    resolved = AlertResolved.model_validate(AlertResolved.EXAMPLE | {"at": "2026-11-20T14:06:34Z"})
    return list(permutations((AlertOpened.example(), AlertAcknowledged.example(), resolved)))


@pytest.mark.parametrize("events", story(), ids=lambda events: "-".join(event.NAME[6:] for event in events))
async def test_alert_is_whole_whatever_the_order_of_its_events(ronda: Running, events: tuple[AlertEvent, ...]) -> None:
    for event in events:
        await ronda.bus.publish(event)
        await told(ronda, 1, event.NAME)
    [alert] = await items(ronda, "/api/v1/alerts")
    assert (alert["number"], alert["state"], alert["told"]) == (4821, "resolved", ["NOC Waru", "Sari"])
    assert (alert["acknowledged_by"], alert["outage_s"]) == ("Sari", 137.0)
    assert alert["opened_at"].startswith("2026-11-20T14:04:17")
    assert await items(ronda, "/api/v1/alerts?state=open&state=acknowledged") == []


async def test_taken_on_by_rest_is_seen_at_once(ronda: Running) -> None:
    await ronda.bus.publish(AlertOpened.example())
    await told(ronda, 1, "alert.opened")
    assert len(await items(ronda, "/api/v1/alerts?state=open")) == 1
    asked: list[AcknowledgeAlert] = []

    async def take(query: AcknowledgeAlert) -> AlertTaken:
        asked.append(query)
        return AlertTaken(incident_id=query.incident_id, number=4821, by="Budi", at=AT)

    async with answering(ronda, AcknowledgeAlert, take):
        answer = await ronda.client.post("/api/v1/alerts/01inc1/acknowledge")
    assert answer.status_code == 200, answer.text
    assert asked[-1].by == "owner"
    assert (answer.json()["state"], answer.json()["acknowledged_by"]) == ("acknowledged", "Budi"), "who was first stays"
    [line] = [line for line in await items(ronda, "/api/v1/audit") if line["action"] == "alert.acknowledged"]
    assert (line["by"], line["detail"]["taken_on_by"]) == ("owner", "Budi")


async def test_alert_that_is_over_or_unknown_cannot_be_taken_on(ronda: Running) -> None:
    assert (await ronda.client.post("/api/v1/alerts/nowhere/acknowledge")).status_code == 404
    await ronda.bus.publish(AlertOpened.example())
    await told(ronda, 1, "alert.opened")

    async def over(_: AcknowledgeAlert) -> AlertTaken:
        raise Conflict("alert #4821 is over already")

    async with answering(ronda, AcknowledgeAlert, over):
        answer = await ronda.client.post("/api/v1/alerts/01inc1/acknowledge")
    assert (answer.status_code, answer.json()["detail"]) == (409, "alert #4821 is over already")


async def test_ping_now_asks_the_poller_about_this_host(ronda: Running) -> None:
    site = (await ronda.client.post("/api/v1/sites", json={"name": "Waru"})).json()
    body = {"site_id": site["id"], "name": "core-1", "address": "10.20.0.1"}
    host = (await ronda.client.post("/api/v1/hosts", json=body)).json()
    asked: list[PingTarget] = []

    async def ping(query: PingTarget) -> PingReport:
        asked.append(query)
        return PingReport(target=query.target, address=query.target, sent=4, received=3, rtt_avg_ms=1.5)

    async with answering(ronda, PingTarget, ping):
        report = (await ronda.client.post(f"/api/v1/hosts/{host['id']}/ping")).json()
    assert (report["received"], report["loss_percent"], report["rtt_avg_ms"]) == (3, 25.0, 1.5)
    assert (asked[-1].host_id, asked[-1].target) == (host["id"], "10.20.0.1")
    assert (await ronda.client.post("/api/v1/hosts/nowhere/ping")).status_code == 404
