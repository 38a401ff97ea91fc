"""A frontend that listens to `/api/v1/stream`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx

from tests.support.waiting import until


@dataclass(frozen=True, slots=True)
class Live:
    """One event as it came over the wire; `body` is the message."""

    id: str
    kind: str
    body: dict[str, Any]


@dataclass(slots=True)
class LiveEvents:
    """All that came so far."""

    seen: list[Live] = field(default_factory=list)

    async def first(
        self, kind: str, fits: Callable[[dict[str, Any]], bool], *, unless: Collection[str] = (), within_s: float = 20
    ) -> Live:
        """Wait for the first event of this kind whose body fits and whose id is not among `unless`."""

        def found() -> Live | None:
            fitting = (one for one in self.seen if one.kind == kind and one.id not in unless and fits(one.body))
            return next(fitting, None)

        return await until(found, within_s)  # type: ignore[arg-type, return-value]


@asynccontextmanager
async def live_events(api: httpx.AsyncClient, types: str) -> AsyncIterator[LiveEvents]:
    """Listen to these types of events. All that is in the history has been seen when the test goes on."""
    events = LiveEvents()
    query = {"types": types, "after": "0"}
    async with api.stream("GET", "/api/v1/stream", params=query, timeout=httpx.Timeout(10, read=None)) as answer:
        answer.raise_for_status()
        reader = asyncio.create_task(_read(answer, events))
        try:
            await until(partial(_caught_up, events, await _newest(api, types)))
            yield events
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)


async def _newest(api: httpx.AsyncClient, types: str) -> str | None:
    page = (await api.get("/api/v1/events", params={"types": types})).raise_for_status().json()
    return page["items"][0]["id"] if page["items"] else None


def _caught_up(events: LiveEvents, newest: str | None) -> bool:
    return newest is None or any(event.id == newest for event in events.seen)


async def _read(answer: httpx.Response, events: LiveEvents) -> None:
    fields: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "data" in fields:
            told = json.loads(fields["data"])
            events.seen.append(Live(told["id"], fields["event"], told["data"]))
            fields = {}
