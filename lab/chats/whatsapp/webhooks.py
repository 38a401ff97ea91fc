"""Webhooks of the Cloud API: the handshake, signed deliveries, and trying again when nobody took them."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import secrets
from typing import Any

import aiohttp

from lab.chats.whatsapp.errors import CloudError

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 600.0
TRIES = 40


def signature(app_secret: str, raw: bytes) -> str:
    """The value of X-Hub-Signature-256."""
    return "sha256=" + hmac.new(app_secret.encode(), raw, hashlib.sha256).hexdigest()


class Webhooks:
    """Deliveries to one callback address. `signing` can be broken on purpose."""

    def __init__(self, app_secret: str) -> None:
        self.app_secret = app_secret
        self.url = ""
        self.twice = False
        """Deliver everything two times, as happens after a slow answer."""
        self.away = False
        """No way to the callback address."""
        self.delivered = 0
        self.failed_tries = 0
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def subscribe(self, url: str, verify_token: str) -> None:
        """Do the handshake and use the address from now on; raises CloudError when it is refused."""
        challenge = str(secrets.randbelow(2_000_000_000))
        query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": verify_token}
        refused = "The callback URL could not be verified: HTTP status or challenge were not right."
        try:
            async with self._client().get(url, params=query) as answer:
                text = await answer.text()
                if answer.status != 200 or text.strip() != challenge:
                    raise CloudError(2200, refused)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise CloudError(2200, refused) from error
        self.url = url

    def deliver(self, body: dict[str, Any]) -> None:
        """Send without waiting; each delivery is tried again on its own, so their order is not sure."""
        if not self.url:
            return
        for _ in range(2 if self.twice else 1):
            task = asyncio.create_task(self._until_taken(json.dumps(body, separators=(",", ":")).encode()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Give up what is still on its way."""
        for task in list(self._tasks):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=15))
        return self._session

    async def _until_taken(self, raw: bytes) -> None:
        pause = FIRST_PAUSE_SECONDS
        for _ in range(TRIES):
            if await self._try(raw):
                self.delivered += 1
                return
            self.failed_tries += 1
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _try(self, raw: bytes) -> bool:
        if self.away:
            return False
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "facebookexternalua",
            "X-Hub-Signature-256": signature(self.app_secret, raw),
        }
        try:
            async with self._client().post(self.url, data=raw, headers=headers) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False
