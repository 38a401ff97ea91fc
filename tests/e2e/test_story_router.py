"""A router is at its limit, or loses a link: the operators read it, once, and read when it is over."""

from __future__ import annotations

import httpx
import pytest

from tests.e2e.conftest import ON_THE_PRODUCT
from tests.support.provider import NOC_GROUP, Provider, Row
from tests.support.waiting import until

pytestmark = ON_THE_PRODUCT


@pytest.mark.mission("D12")
@pytest.mark.parametrize(("router", "version"), [("gw-waru", "6.49"), ("gw-gedangan", "7.")])
async def test_router_whose_processor_is_at_its_limit_is_told_once_and_so_is_its_relief(
    provider: Provider, router: str, version: str
) -> None:
    assert (await provider.planned_router(router))["version"].startswith(version)
    noc = provider.phone(NOC_GROUP)
    before = await noc.now()
    await provider.product.lab_do("routers", router, "strain", cpu=97)
    told = await noc.message("MELEWATI BATAS", router, "CPU", "97", "90", after=before, within_s=40)
    await provider.product.lab_do("routers", router, "strain")
    await noc.message("NORMAL", router, after=told["seq"], within_s=40)
    events = [one["body"] for one in await provider.events("router.stressed") if one["body"]["router_name"] == router]
    assert [(event["resource"], event["value"], event["limit"]) for event in events] == [("cpu", 97.0, 90.0)]


@pytest.mark.mission("D12")
@pytest.mark.parametrize(("router", "version"), [("gw-waru", "6.49"), ("gw-gedangan", "7.")])
async def test_link_that_a_router_loses_is_told_and_so_is_its_return(
    provider: Provider, router: str, version: str
) -> None:
    assert (await provider.planned_router(router))["version"].startswith(version)
    await until(lambda: seen_running(provider, router))
    noc = provider.phone(NOC_GROUP)
    before = await noc.now()
    await provider.product.lab_do("routers", router, "unplug", port="ether2")
    told = await noc.message("LINK PUTUS", router, "ether2", after=before)
    await provider.product.lab_do("routers", router, "plug", port="ether2")
    await noc.message(router, "ether2", after=told["seq"])
    down, up = [await change_of_ether2(provider, router, way) for way in ("down", "up")]
    assert (up["down_since"], down["inferred"], up["inferred"]) == (down["at"], False, False)


async def seen_running(provider: Provider, router: str) -> bool:
    """Traffic is counted from the second look at a router on: what runs has been seen by then."""
    path = f"/api/v1/routers/{await provider.router_id(router)}/readings"
    answer = await provider.product.api.get(path, params={"metric": "rx_bps", "part": "ether2"})
    return answer.status_code == httpx.codes.OK and bool(answer.json()["points"])


async def change_of_ether2(provider: Provider, router: str, direction: str) -> Row:
    """The only event that says so."""
    events = [one["body"] for one in await provider.events(f"router.interface_{direction}")]
    (found,) = [event for event in events if (event["router_name"], event["interface"]) == (router, "ether2")]
    return dict(found)
