"""A web page stops showing its text, and a router's netwatch says down: whoever should know reads it on the phone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.conftest import ON_THE_PRODUCT
from tests.support.pages import page, web_server
from tests.support.provider import DAVID, SARI, Provider
from tests.support.waiting import until

pytestmark = ON_THE_PRODUCT


async def watch(provider: Provider, **fields: Any) -> str:
    """Watch one more host, every second; returns its id."""
    site = (await provider.host("sw-waru-03"))["site_id"]
    body = {"site_id": site, "policy": "infra", **fields}
    answer = await provider.product.api.post("/api/v1/hosts", json=body)
    assert answer.is_success, answer.text
    return str(answer.json()["id"])


@pytest.mark.mission("C1")
async def test_a_page_that_lost_its_text_is_told_with_the_reason(provider: Provider) -> None:
    shown = ["Selamat datang di Guyub Net"]
    before = await provider.phone(SARI).now()
    async with web_server(lambda _: page(shown[0])) as port:
        check = {"url": f"http://portal.guyub.test:{port}/", "text": "Guyub"}
        host = await watch(provider, name="portal-guyub", address="127.0.0.1", probe="http", http=check)

        async def watched() -> bool:
            return bool(await provider.events("host.up", host_id=host))

        await until(watched, within_s=20)
        shown[0] = "Error establishing a database connection"
        said = await provider.phone(SARI).message("DOWN", "portal-guyub", after=before)
        assert "halaman" in said["text"]
        in_english = await provider.phone(DAVID).message("DOWN", "portal-guyub", after=before)
        assert "the page lacks its text" in in_english["text"]
        shown[0] = "Guyub lagi"
        # Over within ten seconds: the message that stands says so, and nobody is rung a second time.
        await provider.phone(SARI).message("BLIP", "portal-guyub", after=said["seq"])
    await provider.product.api.delete(f"/api/v1/hosts/{host}")


@pytest.mark.mission("B7", "B8")
async def test_what_a_routers_netwatch_says_is_told(provider: Provider) -> None:
    router, address = (await provider.all("routers"))[0]["name"], "10.66.0.9"  # where nobody is
    async with provider.asked(router) as asked:
        before = await provider.phone(SARI).now()
        await asked.client.path("tool", "netwatch").add(host=address, interval="1s")

        async def tested() -> bool:
            return bool(await asked.rows("/tool/netwatch", host=address, status="down"))

        await until(tested)  # the product reads what is there; what changes later it may see only 15 s after
        host = await watch(
            provider,
            name="ap-netwatch",
            address=address,
            probe="netwatch",
            via_router=await provider.router_id(router),
        )
        said = await provider.phone(SARI).message("DOWN", "ap-netwatch", after=before, within_s=40)
    assert "netwatch" in said["text"]
    await provider.product.api.delete(f"/api/v1/hosts/{host}")
