"""An account over REST: desired state out, the router's report in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.bus.nats import NatsBus
from shared.contracts.actions import DisconnectSession
from shared.contracts.desired import DesiredAccount
from shared.contracts.events import AccountApplied, AccountFailed, SessionClosed, SessionOpened
from shared.contracts.streams import ACTIONS, DESIRED, INVENTORY_BUCKET
from tests.integration.api.conftest import Running
from tests.support.waiting import until

NOW = datetime(2026, 11, 20, 14, 4, 17, tzinfo=UTC)


async def add_router(ronda: Running, name: str = "waru-gw") -> str:
    body = {"name": name, "host": "127.0.0.1", "username": "ronda", "password": "router-secret"}
    answer = await ronda.client.post("/api/v1/routers", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def add_account(ronda: Running, router_id: str, **extra: Any) -> dict[str, Any]:
    body = {
        "router_id": router_id,
        "service": "ppp",
        "name": "budi@paket10",
        "password": "rahasia-budi",
        "profile": "paket10",
        "phone": "0857-1234-5678",
    }
    answer = await ronda.client.post("/api/v1/accounts", json=body | extra)
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


async def last_desired(bus: NatsBus, generation: int) -> DesiredAccount:
    async def found() -> DesiredAccount | None:
        async for received in bus.read(DESIRED, last_per_subject=True, follow=False):
            if received is not None and received.message.generation == generation:  # type: ignore[attr-defined]
                return received.message  # type: ignore[return-value]
        return None

    desired = await until(found)
    assert desired is not None
    return desired


async def read(ronda: Running, account_id: str) -> dict[str, Any]:
    return dict((await ronda.client.get(f"/api/v1/accounts/{account_id}")).json())


def applied(account: dict[str, Any], generation: int, took_ms: float = 84.0) -> AccountApplied:
    return AccountApplied(
        at=NOW,
        account_id=account["id"],
        router_id=account["router_id"],
        service=account["service"],
        name=account["name"],
        generation=generation,
        took_ms=took_ms,
    )


async def has_state(ronda: Running, account_id: str, state: str) -> dict[str, Any]:
    async def there() -> dict[str, Any] | None:
        account = await read(ronda, account_id)
        return account if account["apply_state"] == state else None

    found = await until(there)
    assert found is not None
    return found


@pytest.mark.mission("B1")
async def test_new_account_leaves_as_desired_state_and_comes_back_applied(ronda: Running) -> None:
    account = await add_account(ronda, await add_router(ronda))
    assert (account["apply_state"], account["generation"], account["phone"]) == ("pending", 1, "6285712345678")

    desired = await last_desired(ronda.bus, 1)
    assert (desired.name, desired.profile, desired.status) == ("budi@paket10", "paket10", "active")
    assert "rahasia" not in desired.model_dump_json()

    await ronda.bus.publish(applied(account, 1))
    after = await has_state(ronda, account["id"], "applied")
    assert (after["applied_generation"], after["took_ms"]) == (1, 84.0)


@pytest.mark.mission("B2", "B3", "B4", "E4")
async def test_every_change_is_the_next_generation(ronda: Running) -> None:
    account = await add_account(ronda, await add_router(ronda))
    path = f"/api/v1/accounts/{account['id']}"
    first = await last_desired(ronda.bus, 1)

    await ronda.client.patch(path, json={"password": "baru-sekali"})
    second = await last_desired(ronda.bus, 2)
    assert second.sealed_password != first.sealed_password
    assert not second.disconnect

    await ronda.client.patch(path, json={"profile": "paket20"})
    assert (await last_desired(ronda.bus, 3)).disconnect, "the old profile's rate would go on"

    answer = await ronda.client.patch(path, json={"status": "disabled"})
    assert answer.status_code == 202
    assert answer.headers["ETag"] == 'W/"4"'
    desired = await last_desired(ronda.bus, 4)
    assert (desired.status, desired.disconnect) == ("disabled", True)

    await ronda.client.patch(path, json={"status": "active"})
    assert (await last_desired(ronda.bus, 5)).status == "active"
    await ronda.client.delete(path)
    assert (await last_desired(ronda.bus, 6)).status == "deleted"


async def test_older_report_never_overwrites_newer_wish(ronda: Running) -> None:
    account = await add_account(ronda, await add_router(ronda))
    await ronda.client.patch(f"/api/v1/accounts/{account['id']}", json={"profile": "paket20"})
    await ronda.bus.publish(applied(account, 2))
    await has_state(ronda, account["id"], "applied")
    failed = AccountFailed(**applied(account, 1).model_dump(), code="rejected", router_words="no", advice="none")
    await ronda.bus.publish(failed)
    await ronda.bus.publish(applied(account, 1, took_ms=1.0))

    async def both_recorded() -> bool:
        events = (await ronda.client.get("/api/v1/events?types=account.applied,account.failed")).json()["items"]
        return len(events) == 3

    assert await until(both_recorded)
    after = await read(ronda, account["id"])
    assert (after["apply_state"], after["applied_generation"], after["took_ms"]) == ("applied", 2, 84.0)


async def test_refusal_comes_back_in_the_routers_own_words(ronda: Running) -> None:
    account = await add_account(ronda, await add_router(ronda), profile="paket99")
    words = "input does not match any value of profile"
    base = applied(account, 1).model_dump(exclude={"steps", "took_ms"})
    await ronda.bus.publish(
        AccountFailed(**base, code="rejected", router_words=words, advice="waru-gw has no profile «paket99».")
    )
    after = await has_state(ronda, account["id"], "failed")
    assert after["failure"] == {
        "code": "rejected",
        "router_words": words,
        "advice": "waru-gw has no profile «paket99».",
    }


async def test_deleted_name_made_again_keeps_its_id_and_counts_on(ronda: Running) -> None:
    account = await add_account(ronda, await add_router(ronda))
    await ronda.client.delete(f"/api/v1/accounts/{account['id']}")
    await ronda.bus.publish(applied(account, 2))
    await has_state(ronda, account["id"], "applied")
    assert (await ronda.client.get("/api/v1/accounts")).json()["items"] == []

    again = await add_account(ronda, account["router_id"])
    assert (again["id"], again["generation"], again["status"]) == (account["id"], 3, "active")


async def test_refusals_have_codes_and_say_what_to_do(ronda: Running) -> None:
    router_id = await add_router(ronda)
    account = await add_account(ronda, router_id)
    path = f"/api/v1/accounts/{account['id']}"
    same = {"router_id": router_id, "service": "ppp", "name": "budi@paket10", "password": "x", "profile": "p"}

    async def code(method: str, where: str, **request: Any) -> tuple[int, str]:
        answer = await ronda.client.request(method, where, **request)
        assert answer.headers["Content-Type"] == "application/problem+json"
        return answer.status_code, answer.json()["code"]

    assert await code("POST", "/api/v1/accounts", json=same) == (409, "name_taken")
    assert await code("PATCH", path, json={"name": "siti"}) == (422, "rename_not_supported")
    stale = {"If-Match": 'W/"7"'}
    assert await code("PATCH", path, json={"profile": "x"}, headers=stale) == (412, "changed_meanwhile")
    assert await code("GET", "/api/v1/accounts/nobody") == (404, "not_found")
    assert await code("DELETE", f"/api/v1/routers/{router_id}") == (409, "still_in_use")
    assert await code("POST", "/api/v1/accounts", json=same | {"router_id": "none"}) == (422, "validation_failed")
    assert await code("GET", "/api/v1/accounts?cursor=zzz") == (422, "validation_failed")
    assert await code("GET", "/api/v1/nothing") == (404, "not_found")


async def test_all_faults_are_told_at_once_and_no_secret_is_repeated(ronda: Running) -> None:
    body = {"router_id": "r", "service": "radius", "name": "", "password": "sangat-rahasia", "phone": "abc", "extra": 1}
    answer = await ronda.client.post("/api/v1/accounts", json=body)
    assert answer.status_code == 422
    assert {fault["field"] for fault in answer.json()["faults"]} == {"service", "name", "phone", "profile", "extra"}
    assert "sangat-rahasia" not in answer.text


async def test_same_idempotency_key_gets_the_first_answer(ronda: Running) -> None:
    router_id = await add_router(ronda)
    body = {"router_id": router_id, "service": "ppp", "name": "siti", "password": "a", "profile": "p"}
    key = {"Idempotency-Key": "k-1"}
    first = await ronda.client.post("/api/v1/accounts", json=body, headers=key)
    again = await ronda.client.post("/api/v1/accounts", json=body, headers=key)
    assert (again.status_code, again.json()) == (202, first.json())
    other = await ronda.client.post("/api/v1/accounts", json=body | {"name": "tono"}, headers=key)
    assert other.json()["code"] == "idempotency_key_reused"
    assert len((await ronda.client.get("/api/v1/accounts")).json()["items"]) == 1


async def test_pages_hold_every_account_once(ronda: Running) -> None:
    router_id = await add_router(ronda)
    names = [f"user{number:02}" for number in range(7)]
    for name in names:
        await add_account(ronda, router_id, name=name)
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await ronda.client.get(f"/api/v1/accounts?limit=3{cursor}")).json()
        seen += [item["name"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == names


async def test_subscriber_is_in_the_bucket_while_there_is_a_phone(ronda: Running) -> None:
    account = await add_account(ronda, await add_router(ronda))
    bucket = await ronda.bus.bucket(INVENTORY_BUCKET)

    async def subscribers() -> list[str]:
        return [key for key in await bucket.keys() if key.startswith("subscriber.")]

    assert await until(subscribers)
    await ronda.client.patch(f"/api/v1/accounts/{account['id']}", json={"phone": ""})

    async def none() -> bool:
        return await subscribers() == []

    assert await until(none)


async def test_kick_is_an_order_with_an_end(ronda: Running) -> None:
    router_id = await add_router(ronda)
    account = await add_account(ronda, router_id)
    answer = await ronda.client.post(f"/api/v1/accounts/{account['id']}/disconnect")
    assert answer.status_code == 202, answer.text
    order = await last_order(ronda)
    assert (order.router_id, order.service, order.account) == (router_id, "ppp", "budi@paket10")
    assert order.requested_by == "owner"

    await ronda.client.delete(f"/api/v1/accounts/{account['id']}")
    assert (await ronda.client.post(f"/api/v1/accounts/{account['id']}/disconnect")).status_code == 404


async def test_session_of_an_account_that_is_not_ours_can_be_ended_once(ronda: Running) -> None:
    opened = SessionOpened.example()
    await ronda.bus.publish(opened)
    path = f"/api/v1/sessions/{opened.session_id}/disconnect"

    async def taken() -> bool:
        return (await ronda.client.post(path)).status_code == 202

    assert await until(taken)
    assert (await last_order(ronda)).account == opened.account
    await ronda.bus.publish(SessionClosed.example())

    async def refused() -> bool:
        return (await ronda.client.post(path)).status_code == 409

    assert await until(refused)


async def last_order(ronda: Running) -> DisconnectSession:
    found = [one async for one in ronda.bus.read(ACTIONS, after_sequence=0, follow=False) if one is not None]
    assert isinstance(found[-1].message, DisconnectSession)
    return found[-1].message
