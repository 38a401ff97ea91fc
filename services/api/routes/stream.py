"""Events as they come, by Server-Sent Events. Ids are the stream's own sequence numbers, so a reader can resume."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any, cast

from fastapi import APIRouter, Header, Query
from starlette.responses import StreamingResponse

from services.api.core.faults import Fault, Faulty
from services.api.core.rights import Caller
from services.api.deps import Parts, PartsDep, Reader, still_welcome
from services.api.sse import HEARTBEAT_S, SSE_HEADERS, with_pauses
from shared.bus.ports import Received
from shared.contracts.events import Event
from shared.contracts.message import message_types
from shared.contracts.streams import EVENTS

router = APIRouter(tags=["stream"])


def event_types() -> dict[str, type[Event]]:
    """All events by their public name, such as `host.down`."""
    return {cls.NAME: cast("type[Event]", cls) for cls in message_types(Event)}


@router.get("/stream", response_class=StreamingResponse)
async def stream(
    api: PartsDep,
    caller: Reader,
    types: Annotated[str, Query(description="Only these, such as `host.down,account.applied`.")] = "",
    last_event_id: Annotated[str | None, Header(description="Resume after this event.")] = None,
    after: Annotated[
        int | None, Query(ge=0, description="The same as Last-Event-ID, for the first connection.")
    ] = None,
) -> StreamingResponse:
    """Events as they come (text/event-stream): `id`, `event` (such as `host.down`), `data` (`id`, `time`, `data`)."""
    wanted = _filters(types)
    start = _sequence(last_event_id) if last_event_id is not None else after
    return StreamingResponse(_events(api, caller, wanted, start), media_type="text/event-stream", headers=SSE_HEADERS)


def _filters(types: str) -> tuple[str, ...]:
    known = event_types()
    names = [name.strip() for name in types.split(",") if name.strip()]
    unknown = [name for name in names if name not in known]
    if unknown:
        message = f"There are no events called {', '.join(unknown)}; there are {', '.join(sorted(known))}."
        raise Faulty([Fault("types", "unknown_type", message)])
    return tuple(known[name].filter() for name in names)


def _sequence(text: str) -> int:
    if not text.isdecimal():
        raise Faulty([Fault("Last-Event-ID", "bad_id", "Send the id of an event of this stream.")])
    return int(text)


async def _events(api: Parts, caller: Caller, filters: tuple[str, ...], after: int | None) -> AsyncIterator[str]:
    yield "retry: 2000\n\n"
    reading = api.bus.read(EVENTS, *filters, after_sequence=after)
    async with aclosing(with_pauses(reading, HEARTBEAT_S, api.stopping)) as received:
        async for item in received:
            if item is not None:
                yield as_sse(item)
            elif await still_welcome(caller, api):
                yield ": still here\n\n"
            else:
                return


def as_sse(received: Received) -> str:
    """One event on the wire."""
    envelope = received.envelope
    told: dict[str, Any] = {
        "id": envelope.id,
        "time": envelope.time.isoformat(),
        "data": received.message.model_dump(mode="json"),
    }
    return f"id: {received.sequence}\nevent: {type(received.message).NAME}\ndata: {json.dumps(told)}\n\n"
