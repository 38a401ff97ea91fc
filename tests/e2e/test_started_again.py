"""The demo, stopped and started again on the same state folder: the lab has moved, and Ronda finds it."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.support.postgres import open_folder
from tests.support.stack import product
from tests.support.waiting import until

LAB = ("--hosts", "6", "--subscribers", "6")


async def states(api: httpx.AsyncClient, path: str) -> set[str]:
    page = (await api.get(f"/api/v1/{path}")).raise_for_status().json()
    return {item["state"] for item in page["items"]}


@pytest.mark.xdist_group("started-again")
async def test_everything_is_up_again_after_a_second_start(tmp_path: Path) -> None:
    with open_folder() as state:
        for _ in range(2):
            async with product(tmp_path, *LAB, state=state) as running:

                async def all_is_well(api: httpx.AsyncClient = running.api) -> bool:
                    return await states(api, "routers") == {"reachable"} and await states(api, "hosts") == {"up"}

                await until(all_is_well, within_s=60)
