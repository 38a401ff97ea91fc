"""What goes on at a provider while something is killed: hosts fail, subscribers come and go, the desk changes accounts.

Every deed is done by somebody who does not give up: a request that fails is made again. Each deed is counted before it
is done, so that a kill can be aimed between any two of them.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.support.provider import NOC_GROUP, Provider, Row
from tests.support.waiting import until

PATIENCE_S = 90.0  # a message that a killed process held is handed out again after 30 s
LONGER_THAN_A_BLIP = timedelta(seconds=10.5)
_AGAIN_S = 0.1


@dataclass
class Wanted:
    """An account as the desk wanted it last."""

    id: str
    router: str
    service: str
    name: str
    generation: int
    password: str
    profile: str


@dataclass
class Workload:
    """All that was done, for the reckoning afterwards."""

    provider: Provider
    deeds: int = 0
    hosts: list[Row] = field(default_factory=list)
    sessions: list[tuple[Row, str]] = field(default_factory=list)
    accounts: dict[str, Wanted] = field(default_factory=dict)

    def deed(self) -> None:
        """One more thing is about to be done."""
        self.deeds += 1

    async def host_fails(self, name: str) -> None:
        """Cut, told in the group, restored when nobody can call it a blip, told again."""
        group = self.provider.phone(NOC_GROUP)
        host = await stubborn(lambda: self.provider.host(name))
        self.hosts.append(host)
        after = await group.now()
        self.deed()
        await self.provider.product.lab_do("hosts", name, "cut")
        alarm = await group.message("DOWN", f"{name} @", after=after, within_s=PATIENCE_S)
        event = (await stubborn(lambda: self._known("host.down", host_id=host["id"])))[-1]
        since = datetime.fromisoformat(event["body"]["since"])
        await until(lambda: datetime.now(UTC) - since > LONGER_THAN_A_BLIP)  # noqa: TID251 — the lab's outage is real
        self.deed()
        await self.provider.product.lab_do("hosts", name, "restore")
        await group.message("UP", f"{name} @", after=after, reply_to=alarm["id"], within_s=PATIENCE_S)

    async def subscriber_comes_and_goes(self, person: Row) -> None:
        """Log in; log out when the product knows of it, since nobody can know of what came and went unseen."""
        self.deed()
        await self.provider.product.lab_do("subscribers", person["user"], "login")
        (session,) = await stubborn(lambda: self._sessions(person["user"], 1))
        self.sessions.append((person, session["session_id"]))
        self.deed()
        await self.provider.product.lab_do("subscribers", person["user"], "logout")
        await stubborn(lambda: self._sessions(person["user"], 0))

    async def desk_opens(self, router: str, service: str, name: str, profile: str) -> None:
        """A new account. The same key makes the same request once, however often it is sent."""
        self.deed()
        router_id = await stubborn(lambda: self.provider.router_id(router))
        body = {"router_id": router_id, "service": service, "name": name, "password": "awal", "profile": profile}
        made = await self._ask("POST", "accounts", body, key=secrets.token_hex(8))
        self.accounts[name] = Wanted(made["id"], router, service, name, made["generation"], "awal", profile)

    async def desk_changes(self, name: str, password: str, profile: str) -> None:
        """Another password and profile."""
        self.deed()
        wanted = self.accounts[name]
        made = await self._ask("PATCH", f"accounts/{wanted.id}", {"password": password, "profile": profile})
        wanted.generation, wanted.password, wanted.profile = made["generation"], password, profile

    async def _ask(self, method: str, path: str, body: Row, key: str = "") -> Row:
        async def once() -> Row:
            headers = {"Idempotency-Key": key} if key else {}
            answer = await self.provider.product.api.request(method, f"/api/v1/{path}", json=body, headers=headers)
            if answer.status_code != httpx.codes.ACCEPTED:
                answer.raise_for_status()
            return dict(answer.json())

        return await stubborn(once)

    async def _known(self, types: str, **query: str) -> list[Row]:
        async def some() -> list[Row]:
            return await stubborn(lambda: self.provider.events(types, **query))

        return await until(some, PATIENCE_S)

    async def _sessions(self, account: str, count: int) -> list[Row]:
        async def as_many() -> tuple[list[Row]] | None:
            rows = await stubborn(lambda: self.provider.open_sessions(account))
            return (rows,) if len(rows) == count else None

        return (await until(as_many, PATIENCE_S))[0]  # type: ignore[index]


async def stubborn(request: Callable[[], Awaitable[Any]]) -> Any:
    """Ask again while the api is away or cannot answer; a refusal (4xx) is an error at once."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                return await request()
            except httpx.HTTPStatusError as refused:
                if refused.response.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                    raise AssertionError(f"{refused}: {refused.response.text}") from refused
            except httpx.TransportError:
                pass
            await asyncio.sleep(_AGAIN_S)
