"""Updates on their way to a bot: the queue, long polling with its conflicts, and webhook delivery."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from lab.chats.telegram.arguments import Arguments
from lab.chats.telegram.errors import ApiError, bad_request, conflict
from lab.chats.telegram.world import BotAccount, Webhook, unix_now

NOT_BY_DEFAULT = {"chat_member", "message_reaction", "message_reaction_count"}
KEPT_SECONDS = 86_400
MAX_POLL_SECONDS = 50
SECRET = re.compile(r"^[A-Za-z0-9_-]{1,256}$")
OTHER_POLLER = "terminated by other getUpdates request; make sure that only one bot instance is running"
WEBHOOK_ACTIVE = "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"


class Updates:
    """The updates of one bot."""

    def __init__(self, bot: BotAccount, run_method: Callable[[BotAccount, dict[str, Any]], Awaitable[None]]) -> None:
        self.bot = bot
        self._run_method = run_method
        self._arrived = asyncio.Event()
        self.polling = asyncio.Event()
        """Set while a long poll waits."""
        self._poll: asyncio.Future[str] | None = None
        self._last_offset: tuple[int, float] = (0, 0.0)
        self.away = False
        """No way to the bot: deliveries fail."""
        self._delivery: asyncio.Task[None] | None = None
        self._born: dict[int, float] = {}

    def add(self, kind: str, body: dict[str, Any]) -> int:
        """Queue an update unless the bot does not want its kind; its number, or 0."""
        wanted = kind in self.bot.allowed if self.bot.allowed else kind not in NOT_BY_DEFAULT
        if not wanted:
            return 0
        number = self.bot.next_update
        self.bot.next_update += 1
        self.bot.updates.append({"update_id": number, kind: body})
        self._born[number] = time.monotonic()
        self._arrived.set()
        return number

    async def poll(self, arguments: Arguments) -> list[dict[str, Any]]:
        """getUpdates; raises 409 when a webhook is set or another poller comes."""
        if self.bot.webhook is not None:
            raise conflict(WEBHOOK_ACTIVE)
        self._end_poll(OTHER_POLLER)
        if "allowed_updates" in arguments:
            self.bot.allowed = allowed_from(arguments)
        offset = arguments.integer("offset")
        limit = arguments.integer("limit", 100)
        limit = limit if 1 <= limit <= 100 else 100
        seconds = float(min(max(arguments.integer("timeout"), 0), MAX_POLL_SECONDS))
        seconds = self._guarded(offset, seconds)
        self._confirm(offset)
        return await self._wait(limit, seconds)

    def _guarded(self, offset: int, seconds: float) -> float:
        """The same question again within 3 s is held for 3 s, so that a busy loop hurts nobody."""
        before, then = self._last_offset
        now = time.monotonic()
        self._last_offset = (offset, now)
        return 3.0 if offset == before and seconds < 3 and now - then < 3 and then else seconds

    def _confirm(self, offset: int) -> None:
        waiting = self.bot.updates
        oldest = time.monotonic() - KEPT_SECONDS
        waiting[:] = [u for u in waiting if self._born.get(u["update_id"], oldest + 1) > oldest]
        if offset > 0:
            waiting[:] = [u for u in waiting if u["update_id"] >= offset]
        elif offset < 0:
            waiting[:] = waiting[offset:]
        kept = {u["update_id"] for u in waiting}
        self._born = {number: born for number, born in self._born.items() if number in kept}

    async def _wait(self, limit: int, seconds: float) -> list[dict[str, Any]]:
        if self.bot.updates or not seconds:
            return self.bot.updates[:limit]
        ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._poll = ended
        self.polling.set()
        deadline = time.monotonic() + seconds
        try:
            while not self.bot.updates and (left := deadline - time.monotonic()) > 0:
                self._arrived.clear()
                arrival = asyncio.ensure_future(self._arrived.wait())
                either: set[asyncio.Future[Any]] = {arrival, ended}
                await asyncio.wait(either, timeout=left, return_when=asyncio.FIRST_COMPLETED)
                arrival.cancel()
                if ended.done():
                    raise conflict(ended.result())
            return self.bot.updates[:limit]
        finally:
            if self._poll is ended:
                self._poll = None
                self.polling.clear()

    def _end_poll(self, words: str) -> None:
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(words)
            self._poll = None

    async def set_webhook(self, arguments: Arguments) -> None:
        """setWebhook; https, or plain http to this machine as a local Bot API server allows."""
        url = arguments.text("url")
        if not url:
            await self.delete_webhook(drop=arguments.flag("drop_pending_updates"))
            return
        _check_address(url)
        secret = arguments.text("secret_token")
        if secret and not SECRET.match(secret):
            raise bad_request("secret token contains unallowed characters")
        self._end_poll("terminated by setWebhook request")
        await self.close()
        if arguments.flag("drop_pending_updates"):
            self.bot.updates.clear()
        if "allowed_updates" in arguments:
            self.bot.allowed = allowed_from(arguments)
        self.bot.webhook = Webhook(url, secret, arguments.integer("max_connections", 40))
        self._delivery = asyncio.create_task(self._deliver(self.bot.webhook))

    async def delete_webhook(self, *, drop: bool) -> None:
        """deleteWebhook; waiting updates stay for getUpdates unless they are dropped."""
        await self.close()
        self.bot.webhook = None
        if drop:
            self.bot.updates.clear()

    def drop_poll(self) -> None:
        """The line is cut under a waiting poll."""
        if self._poll is not None and not self._poll.done():
            self._poll.set_exception(ConnectionResetError("the line was cut"))
            self._poll = None

    async def close(self) -> None:
        """Stop the delivery and end a waiting poll's task."""
        if self._delivery is not None:
            self._delivery.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._delivery
            self._delivery = None

    async def _deliver(self, webhook: Webhook) -> None:
        headers = {"X-Telegram-Bot-Api-Secret-Token": webhook.secret} if webhook.secret else {}
        async with aiohttp.ClientSession(headers=headers) as session:
            pause = 1.0
            while True:
                while not self.bot.updates:
                    self._arrived.clear()
                    await self._arrived.wait()
                update = self.bot.updates[0]
                asked = await self._post(session, webhook, update)
                if asked is None:
                    if self.bot.updates and self.bot.updates[0] is update:
                        self.bot.updates.pop(0)
                    pause = 1.0
                    continue
                await asyncio.sleep(asked or pause)
                pause = min(pause * 2, random.uniform(60, 120))  # noqa: S311 - the real server's own spread

    async def _post(self, session: aiohttp.ClientSession, webhook: Webhook, update: dict[str, Any]) -> float | None:
        """One try: None when delivered, else the seconds the other side asked for (0: none asked)."""
        if self.away:
            return 0.0
        try:
            async with session.post(webhook.url, json=update, timeout=aiohttp.ClientTimeout(total=60)) as answer:
                body = await answer.read()
                if 200 <= answer.status < 300:
                    await self._answered(body)
                    return None
                webhook.last_error = f"Wrong response from the webhook: {answer.status} {answer.reason}"
                asked = answer.headers.get("Retry-After", "")
                webhook.last_error_at = unix_now()
                return float(min(int(asked), 3600)) if asked.isdigit() else 0.0
        except (aiohttp.ClientError, TimeoutError):
            webhook.last_error_at = unix_now()
            webhook.last_error = "Connection refused"
            return 0.0

    async def _answered(self, body: bytes) -> None:
        """The answer to a webhook may carry one call."""
        with contextlib.suppress(ValueError, ApiError):
            call = json.loads(body)
            if isinstance(call, dict) and "method" in call:
                await self._run_method(self.bot, call)


def allowed_from(arguments: Arguments) -> list[str]:
    """The list in `allowed_updates`; raises 400 when it is none."""
    value = arguments.json("allowed_updates")
    if value is None:
        return []
    if not isinstance(value, list):
        raise bad_request("can't parse allowed_updates: expected an Array of String")
    return [str(kind) for kind in value]


def _check_address(url: str) -> None:
    parts = urlsplit(url)
    local = parts.hostname in {"localhost", "::1"} or (parts.hostname or "").startswith("127.")
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    if not local and (parts.port or 443) not in {443, 80, 88, 8443}:
        raise bad_request("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")
