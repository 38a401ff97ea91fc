"""Server-Sent Events over a real socket: as they come, filtered, and resumed without a gap."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from shared.contracts.events import HostDown, HostUp, SessionOpened
from shared.telemetry.health import serving
from tests.integration.api.conftest import Running


@asynccontextmanager
async def listening(url: str, ronda: Running, path: str, **headers: str) -> AsyncIterator[AsyncIterator[str]]:
    auth = {"Authorization": ronda.client.headers["Authorization"]}
    client = httpx.AsyncClient(base_url=url, headers=auth | headers, timeout=20)
    async with client, client.stream("GET", path) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        lines = answer.aiter_lines()
        assert await anext(lines) == "retry: 2000"
        yield lines


async def next_event(lines: AsyncIterator[str]) -> tuple[int, str, dict[str, Any]]:
    fields: dict[str, str] = {}
    async with asyncio.timeout(20):
        async for line in lines:
            if line and not line.startswith(":"):
                name, _, value = line.partition(": ")
                fields[name] = value
            elif "data" in fields:
                return int(fields["id"]), fields["event"], json.loads(fields["data"])
    raise AssertionError("the stream ended")


@pytest.mark.mission("F")
async def test_events_come_filtered_and_resume_after_the_last_seen(ronda: Running) -> None:
    await ronda.bus.publish(HostDown.example())
    async with serving(ronda.api.app, "127.0.0.1", 0) as url:
        async with listening(url, ronda, "/api/v1/stream?types=host.down,host.up&after=0") as lines:
            first, kind, told = await next_event(lines)
            assert (kind, told["data"]["host_name"]) == ("host.down", "core-1")
            await ronda.bus.publish(SessionOpened.example())
            await ronda.bus.publish(HostUp.example())
            second, kind, _ = await next_event(lines)
            assert (kind, second > first) == ("host.up", True)
        async with listening(url, ronda, "/api/v1/stream", **{"Last-Event-ID": str(first)}) as lines:
            assert [(await next_event(lines))[1] for _ in range(2)] == ["session.opened", "host.up"]


async def test_unknown_type_is_refused_naming_those_there_are(ronda: Running) -> None:
    answer = await ronda.client.get("/api/v1/stream?types=host.sideways")
    assert (answer.status_code, answer.json()["faults"][0]["code"]) == (422, "unknown_type")
    assert "host.down" in answer.json()["detail"]
