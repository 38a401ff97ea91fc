"""One unbroken connection to a NATS server: when it breaks, everything that waits on it fails at once.

The client library can reconnect by itself, but then whatever was asked before the break waits for its full time limit
and old requests are said again to a server that has forgotten them. So a session never reconnects; `connection.py`
opens the next one.
"""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Mapping
from contextlib import suppress
from itertools import count
from typing import Any, Final
from urllib.parse import urlsplit

import nats.aio.transport
import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg

from shared.errors import (
    Busy,
    Conflict,
    DeadlineExceeded,
    Invalid,
    NotAllowed,
    NotFound,
    Rejected,
    RondaError,
    Unreachable,
)

log = structlog.get_logger("bus")

API_TIMEOUT_S: Final = 5.0
NO_RESPONDERS: Final = "503"
STATUS: Final = "Status"
_CONNECT_TIMEOUT_S = 2
_LOOK_EVERY_S: Final = 0.2
_PING_INTERVAL_S = 10  # a server that is there but silent is noticed after two or three of these

# Error codes of the JetStream API: server/errors.json of nats-io/nats-server.
_WRONG_LAST_SEQUENCE = (10071, 10164)
_NOT_NOW = (10008, 10023, 10047, 10028, 10077)  # no leader, no space, no resources


class NobodyThereError(Unreachable):
    """The server is there, but nobody takes this subject: surely nothing was stored or begun."""


