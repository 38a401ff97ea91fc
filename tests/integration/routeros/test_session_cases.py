"""The same cases over a real socket, with the fake's tables behind a wire of its own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from shared.routeros import Session
from tests.cases.router_session import SessionCases
from tests.fakes.router_session import FakeRouter, FakeTrap
from tests.integration.routeros.scripted_peer import Line, meet

ESCAPED = "surrogateescape"


class TablesOnTheWire:
    """Answers sentences from a FakeRouter."""

    def __init__(self, router: FakeRouter) -> None:
        self.router = router
        self.listens: dict[str, asyncio.Task[None]] = {}

    async def script(self, line: Line) -> None:
        try:
            while True:
                words = [word.decode("utf-8", ESCAPED) for word in await line.read()]
                tag = next(word[5:] for word in words if word.startswith(".tag="))
                self.answer(line, tag, words)
        finally:
            for task in self.listens.values():
                task.cancel()

    def answer(self, line: Line, tag: str, words: list[str]) -> None:
        command = words[0]
        pairs = (word[1:].partition("=") for word in words if word.startswith("="))
        attributes = {name: value for name, _, value in pairs}
        if command == "/login":
            line.done(tag)
        elif command == "/cancel":
            self.cancel(line, attributes["tag"])
            line.done(tag)
        elif command.endswith("/listen"):
            try:
                queue = self.router.listen(command.removesuffix("/listen"))
            except FakeTrap as trap:
                self.refuse(line, tag, trap)
                return
            names = attributes[".proplist"].split(",")
            self.listens[tag] = asyncio.create_task(self.follow(line, tag, queue, names))
        else:
            self.run(line, tag, command, attributes, words)

    def run(self, line: Line, tag: str, command: str, attributes: dict, words: list[str]) -> None:
        queries = tuple(word for word in words if word.startswith("?"))
        try:
            rows, ret = self.router.handle(command, attributes, queries)
        except FakeTrap as trap:
            self.refuse(line, tag, trap)
            return
        for row in rows:
            line.row(tag, *(f"={name}={value}".encode("utf-8", ESCAPED) for name, value in row.items()))
        if not rows and command.endswith("/print") and ret is None:
            line.send("!empty", f".tag={tag}")
        line.done(tag, *([f"=ret={ret}"] if ret is not None else []))

    def refuse(self, line: Line, tag: str, trap: FakeTrap) -> None:
        for message in trap.messages:
            line.trap(tag, message)
        line.done(tag)

    def cancel(self, line: Line, tag: str) -> None:
        if tag in self.listens:
            self.listens.pop(tag).cancel()
            line.trap(tag, "interrupted", "=category=2")
            line.done(tag)

    async def follow(self, line: Line, tag: str, queue: asyncio.Queue, names: list[str]) -> None:
        while True:
            row = await queue.get()
            line.row(tag, *(f"={name}={value}" for name, value in row.items() if name in names))


class TestSessionOnTheWire(SessionCases):
    @pytest.fixture
    async def session(self) -> AsyncIterator[Session]:
        async with contextlib.AsyncExitStack() as stack:
            yield await stack.enter_async_context(meet(TablesOnTheWire(FakeRouter()).script))
