"""Story 3: what is wanted of an account through the REST API is what its router has, and everybody sees how far."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.e2e.conftest import ON_THE_PRODUCT
from tests.support.live_events import LiveEvents, live_events
from tests.support.provider import Provider, Row
from tests.support.waiting import until

pytestmark = ON_THE_PRODUCT

ROUTERS = [("gw-waru", "6.49"), ("gw-sedati", "7.")]
PROFILES = {"hotspot": ("harian", "bulanan"), "ppp": ("paket-5", "paket-20")}
NOT_THERE = "paket-turbo"


class Desk:
    """The service desk: changes accounts through the REST API and waits for what becomes of it."""

    def __init__(self, provider: Provider, live: LiveEvents) -> None:
        self._provider = provider
        self._api = provider.product.api
        self._live = live

    async def open(self, router: str, service: str, name: str, **fields: Any) -> Row:
        """`POST /api/v1/accounts`: a new account, not yet on its router."""
        router_id = await self._provider.router_id(router)
        body = {"router_id": router_id, "service": service, "name": name, **fields}
        return taken(await self._api.post("/api/v1/accounts", json=body))

    async def change(self, account: Row, **fields: Any) -> Row:
        """`PATCH`: the next generation."""
        changed = taken(await self._api.patch(f"/api/v1/accounts/{account['id']}", json=fields))
        assert changed["generation"] > account["generation"]
        return changed

    async def delete(self, account: Row) -> Row:
        """`DELETE`."""
        return taken(await self._api.delete(f"/api/v1/accounts/{account['id']}"))

    async def settled(self, account: Row, *, outcome: str = "applied") -> Row:
        """Wait until REST and SSE both say what became of this generation; answers REST's view."""

        async def view() -> Row | None:
            row = await self._provider.get(f"accounts/{account['id']}")
            return row if row["apply_state"] == outcome else None

        def this_generation(body: dict[str, Any]) -> bool:
            return (body["account_id"], body["generation"]) == (account["id"], account["generation"])

        await self._live.first(f"account.{outcome}", this_generation)
        row: Row = await until(view)  # type: ignore[arg-type, assignment]
        assert row["generation"] == account["generation"]
        return row


def taken(answer: httpx.Response) -> Row:
    assert answer.status_code == 202, answer.text
    row = dict(answer.json())
    assert row["apply_state"] == "pending"
    assert "password" not in answer.text
    return row


@pytest.mark.mission("A2", "B1", "B2", "B3", "B4", "F")
@pytest.mark.parametrize("service", ["hotspot", "ppp"])
@pytest.mark.parametrize(("router", "version"), ROUTERS)
async def test_an_account_from_its_opening_to_its_end(
    provider: Provider, router: str, version: str, service: str
) -> None:
    assert (await provider.planned_router(router))["version"].startswith(version)
    name, (first, second) = f"tamu-{service}@paket baru", PROFILES[service]
    async with live_events(provider.product.api, "account.applied,account.failed") as live, provider.asked(router) as r:
        desk = Desk(provider, live)
        account = await desk.open(router, service, name, password="rahasia satu", profile=first, comment="loket 3")
        applied = await desk.settled(account)
        assert applied["applied_generation"] == 1
        row = await r.account(service, name)
        assert row is not None
        assert (row["password"], row["profile"], row["disabled"]) == ("rahasia satu", first, False)
        assert row["comment"] == "loket 3"

        account = await desk.change(account, password="rahasia dua")
        await desk.settled(account)
        row = await r.account(service, name)
        assert row is not None
        assert (row["password"], row["profile"]) == ("rahasia dua", first)

        account = await desk.change(account, profile=second)
        await desk.settled(account)
        row = await r.account(service, name)
        assert row is not None
        assert (row["password"], row["profile"]) == ("rahasia dua", second)

        for status, disabled in (("disabled", True), ("active", False)):
            account = await desk.change(account, status=status)
            await desk.settled(account)
            row = await r.account(service, name)
            assert row is not None
            assert row["disabled"] is disabled

        account = await desk.delete(account)
        await desk.settled(account)
        assert await r.account(service, name) is None
    history = await provider.events("account.applied", account=name, router_id=account["router_id"])
    assert [event["body"]["generation"] for event in history] == [1, 2, 3, 4, 5, 6]