class Session:
    """A connection from its opening to its end."""

    def __init__(self) -> None:
        self.client = Client()
        self.lost = asyncio.Event()
        self._answers: dict[str, asyncio.Future[Msg]] = {}
        self._numbers = count()
        self._inbox = ""

    @property
    def alive(self) -> bool:
        """Whether it can be used. The library knows a little earlier than `lost` does."""
        return not self.lost.is_set() and self.client.is_connected

    async def open(self, url: str, *, name: str) -> None:
        """Connect; raises NotAllowed for wrong credentials, Unreachable otherwise."""
        if "ws://" in url or "wss://" in url:
            vars(nats.aio.transport)["aiohttp"] = importlib.import_module("aiohttp")  # left out before: `__init__.py`
        try:
            await self.client.connect(
                url.split(","),
                name=name,
                allow_reconnect=False,
                connect_timeout=_CONNECT_TIMEOUT_S,
                ping_interval=_PING_INTERVAL_S,
                max_outstanding_pings=2,
                inbox_prefix=inbox_prefix(url),
                error_cb=self._on_error,
                closed_cb=self._on_closed,
            )
            self._inbox = self.client.new_inbox()
            await self.client.subscribe(f"{self._inbox}.*", cb=self._on_answer)
        except (nats.errors.Error, OSError, TimeoutError) as error:
            self.lost.set()
            if "authorization" in str(error).lower():
                raise NotAllowed("the bus does not accept this service's user name and password") from error
            raise Unreachable(f"the bus does not answer: {error or type(error).__name__}") from error

    async def ended(self) -> None:
        """Wait for the end of the session.

        The library's own word is not enough: when its last write fails while it closes, it calls nobody.
        """
        while not self.lost.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY_S):
                    await self.lost.wait()
            if not self.alive:
                self._end()

    async def close(self) -> None:
        """Say what is still to be said and disconnect. Harmless when already closed."""
        try:
            async with asyncio.timeout(API_TIMEOUT_S):
                if self.alive:
                    await self.client.drain()
                elif not self.client.is_closed:
                    await self.client.close()
        except (nats.errors.Error, OSError, TimeoutError) as error:
            log.warning("bus closed uncleanly", reason=str(error) or type(error).__name__)
        finally:
            self._end()
            await self._tidy()

    async def _tidy(self) -> None:
        # What the library leaves behind when its last write fails: tasks, their errors, an open socket.
        for subscription in list(self.client._subs.values()):  # noqa: SLF001 there is no other door
            subscription._stop_processing()  # noqa: SLF001
        own = (self.client._flusher_task, self.client._reading_task, self.client._ping_interval_task)  # noqa: SLF001
        tasks = [task for task in own if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        transport = self.client._transport  # noqa: SLF001
        if transport is not None:
            transport.close()  # type: ignore[no-untyped-call]
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(1):
                    await transport.wait_closed()  # type: ignore[no-untyped-call]

    async def say(
        self, subject: str, body: bytes = b"", *, headers: Mapping[str, str] | None = None, reply: str = ""
    ) -> None:
        """Send without waiting for anything; raises Unreachable when the session has ended."""
        if not self.alive:
            self._end()
            await asyncio.sleep(0)  # whoever tries again at once lets the others see it
            raise Unreachable("the bus does not answer")
        try:
            await self.client.publish(subject, body, reply=reply, headers=dict(headers) if headers else None)
        except (nats.errors.MaxPayloadError, nats.errors.BadSubjectError, nats.errors.BadHeaderError) as error:
            raise Invalid(f"the bus does not take this message: {error}") from error
        except (nats.errors.Error, OSError) as error:
            raise Unreachable(f"the bus does not answer: {error}") from error

    async def ask(
        self, subject: str, body: bytes = b"", *, headers: Mapping[str, str] | None = None, timeout: float
    ) -> Msg:
        """Send and wait for one answer. Raises Unreachable if nobody listens there or the session ends, and
        DeadlineExceeded after `timeout` seconds."""
        token = str(next(self._numbers))
        answer: asyncio.Future[Msg] = asyncio.get_running_loop().create_future()
        self._answers[token] = answer
        try:
            await self.say(subject, body, headers=headers, reply=f"{self._inbox}.{token}")
            async with asyncio.timeout(timeout):
                return await answer
        except TimeoutError as late:
            raise DeadlineExceeded(f"no answer within {timeout:g} s") from late
        finally:
            del self._answers[token]

    async def api(self, verb: str, request: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Ask the JetStream API, e.g. `STREAM.INFO.EVENTS`. Raises NotFound and the rest of our tree."""
        body = json.dumps(request).encode() if request is not None else b""
        answer = await self.ask(f"$JS.API.{verb}", body, timeout=API_TIMEOUT_S)
        return read_answer(answer)

    async def _on_answer(self, message: Msg) -> None:
        waiting = self._answers.get(message.subject.rpartition(".")[2])
        if waiting is None or waiting.done():
            return
        if (message.headers or {}).get(STATUS) == NO_RESPONDERS:
            waiting.set_exception(NobodyThereError("nobody on the bus serves this"))
        else:
            waiting.set_result(message)

    async def _on_closed(self) -> None:
        self._end()

    def _end(self) -> None:
        self.lost.set()
        for waiting in self._answers.values():
            if not waiting.done():
                waiting.set_exception(Unreachable("the bus went away"))

    async def _on_error(self, error: Exception) -> None:
        # Permission violations arrive only here: the request itself just gets no answer.
        if "permissions violation" in str(error).lower():
            log.error("bus forbids", reason=str(error))


def inbox_prefix(url: str) -> str:
    """Answers come to a place of each user's own, so that rights can keep others from listening there."""
    user = urlsplit(url.split(",")[0]).username
    return f"_INBOX.{user}" if user else "_INBOX"


def read_answer(answer: Msg) -> dict[str, Any]:
    """The JSON of a JetStream answer; its error as one of ours."""
    content: dict[str, Any] = json.loads(answer.data)
    fault = content.get("error")
    if fault:
        raise js_error(int(fault.get("code", 0)), int(fault.get("err_code", 0)), str(fault.get("description", "")))
    return content


def js_error(code: int, err_code: int, words: str) -> RondaError:
    """The error of our tree for one of the JetStream API."""
    if err_code in _WRONG_LAST_SEQUENCE:
        return Conflict(words)
    if code == 404:
        return NotFound(words)
    if code == 503 or err_code in _NOT_NOW:
        return Busy(f"the bus cannot store now: {words}")
    return Rejected(f"the bus refused: {words}", words=words)
