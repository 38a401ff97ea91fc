"""`/lab/api/chats…`: list, read, wait, write, press, and the live stream of all changes."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from aiohttp import web

from lab.chats.desk import ChatDesk, DeskError, bubble_json, thread_json
from lab.chats.threads import Bubble

LONGEST_WAIT_SECONDS = 120.0
HEARTBEAT_SECONDS = 15.0


class ChatRoutes:
    """The chats as JSON and as server-sent events."""

    def __init__(self, desk: ChatDesk) -> None:
        self.desk = desk

    def add_to(self, application: web.Application) -> None:
        """Register the routes."""
        add = application.router.add_route
        add("GET", "/lab/api/chats", self._list)
        add("GET", "/lab/api/chats/stream", self._stream)
        add("GET", "/lab/api/chats/{id}", self._one)
        add("GET", "/lab/api/chats/{id}/messages", self._messages)
        add("POST", "/lab/api/chats/{id}/messages", self._send)
        add("POST", "/lab/api/chats/{id}/press", self._press)
        add("POST", "/lab/api/chats/{id}/state", self._state)
        add("POST", "/lab/api/chats/{id}/migrate", self._migrate)
        add("GET", "/lab/api/files/{id}", self._file)

    async def _list(self, _: web.Request) -> web.StreamResponse:
        threads = sorted(self.desk.threads, key=lambda t: t.id)
        return web.json_response({"seq": self.desk.threads.seq, "chats": [thread_json(t) for t in threads]})

    async def _one(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(thread_json(self.desk.thread(request.match_info["id"])))

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        """New and changed messages after a number; `contains` and `from=bot|person` narrow, `wait` seconds."""
        thread_id = self.desk.thread(request.match_info["id"]).id
        query = request.query
        after = number_of(query.get("after", "0"), int)
        seconds = min(number_of(query.get("wait", "0"), float), LONGEST_WAIT_SECONDS)
        contains, author = query.get("contains", "").lower(), query.get("from", "")

        def wanted(bubble: Bubble) -> bool:
            right_author = not author or bubble.from_bot == (author == "bot")
            return right_author and (not contains or contains in bubble.text.lower())

        found = await self.desk.threads.wait_for(
            lambda: [b for b in self.desk.threads.bubbles_after(thread_id, after) if wanted(b)], seconds
        )
        body = {"seq": self.desk.threads.seq, "messages": [bubble_json(b) for b in found]}
        return web.json_response(body)

    async def _send(self, request: web.Request) -> web.StreamResponse:
        body = await object_of(request)
        sent = self.desk.send(
            request.match_info["id"],
            str(body.get("text", "")),
            str(body.get("as") or ""),
            str(body.get("reply_to") or ""),
        )
        return web.json_response({"id": sent, "seq": self.desk.threads.seq})

    async def _press(self, request: web.Request) -> web.StreamResponse:
        body = await object_of(request)
        pressed = self.desk.press(
            request.match_info["id"],
            str(body.get("message", "")),
            str(body.get("value", "")),
            str(body.get("as") or ""),
        )
        return web.json_response({"id": pressed, "seq": self.desk.threads.seq})

    async def _state(self, request: web.Request) -> web.StreamResponse:
        body = await object_of(request)
        self.desk.set_state(request.match_info["id"], str(body.get("state", "")))
        return web.json_response({"ok": True})

    async def _migrate(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"id": self.desk.migrate(request.match_info["id"])})

    async def _file(self, request: web.Request) -> web.StreamResponse:
        found = self.desk.file(request.match_info["id"])
        if found is None:
            raise DeskError("there is no such file")
        return web.Response(body=found[1], content_type=found[0], headers={"X-Content-Type-Options": "nosniff"})

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        given = request.headers.get("Last-Event-ID") or request.query.get("after", "0")
        after = min(number_of(given, int), self.desk.threads.seq)
        response = await event_stream(request)
        while True:
            changes = self.desk.threads.changes_after(after)
            for number, thread, bubble in changes:
                body = {"thread": thread_json(thread), "bubble": bubble_json(bubble) if bubble else None}
                await send_event(response, "change", body, number)
                after = number
            if not await self.desk.threads.next_change(after, HEARTBEAT_SECONDS):
                await response.write(b": still here\n\n")


def number_of(value: str, kind: type[int] | type[float]) -> Any:
    """A number from a query; raises DeskError."""
    try:
        return kind(value)
    except ValueError as error:
        raise DeskError(f"{value!r} is not a number") from error


async def object_of(request: web.Request) -> dict[str, Any]:
    """The JSON object of a request, {} when there is no body; raises DeskError."""
    raw = await request.read()
    try:
        body = json.loads(raw) if raw.strip() else {}
    except ValueError as error:
        raise DeskError("the body is not JSON") from error
    if not isinstance(body, dict):
        raise DeskError("the body must be a JSON object")
    return body


async def event_stream(request: web.Request) -> web.StreamResponse:
    """A prepared answer for server-sent events."""
    headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    await response.write(b"retry: 1000\n\n")
    return response


async def send_event(response: web.StreamResponse, name: str, body: dict[str, Any], number: int | None = None) -> None:
    """Write one event."""
    line = f"id: {number}\n" if number is not None else ""
    await response.write(f"{line}event: {name}\ndata: {json.dumps(body)}\n\n".encode())


@web.middleware
async def speak_errors(request: web.Request, handler: Any) -> web.StreamResponse:
    """A refusal as 409 with its sentence; a reader who left is no error."""
    try:
        answer: web.StreamResponse = await handler(request)
    except DeskError as error:
        return web.json_response({"error": str(error)}, status=409)
    except (ConnectionResetError, asyncio.CancelledError):
        if request.transport is None or request.transport.is_closing():
            return web.Response()
        raise
    return answer
