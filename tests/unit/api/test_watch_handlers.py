"""Groups, policies, announced work and hosts: rows, entries for the bus, audit lines, refusals; in memory."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.api.core.faults import Faulty, NameTaken, Shipped, StillInUse
from services.api.handlers import groups, hosts, inventory, maintenances, policies
from shared.contracts.events import InventoryChanged
from shared.contracts.inventory import PROBE_POLICIES
from shared.errors import NotFound
from tests.fakes.api_store import FakeStore
from tests.fakes.clock import FakeClock


class Desk:
    """One person who changes things."""

    def __init__(self) -> None:
        self.store, self.clock = FakeStore(), FakeClock()

    async def do(self, handler: Any, *args: Any, **named: Any) -> Any:
        async with self.store.unit() as unit:
            return await handler(*args, by="sari", unit=unit, clock=self.clock, **named)

    async def site(self, policy: str = "standard", name: str = "Waru") -> str:
        return (await self.do(inventory.add_site, name=name, policy=policy)).entity.id

    async def host(self, name: str, site_id: str, **fields: Any) -> str:
        body = {"name": name, "site_id": site_id, "address": "10.20.0.1", **fields}
        return (await self.do(hosts.add_host, body)).entity.id

    async def in_force(self, host_id: str) -> str:
        async with self.store.unit() as unit:
            return (await hosts.policies_in_force(unit))((await unit.hosts.get(host_id)).entity)

    async def codes(self, handler: Any, *args: Any, **named: Any) -> list[str]:
        with pytest.raises(Faulty) as refused:
            await self.do(handler, *args, **named)
        return [fault.code for fault in refused.value.faults]


async def test_policy_is_inherited_from_site_over_group_to_host():
    desk = Desk()
    site = await desk.site("infra")
    group = (await desk.do(groups.add_group, name="CPE", policy="")).entity.id
    host = await desk.host("cpe-1", site, group_id=group)
    assert await desk.in_force(host) == "infra"
    await desk.do(groups.change_group, group, {"policy": "edge"})
    assert await desk.in_force(host) == "edge"
    await desk.do(hosts.change_host, host, {"policy": "standard"})
    assert await desk.in_force(host) == "standard"
    await desk.do(hosts.change_host, host, {"policy": ""})
    assert await desk.in_force(host) == "edge"
    assert desk.store.rows.announced[f"group.{group}"].policy == "edge"


async def test_policy_of_ones_own_is_published_used_and_protected():
    desk = Desk()
    await desk.do(policies.add_policy, "towers", {"interval_s": 0.5}, based_on="infra")
    assert desk.store.rows.announced["policy.towers"].burst_size == PROBE_POLICIES["infra"].burst_size
    site = await desk.site("towers")
    with pytest.raises(StillInUse, match="the site Waru"):
        await desk.do(policies.remove_policy, "towers")
    await desk.do(inventory.change_site, site, {"policy": "infra"})
    await desk.do(policies.remove_policy, "towers")
    assert desk.store.rows.announced["policy.towers"] is None
    with pytest.raises(NotFound):
        await desk.do(policies.change_policy, "towers", {"interval_s": 1})
    changes = [event for event in desk.store.published(InventoryChanged) if event.entity == "policy"]
    assert [(event.change, event.by) for event in changes] == [("added", "sari"), ("removed", "sari")]
    assert [line.action for line in desk.store.rows.audit if line.entity == "policy"] == [
        "policy.added",
        "policy.removed",
    ]


async def test_shipped_policy_may_be_overridden_and_brought_back_and_never_removed():
    desk = Desk()
    with pytest.raises(Shipped):
        await desk.do(policies.remove_policy, "infra")
    for interval_s in (2, 3):
        await desk.do(policies.change_policy, "infra", {"interval_s": interval_s, "quality_window_s": 300})
    assert desk.store.rows.announced["policy.infra"].interval_s == 3
    await desk.site("infra")
    await desk.do(policies.remove_policy, "infra")  # in use: its hosts have it as it ships
    assert desk.store.rows.announced["policy.infra"] == PROBE_POLICIES["infra"]
    with pytest.raises(NameTaken):
        await desk.do(policies.add_policy, "edge", {}, based_on="standard")


async def test_policies_that_make_no_sense_or_have_no_ground_are_refused():
    desk = Desk()
    assert await desk.codes(policies.add_policy, "x", {}, based_on="no-such") == ["unknown_policy"]
    assert await desk.codes(policies.add_policy, "x", {"interval_s": 0.01}, based_on="infra") == ["out_of_bounds"]
    assert await desk.codes(policies.change_policy, "edge", {"train_size": 0}) == ["too_few_packets"]
    assert desk.store.rows.tables["policies"] == {}


async def test_names_of_policies_that_do_not_exist_are_refused_everywhere():
    desk = Desk()
    site = await desk.site()
    assert await desk.codes(inventory.add_site, name="Gedangan", policy="no-such") == ["unknown_policy"]
    assert await desk.codes(inventory.change_site, site, {"policy": "no-such"}) == ["unknown_policy"]
    assert await desk.codes(groups.add_group, name="CPE", policy="no-such") == ["unknown_policy"]
    body = {"name": "h", "site_id": site, "address": "10.0.0.1", "policy": "no-such"}
    assert await desk.codes(hosts.add_host, body) == ["unknown_policy"]


async def test_everything_that_a_host_names_and_that_is_not_there_is_said_at_once():
    desk = Desk()
    body = {"name": "h", "address": "10.0.0.1", "probe": "netwatch"}
    unknown = {"site_id": "s", "group_id": "g", "via_router": "r", "parents": (("p",),), "policy": "q"}
    assert await desk.codes(hosts.add_host, {**body, **unknown}) == [
        "unknown_site",
        "unknown_group",
        "unknown_router",
        "unknown_host",
        "unknown_policy",
    ]


async def test_changed_probe_must_hold_together_with_what_is_there():
    desk = Desk()
    site = await desk.site()
    host = await desk.host("web", site, probe="tcp", port=443)
    assert await desk.codes(hosts.change_host, host, {"probe": "http"}) == ["port_not_used", "http_missing"]
    page = {"probe": "http", "port": None, "http": {"url": "https://portal.example.net/"}}
    changed = await desk.do(hosts.change_host, host, page)
    assert changed.entity.http.url == "https://portal.example.net/"


async def test_parents_that_hang_on_each_other_are_refused_with_their_names():
    desk = Desk()
    site = await desk.site()
    core = await desk.host("core-1", site)
    tower = await desk.host("tower", site, parents=((core,),))
    leaf = await desk.host("leaf", site, parents=((tower,),))
    with pytest.raises(Faulty, match="core-1 → leaf → tower → core-1"):
        await desk.do(hosts.change_host, core, {"parents": ((leaf,),)})
    assert await desk.codes(hosts.change_host, core, {"parents": ((core,),)}) == ["own_parent"]
    assert desk.store.rows.tables["hosts"][core].entity.parents == ()
    await desk.do(hosts.remove_host, tower)
    assert desk.store.rows.tables["hosts"][leaf].entity.parents == ()
    await desk.do(hosts.change_host, core, {"parents": ((leaf,),)})


async def test_group_with_hosts_stays():
    desk = Desk()
    group = (await desk.do(groups.add_group, name="CPE", policy="edge")).entity.id
    host = await desk.host("cpe-1", await desk.site(), group_id=group)
    with pytest.raises(StillInUse, match="cpe-1"):
        await desk.do(groups.remove_group, group)
    await desk.do(hosts.change_host, host, {"group_id": None})
    await desk.do(groups.remove_group, group)
    assert desk.store.rows.announced[f"group.{group}"] is None


async def test_announced_work_is_published_changed_ended_and_taken_back():
    desk = Desk()
    site, now = await desk.site(), desk.clock.now()
    body = {"title": "Antennas", "begins_at": now, "ends_at": now + timedelta(hours=2), "site_ids": {site}}
    work = (await desk.do(maintenances.add_maintenance, body)).entity
    assert desk.store.rows.announced[work.key()].site_ids == {site}
    desk.clock.advance(600)
    await desk.do(maintenances.change_maintenance, work.id, {"ends_at": desk.clock.now()})
    assert desk.store.rows.announced[work.key()].ends_at == desk.clock.now()
    unknown = {"host_ids": {"no-such"}}
    assert await desk.codes(maintenances.change_maintenance, work.id, unknown) == ["unknown_host"]
    assert await desk.codes(maintenances.change_maintenance, work.id, {"site_ids": set()}) == ["nothing_named"]
    await desk.do(maintenances.remove_maintenance, work.id)
    assert desk.store.rows.announced[work.key()] is None
    assert await desk.codes(maintenances.add_maintenance, {**body, "site_ids": set()}) == ["nothing_named"]


class PlainSeal:
    def seal(self, plain: str, *, purpose: str) -> str:
        return f"{purpose}.{plain[::-1]}"


async def test_limits_of_a_router_change_one_by_one():
    desk = Desk()
    fields = {"name": "gw", "host": "10.0.0.1", "username": "u", "limits": {"cpu_percent": 80}}
    router = (await desk.do(inventory.add_router, fields, password="x", sealer=PlainSeal())).entity
    assert (router.limits.cpu_percent, router.limits.memory_percent) == (80, 90)

    async def change(**named: Any) -> Any:
        wanted = named.pop("wanted", {})
        return await desk.do(inventory.change_router, router.id, wanted, password=None, sealer=PlainSeal(), **named)

    after = (await change(limits={"disk_percent": None})).entity
    assert (after.limits.cpu_percent, after.limits.disk_percent) == (80, None)
    with pytest.raises(Faulty, match="voltage"):
        await change(limits={"voltage_min": 30, "voltage_max": 20})
    with pytest.raises(Faulty, match="office"):
        await change(wanted={"known_logins": ["office"]})
    assert (await change(wanted={"known_logins": ["10.0.0.0/24"]})).entity.known_logins == ("10.0.0.0/24",)
    host = {"name": "h", "site_id": after.site_id, "address": "10.0.0.2", "probe": "router", "via_router": router.id}
    await desk.do(hosts.add_host, host)
    with pytest.raises(StillInUse, match="watched by gw"):
        await desk.do(inventory.remove_router, router.id)
