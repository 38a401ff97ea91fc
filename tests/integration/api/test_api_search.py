"""One box that finds users, sessions, hosts and routers by whatever is known of them."""

from __future__ import annotations

from typing import Any

import pytest

from shared.contracts.events import SessionClosed, SessionOpened
from tests.integration.api.conftest import Running
from tests.integration.api.test_api_accounts import add_account, add_router
from tests.integration.api.test_api_projections import told


async def furnish(ronda: Running) -> None:
    router_id = await add_router(ronda)
    await add_account(ronda, router_id, full_name="Budi 100%")
    site = (await ronda.client.get("/api/v1/sites")).json()["items"][0]
    for name, address in (("core-1", "10.20.0.1"), ("core-10", "10.20.0.10"), ("100x", "10.9.9.9")):
        await ronda.client.post("/api/v1/hosts", json={"site_id": site["id"], "name": name, "address": address})
    here: dict[str, Any] = {"router_id": router_id, "site_id": site["id"]}
    old = here | {"session_id": "old", "address": "10.5.0.99"}
    await ronda.bus.publish(SessionClosed.model_validate(SessionClosed.EXAMPLE | old))
    await ronda.bus.publish(SessionOpened.model_validate(SessionOpened.EXAMPLE | here))
    await told(ronda, 2, "session.opened,session.closed")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("budi", ["account budi@paket10", "session budi@paket10"]),
        ("1234-5678", []),
        ("62857123", ["account budi@paket10"]),
        ("a4-5e-60-11", ["session budi@paket10"]),
        ("A45E6011", ["session budi@paket10"]),
        ("10.5.0.17", ["session budi@paket10"]),
        ("10.20.0.1", ["host core-1", "host core-10"]),
        ("core-10", ["host core-10"]),
        ("WARU-G", ["router waru-gw"]),
        ("100%", ["account budi@paket10"]),
        ("_", []),
        ("x", []),
    ],
)
async def test_finds(ronda: Running, typed: str, expected: list[str]) -> None:
    await furnish(ronda)
    answer = await ronda.client.get("/api/v1/search", params={"q": typed})
    if len(typed) < 2:
        assert answer.status_code == 422
        return
    assert [f"{found['kind']} {found['name']}" for found in answer.json()["items"]] == expected


async def test_the_open_session_stands_for_the_device(ronda: Running) -> None:
    await furnish(ronda)
    [found] = (await ronda.client.get("/api/v1/search", params={"q": "a4:5e:60"})).json()["items"]
    assert (found["state"], found["address"], found["mac"]) == ("open", "10.5.0.17", "A4:5E:60:11:22:33")
