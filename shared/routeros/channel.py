"""Many commands at once on one connection, each with its own tag.

The router answers in any order; every sentence names its command by `.tag`. Commands above the limit wait
their turn here, since a router that is given too many at once stops answering. A command that is given up
is cancelled at the router and keeps its turn until the router confirms; what still arrives for it is dropped.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from dataclasses import dataclass
from itertools import count

from librouteros.connections import AsyncSocketTransport
from librouteros.exceptions import LibRouterosError

from shared.errors import Busy, DeadlineExceeded, RondaError, Unreachable
from shared.routeros.exchange import Exchange, RowFeed
from shared.routeros.reply import Reply, Row
from shared.routeros.wire import SentenceDecoder

_CHUNK = 64 * 1024  # bytes decoded per turn of the event loop: about 700 rows, 3 ms
PROBE = "/system/identity/print"  # the cheapest question every router answers


@dataclass(frozen=True)
class ChannelLimits:
    """Times are in seconds.

    About 25 commands at once made a CHR stop answering (tikoci/restraml, notes on `/console/inspect`), so
    commands and feeds together, plus a cancel and a probe, stay below that.
    """

    commands: int = 16
    feeds: int = 6
    feed_backlog: int = 20_000
    """Rows that may wait for a slow reader of a listen."""
    keepalive: float = 15.0
    """Silence after which the router is asked whether it still lives."""
    probe_timeout: float = 5.0
    """How long after that question any sign of life may take."""
    cancel_grace: float = 10.0
    """How long a cancelled command may hold its turn without the router confirming its end."""


class TaggedChannel:
    """The multiplexer. Everything happens on the event loop's thread; nothing here blocks."""

    def __init__(self, transport: AsyncSocketTransport, name: str, limits: ChannelLimits) -> None:
        self._transport = transport
        self._name = name
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._tags = count(1)
        self._running: dict[str, Exchange] = {}
        self._waiting: deque[Exchange] = deque()
        self._slots_used = 0
        self._feeds = 0
        self._outbox: list[bytes] = []
        self._chunks_read = 0
        self._probing = False
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._ended: asyncio.Future[RondaError] = self._loop.create_future()
        self._reader = asyncio.create_task(self._read(), name=f"routeros-reader {name}")

    # ── what the session calls ──────────────────────────────────────────────────────────────────────────

    @property
    def ended(self) -> asyncio.Future[RondaError]:
        """Resolves to the reason once the connection is over."""
        return self._ended

    def command(self, command: str, words: tuple[str, ...]) -> Exchange:
        """Queue a command. Raises the reason of the end if the connection is over."""
        self._check_open()
        exchange = Exchange(str(next(self._tags)), command, words)
        if self._slots_used < self._limits.commands and not self._waiting:
            self._start(exchange)
        else:
            self._waiting.append(exchange)
        return exchange

    def feed(self, command: str, words: tuple[str, ...]) -> RowFeed:
        """Start a command that streams. Raises Busy when as many run as this connection can carry."""
        self._check_open()
        if self._feeds >= self._limits.feeds:
            raise Busy(f"{self._name}: {self._feeds} listens and monitors already run on this connection")
        feed = RowFeed(str(next(self._tags)), command, words, backlog=self._limits.feed_backlog)
        self._feeds += 1
        self._send(feed)
        return feed

    def abandon(self, exchange: Exchange) -> None:
        """Nobody waits for this command any more: stop it where it is."""
        if exchange.abandoned:
            return
        exchange.abandoned = True
        if not exchange.sent:
            with contextlib.suppress(ValueError):
                self._waiting.remove(exchange)
        elif exchange.tag in self._running:
            self._send_aside("/cancel", f"=tag={exchange.tag}")
            self._timers[exchange.tag] = self._loop.call_later(self._limits.cancel_grace, self._forget, exchange)

    def expire(self, exchange: Exchange, deadline: float) -> None:
        """The command's deadline has passed: fail it, and find out whether the connection still lives."""
        if exchange.future.done():
            return
        why = "no answer" if exchange.sent else "its turn did not come"
        exchange.fail(DeadlineExceeded(f"{self._name}: {exchange.command}: {why} within {deadline:g} s"))
        self.abandon(exchange)
        if exchange.sent:
            self._probe()

    def watch(self) -> None:
        """From now on (logged in) ask the router after each silence whether it still lives."""
        self._timers["keepalive"] = self._loop.call_later(
            self._limits.keepalive, self._after_silence, self._chunks_read
        )

    async def close(self) -> None:
        """End the connection; commands still running fail with Unreachable. Safe to call twice."""
        self._break(Unreachable(f"{self._name}: the session was closed"), abort=False)
        self._reader.cancel()
        try:
            # Neither `suppress` nor `wait_for` here: both can swallow a cancellation meant for our caller.
            await asyncio.wait({self._reader})
            with contextlib.suppress(OSError):
                async with asyncio.timeout(2.0):
                    await self._transport.close()
        finally:
            self._transport.writer.transport.abort()

    # ── sending ─────────────────────────────────────────────────────────────────────────────────────────

    def _start(self, exchange: Exchange) -> None:
        self._slots_used += 1
        exchange.holds_slot = True
        self._send(exchange)

    def _send(self, exchange: Exchange) -> None:
        exchange.sent = True
        self._running[exchange.tag] = exchange
        if not self._outbox:
            # One write for all commands started in this turn of the loop.
            self._loop.call_soon(self._flush)
        self._outbox.append(exchange.payload)

    def _send_aside(self, command: str, *words: str) -> Exchange:
        """Send something of our own, ahead of all turns, whose outcome nobody waits for."""
        exchange = Exchange(str(next(self._tags)), command, words)
        exchange.future.add_done_callback(lambda future: future.cancelled() or future.exception())
        self._send(exchange)
        return exchange

    def _flush(self) -> None:
        payload = b"".join(self._outbox)
        self._outbox.clear()
        if payload and not self._ended.done():
            self._transport.writer.write(payload)

    # ── receiving ───────────────────────────────────────────────────────────────────────────────────────

    async def _read(self) -> None:
        decoder = SentenceDecoder()
        try:
            while chunk := await self._transport.reader.read(_CHUNK):
                self._chunks_read += 1
                for sentence in decoder.feed(chunk):
                    self._take(sentence)
            where = " in the middle of a sentence" if decoder.halfway else ""
            self._break(Unreachable(f"{self._name} closed the connection{where}"))
        except OSError as error:
            self._break(Unreachable(f"{self._name}: {error.strerror or str(error) or type(error).__name__}"))
        except LibRouterosError:
            self._break(Unreachable(f"{self._name} does not speak the RouterOS API"))
        finally:
            # Whatever else ends the reader must not leave commands waiting for ever.
            self._break(Unreachable(f"{self._name}: reading ended"))

    def _take(self, sentence: list[str]) -> None:
        if not sentence:
            return
        kind = sentence[0]
        if kind == "!fatal":
            self._break(Unreachable(f"{self._name} ended the session: {' '.join(sentence[1:])}"))
            return
        if not kind.startswith("!"):
            raise LibRouterosError("a reply without a reply word")
        tag, row = _attributes(sentence)
        exchange = self._running.get(tag)
        if exchange is None:
            return  # a late reply to a command that was given up
        if kind == "!re":
            exchange.row(row)
        elif kind == "!done":
            self._finish(exchange, row.get("ret"))
        elif kind == "!trap":
            exchange.trap(row)
        # `!empty` (7.18 and later) only says what the absence of rows says already.

    def _finish(self, exchange: Exchange, ret: str | None) -> None:
        self._forget(exchange)
        exchange.done(ret)

    def _forget(self, exchange: Exchange) -> None:
        if self._running.pop(exchange.tag, None) is None:
            return
        timer = self._timers.pop(exchange.tag, None)
        if timer is not None:
            timer.cancel()
        if isinstance(exchange, RowFeed):
            self._feeds -= 1
        if exchange.holds_slot:
            self._slots_used -= 1
            self._next_turn()

    def _next_turn(self) -> None:
        while self._waiting and self._slots_used < self._limits.commands:
            exchange = self._waiting.popleft()
            if not exchange.future.done():
                self._start(exchange)

    # ── alive or not ────────────────────────────────────────────────────────────────────────────────────

    def _after_silence(self, chunks_then: int) -> None:
        if self._chunks_read == chunks_then:
            self._probe()
        self.watch()

    def _probe(self) -> None:
        """Ask something cheap with another tag; any byte that arrives afterwards proves life."""
        if self._probing or self._ended.done() or "keepalive" not in self._timers:
            return
        self._probing = True
        probe = self._send_aside(PROBE)
        probe.future.add_done_callback(self._answered)
        self._timers["probe"] = self._loop.call_later(self._limits.probe_timeout, self._judge, probe, self._chunks_read)

    def _answered(self, _: asyncio.Future[Reply]) -> None:
        self._probing = False
        self._timers["probe"].cancel()

    def _judge(self, probe: Exchange, chunks_then: int) -> None:
        self._probing = False
        self._forget(probe)
        if self._chunks_read == chunks_then:
            self._break(Unreachable(f"{self._name} stopped answering"))

    def _check_open(self) -> None:
        if self._ended.done():
            raise Unreachable(str(self._ended.result()))

    def _break(self, error: RondaError, *, abort: bool = True) -> None:
        """The connection is over: tell everybody who waits, once."""
        if self._ended.done():
            return
        self._flush()
        self._ended.set_result(error)
        for timer in self._timers.values():
            timer.cancel()
        for exchange in (*self._running.values(), *self._waiting):
            exchange.fail(Unreachable(str(error)))
        self._running.clear()
        self._waiting.clear()
        if abort:
            self._transport.writer.transport.abort()


def _attributes(sentence: list[str]) -> tuple[str, Row]:
    """Tag and properties. The tag stands right after the reply word or at the end, by version."""
    tag, row = "", {}
    for word in sentence[1:]:
        if word[0] == "=":
            name, _, value = word[1:].partition("=")
            row[name] = value
        elif word.startswith(".tag="):
            tag = word[5:]
    return tag, row
