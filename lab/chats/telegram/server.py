"""The HTTP side: `/bot<token>/<method>` and `/file/bot<token>/<path>` on a port of this machine."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from lab.chats.faults import Fault, Faults, hold_or_cut
from lab.chats.serving import Listener
from lab.chats.telegram.arguments import MAX_UPLOAD_BYTES, Arguments, read_arguments
from lab.chats.telegram.calls import Call
from lab.chats.telegram.errors import ApiError, too_many_requests
from lab.chats.telegram.limits import Limits
from lab.chats.telegram.messages import Mailbox, open_thread
from lab.chats.telegram.methods import method_named
from lab.chats.telegram.phones import Phones
from lab.chats.telegram.updates import Updates
from lab.chats.telegram.world import MEMBER, BotAccount, Person, Room, World
from lab.chats.threads import Threads


class TelegramServer:
    """A Telegram of one's own. Add bots and people, start it, point a bot library at `url`."""

    def __init__(self, threads: Threads | None = None, *, limits: Limits | None = None) -> None:
        self.threads = threads if threads is not None else Threads()
        self.world = World()
        self.limits = limits or Limits()
        self.faults = Faults()
        self.mailbox = Mailbox(self.world, self.threads)
        self.phones = Phones(self.mailbox, self._queue)
        self.calls: list[tuple[str, dict[str, str]]] = []
        """The last calls, method and arguments, for tests and the control page."""
        self._updates: dict[int, Updates] = {}
        self._listener = Listener(self._application())

    @property
    def url(self) -> str:
        """Where bots find it, such as http://127.0.0.1:9001."""
        return self._listener.url

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen; port 0 takes a free one. The address."""
        return await self._listener.start(host, port)

    async def stop(self) -> None:
        """End polls and deliveries, close the port."""
        for updates in self._updates.values():
            await updates.close()
        await self._listener.stop()

    def add_bot(self, token: str, username: str, first_name: str, *, privacy: bool = True) -> BotAccount:
        """A bot that @BotFather has made."""
        return self.world.add_bot(token, username, first_name, privacy=privacy)

    def add_person(self, person: Person, *, started: bool = False) -> str:
        """A person; `started` when they have pressed Start with the first bot. The thread id."""
        self.world.add_person(person)
        for number, bot in enumerate(self.world.bots.values()):
            room = bot.private[person.id]
            if started and not number:
                room.bots[bot.id] = MEMBER
            open_thread(bot, room, self.world, self.threads)
        return f"tg:{person.id}"

    def add_group(
        self,
        group_id: int,
        title: str,
        members: list[Person],
        *,
        kind: str = "group",
        forum: bool = False,
        bot_state: str = MEMBER,
    ) -> str:
        """A group with the first bot inside; ids of supergroups begin with -100. The thread id."""
        bot = next(iter(self.world.bots.values()))
        room = Room(group_id, kind, title, members={p.id: p for p in members}, forum=forum)
        room.bots[bot.id] = bot_state
        self.world.groups[group_id] = room
        return open_thread(bot, room, self.world, self.threads).id

    def updates_of(self, bot: BotAccount) -> Updates:
        """The update queue of a bot."""
        if bot.id not in self._updates:
            self._updates[bot.id] = Updates(bot, self._run_from_webhook)
        return self._updates[bot.id]

    def set_away(self, away: bool) -> None:
        """Cut the bots off from Telegram, or let them back; what people write meanwhile waits."""
        self.faults.clear("away")
        if away:
            self.faults.order(Fault("away", times=0))
        for bot in self.world.bots.values():
            self.updates_of(bot).away = away
            if away:
                self.updates_of(bot).drop_poll()

    def _queue(self, bot: BotAccount, kind: str, body: dict[str, Any]) -> None:
        self.updates_of(bot).add(kind, body)

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=MAX_UPLOAD_BYTES + 1024 * 1024)
        application.router.add_route("*", "/bot{token}/{method}", self._handle)
        application.router.add_get("/file/bot{token}/{path:.+}", self._file)
        application.router.add_route("*", "/{rest:.*}", self._nothing)
        return application

    async def _nothing(self, _: web.Request) -> web.StreamResponse:
        return _answer(ApiError(404, "Not Found"))

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        try:
            arguments = await read_arguments(request)
            fault = self.faults.take(method, arguments.text("chat_id"))
            if fault is not None:
                return await _faulty(fault, request)
            bot = self.world.bot(request.match_info["token"])
            result = await self._run(bot, method, arguments)
        except ApiError as error:
            return _answer(error)
        except ConnectionResetError:
            return await _faulty(Fault("cut"), request)
        return web.json_response({"ok": True, "result": result})

    async def _run(self, bot: BotAccount, method: str, arguments: Arguments) -> Any:
        found = method_named(method)
        if method.lower() != "getupdates":
            self.calls.append((method, arguments.values))
            del self.calls[:-500]
        call = Call(bot, arguments, self.world, self.mailbox, self.phones, self.updates_of(bot), self.limits)
        return await found(call)

    async def _run_from_webhook(self, bot: BotAccount, call: dict[str, Any]) -> None:
        arguments = Arguments.from_object(call)
        await self._run(bot, arguments.text("method"), arguments)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        try:
            self.world.bot(request.match_info["token"])
        except ApiError as error:
            return _answer(error)
        found = self.world.files.get(request.match_info["path"])
        if found is None:
            return _answer(ApiError(404, "Not Found"))
        return web.Response(body=found[1], content_type="application/octet-stream")


async def _faulty(fault: Fault, request: web.Request) -> web.StreamResponse:
    worded = {
        "retry_after": too_many_requests(int(fault.seconds)),
        "server_error": ApiError(500, "Internal Server Error: restart"),
        "unauthorized": ApiError(401, "Unauthorized"),
    }
    if fault.kind in worded:
        return _answer(worded[fault.kind])
    return await hold_or_cut(fault, request) or _answer(worded["server_error"])


def _answer(error: ApiError) -> web.Response:
    headers = {}
    if "retry_after" in error.parameters:
        headers["Retry-After"] = str(error.parameters["retry_after"])
    return web.json_response(error.body(), status=error.code, headers=headers)
