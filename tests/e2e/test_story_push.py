"""Story: a router tells of its subscribers by scripts of its own, beside being listened to and instead of it."""

from __future__ import annotations

import time

import pytest

from tests.e2e.conftest import ON_THE_PRODUCT
from tests.support.live_events import live_events
from tests.support.provider import HENDRA, Provider
from tests.support.waiting import until

pytestmark = ON_THE_PRODUCT

PROFILES = {"/ip hotspot user profile, on-login": ("/ip/hotspot/user/profile", "on-login")}
PROFILES["/ip hotspot user profile, on-logout"] = ("/ip/hotspot/user/profile", "on-logout")
ROUTERS = pytest.mark.parametrize("router", ["gw-waru", "gw-gedangan"])


async def paste_scripts(provider: Provider, router: str) -> None:
    """What a technician does with `ronda router token`: its scripts go into every hotspot profile."""
    router_id = await provider.router_id(router)
    made = (await provider.product.api.post(f"/api/v1/routers/{router_id}/ingest-tokens")).raise_for_status().json()
    sources = {script["where"]: script["source"] for script in made["scripts"]}
    async with provider.asked(router) as asked:
        for where, (menu, field) in PROFILES.items():
            path = asked.client.path(*menu.strip("/").split("/"))
            for row in await asked.rows(menu):
                await path.update(**{".id": row[".id"], field: sources[where]})


@pytest.mark.mission("B9", "B5")
@ROUTERS
async def test_login_that_is_pushed_and_listened_to_is_told_once(provider: Provider, router: str) -> None:
    await paste_scripts(provider, router)
    person = await provider.subscriber(router, "hotspot")
    user, began = person["user"], time.time()
    own, before = provider.subscribers_phone(person), await provider.phone(HENDRA).now()
    async with live_events(provider.product.api, "session.opened,session.closed,router.said") as live:
        known = {event.id for event in live.seen}
        for deed, fact in (("login", "session.opened"), ("logout", "session.closed")):
            await provider.product.lab_do("subscribers", user, deed)
            await live.first(fact, lambda body: body["account"] == user, unless=known)
            await live.first(
                "router.said", lambda body, wanted=(user, deed): (body["account"], body["saying"]) == wanted
            )
            await own.message(user, "ONLINE" if deed == "login" else "OFFLINE", after=before)
        mine = [event for event in live.seen if event.body.get("account") == user and event.id not in known]
        told = [event.kind for event in mine if event.kind.startswith("session.")]
    assert told == ["session.opened", "session.closed"]

    async def read_on_the_phone() -> list[str]:
        bubbles = [bubble for bubble in await own.messages() if user in bubble["text"] and bubble["at"] >= began]
        return [bubble["text"].split(" ·")[0] for bubble in sorted(bubbles, key=lambda bubble: bubble["at"])]

    async def both() -> bool:
        return len(await read_on_the_phone()) >= 2

    await until(both)
    assert await read_on_the_phone() == ["🟢 ONLINE", "⚪ OFFLINE"]


@pytest.mark.mission("B9", "B5")
async def test_login_at_a_router_that_cannot_be_asked_is_told_by_its_script_alone(provider: Provider) -> None:
    router = "gw-waru"
    await paste_scripts(provider, router)
    person = await provider.subscriber(router, "hotspot")
    user = person["user"]
    own, before = provider.subscribers_phone(person), await provider.phone(HENDRA).now()
    async with live_events(provider.product.api, "session.opened,router.reachable,router.unreachable") as live:
        known = {event.id for event in live.seen}
        await provider.product.lab_do("routers", router, "cut")
        try:
            await live.first("router.unreachable", lambda body: body["router_name"] == router, unless=known)
            await provider.product.lab_do("subscribers", user, "login")
            opened = await live.first("session.opened", lambda body: body["account"] == user, unless=known)
            await own.message(user, "ONLINE", after=before)
        finally:
            await provider.product.lab_do("routers", router, "restore")
        await live.first("router.reachable", lambda body: body["router_name"] == router, unless=known)
        (session,) = await provider.known_sessions(user, 1)
        openings = [event for event in live.seen if event.kind == "session.opened" and event.id not in known]
        again = [event for event in openings if event.body["account"] == user]
    assert (session["session_id"], opened.body["inferred"]) == (opened.body["session_id"], False)
    assert len(again) == 1, "what its table shows when it can be asked again is not told again"