@pytest.mark.mission("B2", "B3", "E4")
@pytest.mark.parametrize("service", ["hotspot", "ppp"])
@pytest.mark.parametrize(("router", "version"), ROUTERS)
async def test_who_is_disabled_is_thrown_out_and_who_is_enabled_comes_back(
    provider: Provider, router: str, version: str, service: str
) -> None:
    assert (await provider.planned_router(router))["version"].startswith(version)
    person = await provider.subscriber(router, service)
    user = person["user"]
    (account,) = (await provider.get("accounts", name=user))["items"]
    lab_do = provider.product.lab_do
    async with live_events(provider.product.api, "account.applied,session.closed") as live, provider.asked(router) as r:
        desk = Desk(provider, live)
        await lab_do("subscribers", user, "login")
        assert len(await r.sessions(service, user)) == 1
        (session,) = await provider.known_sessions(user, 1)

        account = await desk.change(account, status="disabled")
        await desk.settled(account)
        assert await r.sessions(service, user) == []
        await live.first("session.closed", lambda body: body["session_id"] == session["session_id"])
        await provider.known_sessions(user, 0)
        await refused_to_log_in(provider, user)

        account = await desk.change(account, status="active")
        await desk.settled(account)
        await lab_do("subscribers", user, "login")
        assert len(await r.sessions(service, user)) == 1
        await lab_do("subscribers", user, "logout")

        account = await desk.change(account, password="yang lain")
        await desk.settled(account)
        await refused_to_log_in(provider, user)
        account = await desk.change(account, password=person["password"])
        await desk.settled(account)
        await lab_do("subscribers", user, "login")
        await lab_do("subscribers", user, "logout")


async def refused_to_log_in(provider: Provider, user: str) -> None:
    """The router does not let this subscriber in with the old rights, and the lab stops dialling."""
    answer = await provider.product.lab.post(f"/lab/api/subscribers/{user}/login")
    assert answer.status_code == 409, answer.text
    assert "was refused" in answer.json()["error"]
    await provider.product.lab_do("subscribers", user, "logout")


@pytest.mark.parametrize(("router", "version"), ROUTERS)
async def test_a_wrong_profile_comes_back_with_the_routers_own_words(
    provider: Provider, router: str, version: str
) -> None:
    assert (await provider.planned_router(router))["version"].startswith(version)
    name = "salah-paket"
    async with live_events(provider.product.api, "account.applied,account.failed") as live, provider.asked(router) as r:
        desk = Desk(provider, live)
        account = await desk.open(router, "ppp", name, password="rahasia", profile=NOT_THERE)
        failed = (await desk.settled(account, outcome="failed"))["failure"]
        assert failed["router_words"] == "input does not match any value of profile"
        assert router in failed["advice"]
        assert NOT_THERE in failed["advice"]
        assert "«paket-5»" in failed["advice"]
        assert await r.account("ppp", name) is None

        account = await desk.change(account, profile="paket-5")
        mended = await desk.settled(account)
        assert mended["failure"] is None
        row = await r.account("ppp", name)
        assert row is not None
        assert row["profile"] == "paket-5"
        await desk.settled(await desk.delete(account))


async def test_a_router_that_was_off_gets_the_last_state_and_only_that(provider: Provider) -> None:
    router, name = "gw-gedangan", "sabar@gedangan"
    lab_do = provider.product.lab_do
    async with live_events(provider.product.api, "account.applied,router.reachable,router.unreachable") as live:
        desk, router_id = Desk(provider, live), await provider.router_id(router)
        before = {event.id for event in live.seen}
        account = await desk.open(router, "ppp", name, password="satu", profile="paket-5")
        await desk.settled(account)
        try:
            await lab_do("routers", router, "cut")
            await live.first("router.unreachable", lambda body: body["router_id"] == router_id, unless=before)
            before = {event.id for event in live.seen}
            for fields in ({"password": "dua"}, {"profile": "paket-10"}, {"password": "tiga", "profile": "paket-20"}):
                account = await desk.change(account, **fields)
            other = await desk.open("gw-waru", "ppp", "tidak-menunggu", password="x", profile="paket-5")
            await desk.settled(other)  # nobody waits for a router that is off
            assert (await provider.get(f"accounts/{account['id']}"))["apply_state"] == "pending"
        finally:
            await lab_do("routers", router, "restore")
        await desk.settled(account)
        async with provider.asked(router) as r:
            row = await r.account("ppp", name)
        assert row is not None
        assert (row["password"], row["profile"]) == ("tiga", "paket-20")
        await live.first("router.reachable", lambda body: body["router_id"] == router_id, unless=before)
        history = await provider.events("account.applied", account=name)
        assert [event["body"]["generation"] for event in history] == [1, 4]
        for one in (account, other):
            await desk.settled(await desk.delete(one))
