"""One API connection: login, the commands running on it, and their cancelling."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import os
from collections import deque
from typing import TYPE_CHECKING

from lab.routers import errors, wire
from lab.routers.calls import Account, Call, Handler, Sentence, parse_sentence
from lab.routers.faults import Spoil
from lab.routers.menu import Item

if TYPE_CHECKING:
    from lab.routers.router import VirtualRouter

LONGEST_BEFORE_LOGIN = 64 * 1024
MOST_WORDS_BEFORE_LOGIN = 64
FLUSH_BYTES = 256 * 1024
GARBAGE = b"\xff\xfe\xfd\x00\x13\x37HTTP/1.1 400 Bad Request\r\n\r\n"


class Connection:
    """Reads sentences, starts commands, writes replies; lives until either side ends it."""

    def __init__(self, router: VirtualRouter, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.router = router
        self.account: Account | None = None
        self.session: Item | None = None
        self._reader = reader
        self._writer = writer
        self._challenge = b""
        self._running: dict[asyncio.Task[None], Call] = {}
        self._outgoing: deque[bytes] = deque()
        self._batch: list[bytes] = []
        self._ended = False
        peer = writer.get_extra_info("peername")
        self.peer: str = peer[0] if peer else "0.0.0.0"

    async def serve(self) -> None:
        """Answer until the connection ends."""
        service = "api-ssl" if self._writer.get_extra_info("ssl_object") else "api"
        if not self.router.accounts.welcome(self.peer, service):
            self._writer.close()
            return
        try:
            while True:
                words = await self._next_sentence()
                if not words or self.router.faults.hanging:
                    continue
                before = len(self._running)
                if self._handle(parse_sentence(words)):
                    break
                if len(self._running) > before:
                    await asyncio.sleep(0)  # a listener is in place before the next command changes something
                await self._drain_if_full()
        except (asyncio.IncompleteReadError, ConnectionError, errors.WireError):
            pass
        finally:
            self._end()

    async def _next_sentence(self) -> list[str]:
        if self.account is None:
            return await wire.read_sentence(self._reader, LONGEST_BEFORE_LOGIN, MOST_WORDS_BEFORE_LOGIN)
        return await wire.read_sentence(self._reader)

    def _end(self) -> None:
        for task in self._running:
            task.cancel()
        if self.session is not None:
            self.router.accounts.logged_out(self.session)
            self.session = None
        self._ended = True
        if not self._outgoing:
            self._writer.close()

    def abort(self) -> None:
        """Reset the connection."""
        self._writer.transport.abort()

    # writing

    def send(self, words: list[str]) -> None:
        """Queue a sentence; everything queued in one turn of the loop leaves together, after the
        round-trip time."""
        if not self._batch:
            asyncio.get_running_loop().call_soon(self._release)
        self._batch.append(wire.encode_sentence(words))

    def _release(self) -> None:
        raw = b"".join(self._batch)
        self._batch.clear()
        if not raw or self.router.faults.hanging:
            return
        if self.router.rtt_s > 0:
            self._outgoing.append(raw)
            asyncio.get_running_loop().call_later(self.router.rtt_s, self._write_oldest)
        else:
            self._write(raw)

    def _write_oldest(self) -> None:
        self._write(self._outgoing.popleft())
        if self._ended and not self._outgoing:
            self._writer.close()

    def _write(self, raw: bytes) -> None:
        if self._writer.is_closing():
            return
        spoil, self.router.faults.spoil_next = self.router.faults.spoil_next, None
        if spoil is Spoil.HALF:
            self._writer.write(raw[: max(1, len(raw) // 2)])
            self._writer.close()
        elif spoil is Spoil.GARBAGE:
            self._writer.write(GARBAGE)
        else:
            self._writer.write(raw)

    async def flush(self) -> None:
        """Wait while the client has much left to read."""
        self._release()
        await self._drain_if_full()

    async def _drain_if_full(self) -> None:
        if self._writer.transport.get_write_buffer_size() > FLUSH_BYTES:
            await self._writer.drain()

    def _reply(self, sentence: Sentence, word: str, *rest: str) -> None:
        tag = [] if sentence.tag is None else [f".tag={sentence.tag}"]
        self.send([word, *tag, *rest])

    def _say_and_close(self, *words: str) -> bool:
        self.send(list(words))
        self._release()
        return True

    # commands

    def _handle(self, sentence: Sentence) -> bool:
        """Start one command. True if the connection is over."""
        self.router.server.heard[sentence.command] += 1
        if sentence.command == "/login":
            return self._login(sentence)
        if self.account is None:
            return self._say_and_close("!fatal", "not logged in")
        if sentence.command == "/quit":
            return self._say_and_close("!fatal", "session terminated on request")
        if sentence.command == "/cancel":
            self._cancel(sentence)
        else:
            self._start(sentence, self.account)
        return False

    def _start(self, sentence: Sentence, account: Account) -> None:
        verb = sentence.command.rpartition("/")[2]
        call = Call(self.router, self.router.nowhere, verb, sentence, account, self)
        try:
            handler, call.menu = self.router.resolve(sentence.command, account)
        except errors.Trap as trap:
            call.trap(trap)
            call.done()
            return
        if inspect.iscoroutinefunction(handler):
            self._run(handler, call)
            return
        try:
            handler(call)
        except errors.Trap as trap:
            call.trap(trap)
        call.done()

    def _run(self, handler: Handler, call: Call) -> None:
        task = asyncio.get_running_loop().create_task(self._finish(handler, call))
        self._running[task] = call
        task.add_done_callback(self._running.pop)

    async def _finish(self, handler: Handler, call: Call) -> None:
        try:
            pending = handler(call)
            if pending is not None:
                await pending
        except errors.Trap as trap:
            call.trap(trap)
        except ConnectionError:
            return
        call.done()
        await self.flush()

    def _cancel(self, sentence: Sentence) -> None:
        """End commands: the one with `=tag=`, or all. The victim's trap, then the cancel's `!done`, then
        the victim's."""
        wanted = sentence.attributes.get("tag")
        victims = [
            (task, call)
            for task, call in self._running.items()
            if not call.finished and (wanted is None or call.sentence.tag == wanted)
        ]
        for task, call in victims:
            task.cancel()
            call.trap(errors.interrupted())
        self._reply(sentence, "!done")
        for _, call in victims:
            call.done()

    # login

    def _login(self, sentence: Sentence) -> bool:
        personality = self.router.personality
        given = sentence.attributes
        plain = personality.knows_plain_login and "name" in given and "response" not in given
        if not plain and "response" not in given:
            self._challenge = os.urandom(16)
            self._reply(sentence, "!done", f"=ret={self._challenge.hex()}")
            return False
        user = given.get("name", "")
        if plain:
            account = self.router.accounts.check(user, given.get("password", ""))
        else:
            account = self._answered(user, given.get("response", ""))
        return self._admit(sentence, user, account)

    def _answered(self, user: str, response: str) -> Account | None:
        password = self.router.accounts.password_of(user)
        challenge, self._challenge = self._challenge, b""
        if password is None or not challenge or not self.router.personality.accepts_challenge:
            return None
        raw = password.encode("utf-8", "surrogateescape")
        expected = "00" + hashlib.md5(b"\x00" + raw + challenge, usedforsecurity=False).hexdigest()
        return self.router.accounts.account(user) if response == expected else None

    def _admit(self, sentence: Sentence, user: str, account: Account | None) -> bool:
        if account is None:
            self.router.log("system,error,critical", f"login failure for user {user} from {self.peer} via api")
            old = not self.router.personality.knows_plain_login
            text = "cannot log in" if old else "invalid user name or password (6)"
            self._reply(sentence, "!trap", f"=message={text}")
            self._reply(sentence, "!done")
            return False
        if self.router.accounts.full():
            return self._turn_away(sentence)
        if self.session is not None:
            self.router.accounts.logged_out(self.session)
        self.account = account
        self.router.server.logins += 1
        self.session = self.router.accounts.logged_in(account, self.peer, self)
        self._reply(sentence, "!done")
        return False

    def _turn_away(self, sentence: Sentence) -> bool:
        """One session too many. What a real router shows is not established, so the personality chooses."""
        how = self.router.personality.over_sessions
        if how == "fatal":
            return self._say_and_close("!fatal", "too many sessions")
        if how == "trap":
            self._reply(sentence, "!trap", "=message=too many sessions")
            self._reply(sentence, "!done")
            return False
        return True
