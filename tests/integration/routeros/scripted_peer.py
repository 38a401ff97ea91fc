"""A router made of a script: raw sentences over a real socket, sharing no code with the product's wire.

    async with peer(script) as address: session = await RouterSession.connect(address)

The script gets a `Line` and says word by word what the router does.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

from pydantic import SecretStr

from shared.routeros import ChannelLimits, RouterAddress, RouterSession, Tls


def sentence(*words: str | bytes) -> bytes:
    """Bytes of a sentence, by the book."""
    encoded = b""
    for word in words:
        raw = word if isinstance(word, bytes) else word.encode()
        size = len(raw)
        if size < 0x80:
            prefix = size.to_bytes(1, "big")
        elif size < 0x4000:
            prefix = (size | 0x8000).to_bytes(2, "big")
        elif size < 0x200000:
            prefix = (size | 0xC00000).to_bytes(3, "big")
        else:
            prefix = (size | 0xE0000000).to_bytes(4, "big")
        encoded += prefix + raw
    return encoded + b"\0"


class Line:
    """One client's connection, seen from the router."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def read(self) -> list[bytes]:
        """The next sentence. Raises IncompleteReadError at the end."""
        words = []
        while word := await self._word():
            words.append(word)
        return words

    async def _word(self) -> bytes:
        first = (await self.reader.readexactly(1))[0]
        for mask, limit, more in ((0, 0x80, 0), (0x80, 0xC0, 1), (0xC0, 0xE0, 2), (0xE0, 0xF0, 3)):
            if first < limit:
                rest = await self.reader.readexactly(more)
                return await self.reader.readexactly(int.from_bytes(bytes([first ^ mask]) + rest, "big"))
        raise AssertionError(f"length byte {first:#x}")

    async def command(self) -> tuple[str, str, dict[str, str]]:
        """Command, tag and attributes of the next sentence."""
        words = [word.decode("utf-8", "surrogateescape") for word in await self.read()]
        tag = next((word[5:] for word in words if word.startswith(".tag=")), "")
        pairs = (word[1:].partition("=") for word in words[1:] if word.startswith("="))
        return words[0], tag, {name: value for name, _, value in pairs}

    async def expect(self, command: str) -> tuple[str, dict[str, str]]:
        """The next command, which must be this one: its tag and attributes."""
        seen, tag, attributes = await self.command()
        assert seen == command, f"expected {command}, got {seen}"
        return tag, attributes

    def send(self, *words: str | bytes) -> None:
        self.writer.write(sentence(*words))

    def row(self, tag: str, *words: str | bytes) -> None:
        self.send("!re", f".tag={tag}", *words)

    def done(self, tag: str, *words: str) -> None:
        self.send("!done", f".tag={tag}", *words)

    def trap(self, tag: str, message: str, *words: str) -> None:
        self.send("!trap", f".tag={tag}", *words, f"=message={message}")

    async def expect_listen(self, path: str) -> tuple[str, dict[str, str]]:
        """A listen of this menu, and the round trip by which the client knows that it has begun."""
        listen = await self.expect(f"{path}/listen")
        tag, _ = await self.expect("/system/identity/print")
        self.row(tag, "=name=Menara-1")
        self.done(tag)
        return listen

    async def introduce(self, version: str = "7.16.2 (stable)") -> None:
        """Accept any login and answer the two questions every session begins with."""
        tag, _ = await self.expect("/login")
        self.done(tag)
        await self.tell_facts(version)

    async def tell_facts(self, version: str = "7.16.2 (stable)") -> None:
        for _ in range(2):
            command, tag, _ = await self.command()
            if command == "/system/identity/print":
                self.row(tag, "=name=Menara-1")
            else:
                assert command == "/system/resource/print"
                self.row(tag, "=uptime=1w2d3h4m5s", f"=version={version}", "=board-name=CCR2004")
            self.done(tag)

    async def until_closed(self) -> None:
        """Swallow whatever comes until the client has gone."""
        while await self.reader.read(65536):
            pass


Script = Callable[[Line], Awaitable[None]]


class Peer:
    """A listening script. A script that fails makes the test fail."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.faults: list[BaseException] = []
        self.connections = 0
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self.script(Line(reader, writer))
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        except BaseException as fault:  # noqa: BLE001 - reported by the test
            self.faults.append(fault)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError, asyncio.CancelledError):
                await writer.wait_closed()
            self._tasks.discard(task)

    async def settle(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def address(self, tls: Tls | None = None, **changes: object) -> RouterAddress:
        values = {"host": "127.0.0.1", "username": "ronda", "password": SecretStr("rahasia"), **changes}
        return RouterAddress(port=self.port, tls=tls or Tls(), **values)


@contextlib.asynccontextmanager
async def peer(script: Script, tls: ssl.SSLContext | None = None) -> AsyncIterator[Peer]:
    """Serve the script to every client on a free port of the loopback."""
    listening = Peer(script)
    server = await asyncio.start_server(listening.serve, "127.0.0.1", 0, ssl=tls)
    listening.port = server.sockets[0].getsockname()[1]
    try:
        yield listening
    finally:
        server.close()
        await listening.settle()
        await server.wait_closed()
    assert not listening.faults, listening.faults


@contextlib.asynccontextmanager
async def meet(script: Script, limits: ChannelLimits | None = None) -> AsyncIterator[RouterSession]:
    """A session that is connected to the script."""
    async with (
        peer(script) as router,
        await RouterSession.connect(router.address(), limits=limits) as session,
    ):
        yield session
