"""Groups, policies, announced work and the many kinds of hosts over REST, on a real database and a real bus."""

from __future__ import annotations

import json
from typing import Any

from shared.contracts.inventory import PROBE_POLICIES, Host, HostGroup, Maintenance, ProbePolicy, Router
from shared.contracts.streams import INVENTORY_BUCKET
from tests.integration.api.conftest import Running
from tests.support.waiting import until


class Rest:
    """Requests that must succeed, and those that must not."""

    def __init__(self, ronda: Running) -> None:
        self._client = ronda.client

    async def post(self, path: str, **body: Any) -> dict[str, Any]:
        answer = await self._client.post(f"/api/v1/{path}", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def patch(self, path: str, **body: Any) -> dict[str, Any]:
        answer = await self._client.patch(f"/api/v1/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def get(self, path: str) -> dict[str, Any]:
        answer = await self._client.get(f"/api/v1/{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def delete(self, path: str) -> None:
        answer = await self._client.delete(f"/api/v1/{path}")
        assert answer.status_code == 204, answer.text

    async def refused(self, method: str, path: str, body: Any = None) -> tuple[int, str, list[str]]:
        problem = (await self._client.request(method, f"/api/v1/{path}", json=body)).json()
        return problem["status"], problem["code"], [fault["code"] for fault in problem.get("faults", [])]


async def entry(ronda: Running, key: str) -> bytes | None:
    found = await (await ronda.bus.bucket(INVENTORY_BUCKET)).get(key)
    return found.value if found else None


async def published(ronda: Running, key: str, wanted: Any) -> None:
    async def there() -> bool:
        value = await entry(ronda, key)
        return value is not None and type(wanted).model_validate_json(value) == wanted

    assert await until(there)


async def test_groups_and_policies_are_kept_published_and_inherited(ronda: Running) -> None:
    rest = Rest(ronda)
    policy = await rest.post("policies", name="towers", based_on="infra", interval_s=0.5)
    assert (policy["shipped"], policy["burst_size"]) == (False, 4)
    site = await rest.post("sites", name="Waru", policy="infra")
    group = await rest.post("groups", name="Towers", policy="towers")
    host = await rest.post("hosts", name="t-1", address="10.0.0.1", site_id=site["id"], group_id=group["id"])
    assert (host["policy"], host["policy_in_force"]) == ("", "towers")
    await published(ronda, "policy.towers", ProbePolicy.model_validate(policy))
    await published(ronda, f"group.{group['id']}", HostGroup.model_validate(group))
    assert await rest.refused("DELETE", "policies/towers") == (409, "still_in_use", [])
    assert await rest.refused("DELETE", f"groups/{group['id']}") == (409, "still_in_use", [])
    assert [one["name"] for one in (await rest.get(f"hosts?group_id={group['id']}"))["items"]] == ["t-1"]
    await rest.patch(f"groups/{group['id']}", policy="")
    assert (await rest.get(f"hosts/{host['id']}"))["policy_in_force"] == "infra"
    await rest.delete("policies/towers")
    assert await rest.refused("GET", "policies/towers") == (404, "not_found", [])


async def test_shipped_policy_is_overridden_and_comes_back(ronda: Running) -> None:
    rest = Rest(ronda)
    changed = await rest.patch("policies/standard", interval_s=5)
    assert (changed["shipped"], changed["interval_s"]) == (True, 5)
    await published(ronda, "policy.standard", ProbePolicy.model_validate(changed))
    assert {one["name"]: one["interval_s"] for one in (await rest.get("policies"))["items"]} == {
        "edge": 60,
        "infra": 1,
        "standard": 5,
    }
    await rest.delete("policies/standard")
    await published(ronda, "policy.standard", PROBE_POLICIES["standard"])
    assert await rest.refused("DELETE", "policies/standard") == (409, "shipped", [])
    assert await rest.refused("POST", "policies", {"name": "edge"}) == (409, "name_taken", [])
    too_short = {"name": "x", "quality_window_s": 60}
    assert await rest.refused("POST", "policies", too_short) == (422, "validation_failed", ["too_few_packets"])
    assert (await rest.refused("POST", "policies", {"name": "Not A Name"}))[:2] == (422, "validation_failed")
    assert (await rest.refused("POST", "policies", {"name": "x", "interval_s": "soon"}))[0] == 422


async def test_every_kind_of_host_survives_the_database(ronda: Running) -> None:
    rest = Rest(ronda)
    router = await rest.post(
        "routers",
        name="gw",
        host="10.0.0.1",
        username="u",
        password="p",
        limits={"cpu_percent": 75, "voltage_min": None},
        known_logins=["10.0.0.0/24"],
    )
    assert (router["limits"]["cpu_percent"], router["limits"]["memory_percent"]) == (75, 90)
    value = await until(lambda: entry(ronda, f"router.{router['id']}"))
    assert Router.model_validate_json(value).known_logins == ("10.0.0.0/24",)
    here = {"site_id": router["site_id"], "address": "10.0.0.2"}
    page = {"url": "https://portal.example.net/", "text": "Masuk", "statuses": [200, 302]}
    kinds = {
        "http": {"http": page},
        "dns": {"dns": {"name": "example.net", "record": "AAAA"}, "port": 5353},
        "router": {"via_router": router["id"]},
        "netwatch": {"via_router": router["id"]},
    }
    for kind, fields in kinds.items():
        host = await rest.post("hosts", name=f"by {kind}", probe=kind, **fields, **here)
        value = await until(lambda key=f"host.{host['id']}": entry(ronda, key))
        kept = Host.model_validate_json(value).model_dump(mode="json")
        assert kept == Host.model_validate(host).model_dump(mode="json")
    assert await rest.refused("DELETE", f"routers/{router['id']}") == (409, "still_in_use", [])
    wrong = {"name": "x", "probe": "http", **here}
    assert await rest.refused("POST", "hosts", wrong) == (422, "validation_failed", ["http_missing"])


async def test_cycle_of_parents_is_refused_by_name(ronda: Running) -> None:
    rest = Rest(ronda)
    site = await rest.post("sites", name="Waru")
    core = await rest.post("hosts", name="core-1", address="10.0.0.1", site_id=site["id"])
    leaf = await rest.post("hosts", name="leaf", address="10.0.0.2", site_id=site["id"], parents=[[core["id"]]])
    answer = await ronda.client.patch(f"/api/v1/hosts/{core['id']}", json={"parents": [[leaf["id"]]]})
    assert answer.status_code == 422
    assert "core-1 → leaf → core-1" in answer.json()["detail"]


async def test_announced_work_is_kept_published_and_ended(ronda: Running) -> None:
    rest = Rest(ronda)
    site = await rest.post("sites", name="Waru")
    body = {
        "title": "Antennas",
        "begins_at": "2126-11-21T22:00:00+07:00",
        "ends_at": "2126-11-22T02:00:00+07:00",
        "duration_s": 1800,
        "site_ids": [site["id"]],
    }
    work = await rest.post("maintenances", **body)
    assert (work["begins_at"], work["site_ids"]) == ("2126-11-21T15:00:00Z", [site["id"]])
    await published(ronda, f"maintenance.{work['id']}", Maintenance.model_validate(work))
    assert [one["title"] for one in (await rest.get("maintenances"))["items"]] == ["Antennas"]
    again = await rest.patch(f"maintenances/{work['id']}", duration_s=None, title="New antennas")
    assert (again["duration_s"], again["title"]) == (None, "New antennas")
    naive = {**body, "begins_at": "2126-11-21T22:00:00"}
    assert (await rest.refused("POST", "maintenances", naive))[0] == 422
    backwards = {**body, "ends_at": body["begins_at"]}
    assert (await rest.refused("POST", "maintenances", backwards))[2] == ["ends_before_begin"]
    await rest.delete(f"maintenances/{work['id']}")

    async def gone() -> bool:
        return await entry(ronda, f"maintenance.{work['id']}") is None

    assert await until(gone)


async def test_whole_bucket_is_made_again_from_the_tables(ronda: Running) -> None:
    rest = Rest(ronda)
    site = await rest.post("sites", name="Waru")
    group = await rest.post("groups", name="CPE")
    await rest.patch("policies/edge", interval_s=30)
    work = await rest.post(
        "maintenances",
        title="Antennas",
        begins_at="2126-11-21T22:00:00Z",
        ends_at="2126-11-21T23:00:00Z",
        site_ids=[site["id"]],
    )
    key = f"maintenance.{work['id']}"
    assert await until(lambda: entry(ronda, key))
    bucket = await ronda.bus.bucket(INVENTORY_BUCKET)
    for gone in (key, f"group.{group['id']}", "policy.edge"):
        await bucket.delete(gone)
    ronda.api.publisher.compare_soon()
    assert await until(lambda: entry(ronda, key))
    value = await until(lambda: entry(ronda, "policy.edge"))
    assert json.loads(value)["interval_s"] == 30
    assert await entry(ronda, f"group.{group['id']}") is not None


async def test_who_may_only_read_changes_nothing(ronda: Running) -> None:
    async with ronda.anonymous() as stranger:
        for path in ("groups", "policies", "maintenances"):
            assert (await stranger.get(f"/api/v1/{path}")).status_code == 401
            assert (await stranger.post(f"/api/v1/{path}", json={})).status_code == 401
