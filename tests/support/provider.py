"""The running product and the lab around it, in the words of the stories: hosts, routers, subscribers, phones."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import librouteros

from tests.support.phone import Phone
from tests.support.stack import RunningProduct
from tests.support.waiting import until

Row = dict[str, Any]

NOC_GROUP = "tg:-4021987001"
SARI = "tg:612880011"  # private, Indonesian
DAVID = "tg:612880022"  # private, English
STRANGER = "tg:612880033"
HENDRA = "wa:6281330009011"  # the administrator at WhatsApp

ACCOUNT_MENU = {"hotspot": "/ip/hotspot/user", "ppp": "/ppp/secret"}
ACTIVE_MENU = {"hotspot": ("/ip/hotspot/active", "user"), "ppp": ("/ppp/active", "name")}
LAB_SERVICE = {"hotspot": "hotspot", "ppp": "pppoe"}


@dataclass(frozen=True, slots=True)
class RouterAsked:
    """A router as a librouteros client sees it, beside the product's own connection."""

    client: Any

    async def rows(self, menu: str, **where: str) -> list[Row]:
        """The rows of a menu whose columns have these values."""
        rows = [row async for row in self.client.path(*menu.strip("/").split("/"))]
        return [row for row in rows if all(str(row.get(name)) == value for name, value in where.items())]

    async def account(self, service: str, name: str) -> Row | None:
        """The account of this name, None if there is none. Fails if there are two."""
        rows = await self.rows(ACCOUNT_MENU[service], name=name)
        assert len(rows) <= 1, rows
        return rows[0] if rows else None

    async def sessions(self, service: str, name: str) -> list[Row]:
        """Who is on line under this name."""
        menu, column = ACTIVE_MENU[service]
        return await self.rows(menu, **{column: name})


@dataclass(frozen=True, slots=True)
class Provider:
    """Guyub Net, as the stories speak of it."""

    product: RunningProduct
    met: set[str] = field(default_factory=set)

    def phone(self, chat: str) -> Phone:
        """The phone (or group) with this chat."""
        return Phone(self.product.lab, chat)

    def subscribers_phone(self, subscriber: Row) -> Phone:
        """The subscriber's own WhatsApp."""
        return self.phone("wa:62" + subscriber["phone"].removeprefix("0"))

    async def get(self, path: str, **query: Any) -> Any:
        """`GET /api/v1/<path>` as the owner."""
        return (await self.product.api.get(f"/api/v1/{path}", params=query)).raise_for_status().json()

    async def all(self, path: str, **query: Any) -> list[Row]:
        """Every row of a list, page by page."""
        rows: list[Row] = []
        cursor: dict[str, str] = {}
        while True:
            page = await self.get(path, **query, **cursor)
            rows += page["items"]
            if not page["next_cursor"]:
                return rows
            cursor = {"cursor": page["next_cursor"]}

    async def events(self, types: str, **query: str) -> list[Row]:
        """The events' history, oldest first."""
        return (await self.all("events", types=types, **query))[::-1]

    async def host(self, name: str) -> Row:
        """A watched host as the REST API shows it."""
        (row,) = (await self.get("hosts", name=name))["items"]
        return dict(row)

    async def router_id(self, name: str) -> str:
        """The product's id of a router."""
        return next(row["id"] for row in await self.all("routers") if row["name"] == name)

    async def subscriber(self, router: str, service: str, language: str = "id") -> Row:
        """A subscriber of the lab who is off line, and whom no other story has met."""
        inventory = (await self.product.lab.get("/lab/api/inventory")).json()
        kind = (router, LAB_SERVICE[service], language)
        fitting = [s for s in inventory["subscribers"] if (s["router"], s["service"], s["language"]) == kind]
        chosen = next(s for s in fitting if s["user"] not in self.met)
        self.met.add(chosen["user"])
        await self.send_home(chosen)
        return dict(chosen)

    async def send_home(self, person: Row) -> None:
        """Log somebody out, who may be on line, and wait until that has been told."""
        admin, own, user = self.phone(HENDRA), self.subscribers_phone(person), person["user"]
        after = await admin.now()
        was_online = bool(await self.open_sessions(user))
        await self.product.lab_do("subscribers", user, "logout")
        if was_online:
            for phone in (admin, own):
                await phone.message("OFFLINE", f"· {user}", after=after)
        await self.known_sessions(user, 0)

    async def open_sessions(self, account: str) -> list[Row]:
        """The sessions of an account that the product takes for open."""
        return await self.all("sessions", account=account, open=True)

    async def known_sessions(self, account: str, count: int) -> list[Row]:
        """Wait until the product knows this many open sessions of an account."""

        async def as_many() -> tuple[list[Row]] | None:
            rows = await self.open_sessions(account)
            return (rows,) if len(rows) == count else None

        return (await until(as_many))[0]  # type: ignore[index]

    async def planned_router(self, name: str) -> Row:
        """Address and log-in of a router of the lab."""
        inventory = (await self.product.lab.get("/lab/api/inventory")).json()
        return dict(next(row for row in inventory["routers"] if row["name"] == name))

    @asynccontextmanager
    async def asked(self, router: str) -> AsyncIterator[RouterAsked]:
        """Log in to a router of the lab with a client that is not ours."""
        plan = await self.planned_router(router)
        client = await librouteros.async_connect(
            plan["host"], plan["user"], plan["password"], port=plan["port"], encoding="utf-8"
        )
        try:
            yield RouterAsked(client)
        finally:
            await client.close()
