"""Live questions through the api: to whoever holds the router, in time, and with what went wrong said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from shared.bus.ports import NotHere
from shared.contracts import live
from shared.contracts.events import RouterUnreachable
from shared.contracts.queries import PingReport, Query
from shared.errors import DeadlineExceeded, Rejected, Unreachable
from tests.integration.api.conftest import Running
from tests.integration.api.test_api_accounts import add_router

LEASES = live.Leases(
    total=3, offset=1, truncated=True, rows=(live.Lease(address="10.5.0.11", mac="A4:5E:60:00:00:01", status="bound"),)
)


@asynccontextmanager
async def holding(ronda: Running, kind: type[Query[Any]], answer: Any) -> AsyncIterator[list[Any]]:
    """A poller that holds every router but those called `01away`."""
    asked: list[Any] = []

    async def reply(query: Any) -> Any:
        if query.router_id == "01away":
            raise NotHere
        if query.router_id != "01try":
            asked.append(query)
        if isinstance(answer, Exception):
            raise answer
        return answer

    task = asyncio.create_task(ronda.bus.serve(kind, reply, queue=None))
    trial = kind.model_validate({**kind.EXAMPLE, "router_id": "01try"})
    try:
        async with asyncio.timeout(10):
            while True:
                try:
                    await ronda.api.parts.bus.request(trial)
                except (Unreachable, DeadlineExceeded):
                    await asyncio.sleep(0.01)
                except Rejected:
                    break
                else:
                    break
        yield asked
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_part_of_a_table_travels_both_ways(ronda: Running) -> None:
    router = await add_router(ronda)
    async with holding(ronda, live.ListLeases, LEASES) as asked:
        answer = await ronda.client.get(f"/api/v1/routers/{router}/leases?search=hp&offset=1&limit=1")
    assert answer.status_code == 200
    assert answer.json()["rows"][0]["address"] == "10.5.0.11"
    assert answer.json()["truncated"]
    assert (asked[0].search, asked[0].offset, asked[0].limit) == ("hp", 1, 1)


async def test_pool_says_its_share(ronda: Running) -> None:
    router = await add_router(ronda)
    pools = live.Pools(total=1, rows=(live.PoolUse(name="pppoe", total=200, used=50),))
    async with holding(ronda, live.ListPools, pools):
        answer = await ronda.client.get(f"/api/v1/routers/{router}/pools")
    assert answer.json()["rows"][0]["used_percent"] == 25.0


async def test_ping_and_way_from_a_router(ronda: Running) -> None:
    router = await add_router(ronda)
    report = PingReport(target="10.20.0.1", address="10.20.0.1", sent=2, received=1, rtt_avg_ms=3.5)
    async with holding(ronda, live.PingFromRouter, report) as asked:
        answer = await ronda.client.post(f"/api/v1/routers/{router}/ping", json={"address": "10.20.0.1", "count": 2})
    assert (answer.json()["loss_percent"], asked[0].count) == (50.0, 2)
    route = live.Route(target="10.20.0.1", hops=(live.Hop(number=1, address="10.20.0.1", rtt_ms=2),), reached=True)
    async with holding(ronda, live.TraceFromRouter, route):
        answer = await ronda.client.post(f"/api/v1/routers/{router}/traceroute", json={"address": "10.20.0.1"})
    assert answer.json()["hops"][0]["address"] == "10.20.0.1"


async def test_refusal_is_in_the_routers_words(ronda: Running) -> None:
    router = await add_router(ronda)
    refusal = Rejected("/ip/dns/print: not enough permissions (9)", words="not enough permissions (9)")
    async with holding(ronda, live.AskDns, refusal):
        answer = await ronda.client.get(f"/api/v1/routers/{router}/dns")
    assert answer.status_code == 502
    assert "not enough permissions (9)" in answer.text


async def test_unknown_router_is_not_found(ronda: Running) -> None:
    assert (await ronda.client.get("/api/v1/routers/nobody/leases")).status_code == 404


async def test_router_known_to_be_away_is_said_at_once_with_the_reason(ronda: Running) -> None:
    router = await add_router(ronda)
    event = RouterUnreachable.model_validate(
        {**RouterUnreachable.EXAMPLE, "router_id": router, "reason": "no answer for 30 s"}
    )
    await ronda.bus.publish(event)

    while (await ronda.client.get(f"/api/v1/routers/{router}")).json()["state"] != "unreachable":
        pass
    async with holding(ronda, live.ListLeases, LEASES) as asked:
        answer = await ronda.client.get(f"/api/v1/routers/{router}/leases")
    assert answer.status_code == 503
    assert "no answer for 30 s" in answer.json()["detail"]
    assert asked == []


async def test_disabled_router_is_not_asked(ronda: Running) -> None:
    router = await add_router(ronda)
    await ronda.client.patch(f"/api/v1/routers/{router}", json={"enabled": False})
    answer = await ronda.client.get(f"/api/v1/routers/{router}/resources")
    assert (answer.status_code, "switched off" in answer.json()["detail"]) == (409, True)


@pytest.mark.parametrize("query", ["limit=501", "limit=0", "offset=-1", f"search={'x' * 101}"])
async def test_part_that_cannot_be_is_a_fault(ronda: Running, query: str) -> None:
    router = await add_router(ronda)
    assert (await ronda.client.get(f"/api/v1/routers/{router}/leases?{query}")).status_code == 422
