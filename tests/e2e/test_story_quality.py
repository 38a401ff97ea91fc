"""A link loses and delays: the chats read it as degraded, the board shows it, and both say when it is good again."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.conftest import ON_THE_PRODUCT
from tests.e2e.test_story_board import LIVE_MS, browser, log_in
from tests.support.phone import Bubble
from tests.support.provider import DAVID, SARI, Provider, Row

__all__ = ["browser"]
pytestmark = [*ON_THE_PRODUCT, pytest.mark.needs_browser]

HOST = "ap-sedati-01"
QUICK = {"name": "quick-grades", "based_on": "infra", "interval_s": 0.1, "quality_window_s": 10}  # 100 packets: a grade
WINDOWS_S = 40  # two windows of the policy, however they fall, and the way to the phone


@pytest.mark.mission("E8")
async def test_a_link_that_loses_is_told_and_shown_until_it_is_good_again(browser: Browser, provider: Provider) -> None:
    host = await watched_closely(provider)
    page = await (await browser.new_context(locale="en-GB")).new_page()
    await log_in(page, provider)
    card = page.locator(".problem", has_text=HOST)
    before = await provider.phone(SARI).now()

    await provider.product.lab_do("hosts", HOST, "degrade", loss=0.3, delay_ms=60)
    told = await provider.phone(SARI).message("MENURUN", HOST, after=before, within_s=WINDOWS_S)
    in_english = await provider.phone(DAVID).message("DEGRADED", HOST, after=before)
    (degraded,) = await provider.events("host.degraded", host_id=host["id"])
    says_the_loss(in_english, degraded["body"])
    await expect(card).to_contain_text("degraded", timeout=LIVE_MS)
    await expect(card).to_contain_text("loss")
    await expect(page.locator(f".seg.s-degraded[data-tip^='{HOST}']")).to_have_count(1)
    assert (await provider.host(HOST))["state"] == "degraded"

    await provider.product.lab_do("hosts", HOST, "restore")
    await provider.phone(SARI).message("BAIK LAGI", HOST, after=told["seq"], within_s=WINDOWS_S)
    await expect(card).to_have_count(0, timeout=LIVE_MS)
    assert (await provider.host(HOST))["state"] == "up"


async def watched_closely(provider: Provider) -> Row:
    """A host with a policy of its own, made as a person makes it."""
    api = provider.product.api
    (await api.post("/api/v1/policies", json=QUICK)).raise_for_status()
    host = await provider.host(HOST)
    (await api.patch(f"/api/v1/hosts/{host['id']}", json={"policy": QUICK["name"]})).raise_for_status()
    return host


def says_the_loss(told: Bubble, body: Row) -> None:
    quality = body["quality"]
    assert quality["sent"] >= 100
    assert 15 < quality["loss_percent"] < 45
    assert quality["grade"] == quality["loss_grade"] == "unacceptable"
    assert "loss" in body["faults"]
    assert f"loss {quality['loss_percent']:.1f} %" in told["text"]
