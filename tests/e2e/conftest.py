"""One running product for all stories; each has its own hosts, accounts and people, so their order does not matter."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.provider import Provider
from tests.support.stack import product

DAVIDS_ZONE = "Asia/Makassar"


# For `pytestmark` of every story: they run on the loop, and with several workers on the worker, where the product runs.
ON_THE_PRODUCT = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("e2e")]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def provider(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Provider]:
    """The product with the lab's provider. David lives an hour further east; log-ins are told by WhatsApp only, as
    Telegram lets a bot say no more than 20 things a minute in a group."""
    folder = tmp_path_factory.mktemp("product")
    async with product(folder) as running:
        provider = Provider(running)
        for chat in await provider.all("chats"):
            wanted = {"time_zone": DAVIDS_ZONE} if chat["name"].startswith("David") else {}
            if chat["channel"] == "telegram" and "sessions" in chat["receives"]:
                wanted["receives"] = ["alerts"]
            if wanted:
                (await running.api.patch(f"/api/v1/chats/{chat['id']}", json=wanted)).raise_for_status()
        yield provider
    left_behind = [line for line in (folder / "output.log").read_text().splitlines() if "bus lost" in line]
    assert left_behind == [], "the services must end before the servers that they need"
