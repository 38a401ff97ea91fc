"""What the bus tells becomes what REST shows, whatever the order and however often it is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.bus.nats import NatsBus
from shared.contracts.envelope import Envelope
from shared.contracts.events import (
    HostDegraded,
    HostDown,
    HostRestored,
    HostUp,
    RouterReachable,
    RouterUnreachable,
    SessionChanged,
    SessionClosed,
    SessionOpened,
)
from shared.contracts.inventory import Chat, Host, Router
from shared.contracts.streams import INVENTORY_BUCKET
from tests.integration.api.conftest import Running
from tests.support.waiting import until

NOW = datetime(2026, 11, 20, 14, 4, 17, tzinfo=UTC)


async def items(ronda: Running, path: str) -> list[dict[str, Any]]:
    answer = await ronda.client.get(path)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def told(ronda: Running, count: int, types: str) -> None:
    async def all_there() -> bool:
        return len(await items(ronda, f"/api/v1/events?types={types}")) == count

    assert await until(all_there)


def closed(**extra: Any) -> SessionClosed:
    return SessionClosed.model_validate(SessionClosed.EXAMPLE | extra)


@pytest.mark.mission("F")
async def test_session_is_open_and_then_history(ronda: Running) -> None:
    opened = SessionOpened.example()
    await ronda.bus.publish(opened)
    await told(ronda, 1, "session.opened")
    [session] = await items(ronda, "/api/v1/sessions?open=true")
    assert (session["account"], session["address"], session["closed_at"]) == ("budi@paket10", "10.5.0.17", None)

    moved = {**SessionChanged.EXAMPLE, "address": "10.5.0.99", "address_before": "10.5.0.17"}
    await ronda.bus.publish(SessionChanged.model_validate(moved))
    await told(ronda, 1, "session.changed")
    [session] = await items(ronda, "/api/v1/sessions?open=true")
    assert session["address"] == "10.5.0.99"

    await ronda.bus.publish(closed(at=(opened.at + timedelta(minutes=10)).isoformat(), opened_at=None, duration_s=None))
    await told(ronda, 1, "session.closed")
    assert await items(ronda, "/api/v1/sessions?open=true") == []
    [session] = await items(ronda, "/api/v1/sessions")
    assert (session["duration_s"], session["bytes_out"]) == (600.0, 466624487)


async def test_end_without_beginning_is_kept_and_stays_ended(ronda: Running) -> None:
    await ronda.bus.publish(closed())
    await told(ronda, 1, "session.closed")
    await ronda.bus.publish(SessionOpened.example())
    await told(ronda, 1, "session.opened")
    assert await items(ronda, "/api/v1/sessions?open=true") == []
    [session] = await items(ronda, "/api/v1/sessions")
    assert session["opened_at"].startswith("2026-11-20T13:00:00")


async def test_same_event_twice_is_one_line_of_history(ronda: Running) -> None:
    event = SessionOpened.example()
    envelope = Envelope.around(event, source="test", now=NOW)
    headers = {name: text for name, text in envelope.headers().items() if name != "Nats-Msg-Id"}
    for _ in range(2):  # without the stream's own deduplication: as after its window
        await ronda.bus.publish_stored(event.subject, headers, event.model_dump_json().encode())
    await ronda.bus.publish(HostUp.example())
    await told(ronda, 1, "host.up")
    assert len(await items(ronda, "/api/v1/events?types=session.opened")) == 1


async def test_older_transition_does_not_undo_a_newer_one(ronda: Running) -> None:
    site = (await ronda.client.post("/api/v1/sites", json={"name": "Waru", "policy": "infra"})).json()
    body = {"site_id": site["id"], "name": "core-1", "address": "10.20.0.1"}
    host = (await ronda.client.post("/api/v1/hosts", json=body)).json()
    assert (host["state"], host["policy"], host["policy_in_force"]) == ("unknown", "", "infra")
    here = {"host_id": host["id"], "site_id": site["id"]}
    await ronda.bus.publish(HostUp.model_validate(HostUp.EXAMPLE | here | {"transition": 4}))
    await told(ronda, 1, "host.up")
    await ronda.bus.publish(HostDown.model_validate(HostDown.EXAMPLE | here | {"transition": 3}))
    await told(ronda, 1, "host.down")
    after = (await ronda.client.get(f"/api/v1/hosts/{host['id']}")).json()
    assert (after["state"], after["rtt_ms"]) == ("up", 1.8)


async def test_a_condition_is_shown_until_it_is_over_whatever_comes_first(ronda: Running) -> None:
    site = (await ronda.client.post("/api/v1/sites", json={"name": "Waru", "policy": "infra"})).json()
    body = {"site_id": site["id"], "name": "core-1", "address": "10.20.0.1"}
    host = (await ronda.client.post("/api/v1/hosts", json=body)).json()
    here = {"host_id": host["id"], "site_id": site["id"]}

    async def state() -> str:
        return str((await ronda.client.get(f"/api/v1/hosts/{host['id']}")).json()["state"])

    await ronda.bus.publish(HostUp.model_validate(HostUp.EXAMPLE | here))
    await ronda.bus.publish(HostDegraded.model_validate(HostDegraded.EXAMPLE | here))
    await told(ronda, 1, "host.degraded")
    assert await state() == "degraded"
    over = HostRestored.model_validate(HostRestored.EXAMPLE | here | {"at": NOW + timedelta(minutes=9)})
    await ronda.bus.publish(over)
    await told(ronda, 1, "host.restored")
    late = HostDegraded.EXAMPLE | here | {"at": NOW + timedelta(minutes=5), "mark": 9}
    await ronda.bus.publish(HostDegraded.model_validate(late))
    await told(ronda, 2, "host.degraded")
    assert await state() == "up"


@pytest.mark.parametrize("order", [(1, 2), (2, 1)], ids=["in order", "the other way round"])
async def test_unreachable_router_keeps_what_it_said_of_itself(ronda: Running, order: tuple[int, int]) -> None:
    body = {"name": "waru-gw", "host": "10.0.0.1", "username": "ronda", "password": "x"}
    router = (await ronda.client.post("/api/v1/routers", json=body)).json()
    here = {"router_id": router["id"], "site_id": router["site_id"]}
    events = {
        1: RouterReachable.model_validate(RouterReachable.EXAMPLE | here | {"transition": 1}),
        2: RouterUnreachable.model_validate(RouterUnreachable.EXAMPLE | here | {"transition": 2}),
    }
    for transition in order:
        await ronda.bus.publish(events[transition])
        await told(ronda, 1, events[transition].NAME)
    [after] = await items(ronda, "/api/v1/routers")
    assert (after["state"], after["version"], after["reason"]) == (
        "unreachable",
        "7.16.2 (stable)",
        "connection refused",
    )


async def bucket_of(bus: NatsBus) -> dict[str, bytes]:
    bucket = await bus.bucket(INVENTORY_BUCKET)
    entries = [await bucket.get(key) for key in await bucket.keys()]
    return {entry.key: entry.value for entry in entries if entry is not None}


@pytest.mark.mission("A2", "C2")
async def test_inventory_reaches_the_bucket_and_leaves_it(ronda: Running) -> None:
    body = {"name": "waru-gw", "host": "10.0.0.1", "username": "ronda", "password": "router-secret"}
    router = (await ronda.client.post("/api/v1/routers", json=body)).json()
    assert "password" not in str(router)
    host = {"site_id": router["site_id"], "name": "core-1", "address": "10.20.0.1", "probe": "tcp", "port": 80}
    host_id = (await ronda.client.post("/api/v1/hosts", json=host)).json()["id"]
    chat = {"name": "NOC", "channel": "telegram", "address": "-1001", "receives": ["sessions", "alerts"]}
    chat_id = (await ronda.client.post("/api/v1/chats", json=chat)).json()["id"]

    async def all_there() -> dict[str, bytes] | None:
        entries = await bucket_of(ronda.bus)
        return entries if f"chat.{chat_id}" in entries else None

    entries = await until(all_there)
    assert entries is not None
    published = Router.model_validate_json(entries[f"router.{router['id']}"])
    assert (published.host, published.port) == ("10.0.0.1", 8728)
    assert b"router-secret" not in entries[f"router.{router['id']}"]
    assert Host.model_validate_json(entries[f"host.{host_id}"]).port == 80
    assert Chat.model_validate_json(entries[f"chat.{chat_id}"]).receives == {"alerts", "sessions"}
    assert "policy.infra" in entries

    await ronda.client.delete(f"/api/v1/hosts/{host_id}")

    async def gone() -> bool:
        return f"host.{host_id}" not in await bucket_of(ronda.bus)

    assert await until(gone)


async def test_bucket_is_made_right_after_somebody_changed_it(ronda: Running) -> None:
    site = (await ronda.client.post("/api/v1/sites", json={"name": "Waru"})).json()

    async def published() -> bool:
        return f"site.{site['id']}" in await bucket_of(ronda.bus)

    assert await until(published)
    bucket = await ronda.bus.bucket(INVENTORY_BUCKET)
    await bucket.delete(f"site.{site['id']}")
    await bucket.put("site.stranger", b"{}")
    ronda.api.publisher.compare_soon()

    async def right() -> bool:
        entries = await bucket_of(ronda.bus)
        return f"site.{site['id']}" in entries and "site.stranger" not in entries

    assert await until(right)
