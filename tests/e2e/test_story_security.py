"""Somebody tries passwords on a router, and the operators read who, from where and how, before he gets in."""

from __future__ import annotations

import pytest
from librouteros import async_connect
from librouteros.exceptions import TrapError

from tests.e2e.conftest import ON_THE_PRODUCT
from tests.support.provider import NOC_GROUP, Provider

pytestmark = ON_THE_PRODUCT

TRIES = 6


@pytest.mark.mission("D12")
@pytest.mark.parametrize(("router", "version"), [("gw-waru", "6.49"), ("gw-gedangan", "7.")])
async def test_brute_force_on_a_router_is_told_once(provider: Provider, router: str, version: str) -> None:
    assert (await provider.planned_router(router))["version"].startswith(version)
    noc = provider.phone(NOC_GROUP)
    before = await noc.now()
    for _ in range(TRIES):
        await try_password(provider, router)
    await noc.message("KEAMANAN", router, "gagal login", "admin", "127.0.0.1", after=before)
    [event] = [one for one in await provider.events("security.suspected") if one["body"]["router_name"] == router]
    assert (event["body"]["threat"], event["body"]["via"]) == ("login_failures", "api")


async def try_password(provider: Provider, router: str) -> None:
    """A log-in that the router refuses, and writes into its log."""
    planned = await provider.planned_router(router)
    with pytest.raises(TrapError):
        await async_connect(planned["host"], "admin", "123456", port=planned["port"], encoding="latin-1")
