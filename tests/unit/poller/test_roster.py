"""The inventory as the poller sees it, and how it is followed."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from services.poller.core.roster import Roster
from services.poller.handlers.inventory import RosterCopy
from shared.bus.following import follow
from shared.bus.memory import MemoryBus
from shared.contracts.ids import GroupId, HostId, SiteId
from shared.contracts.inventory import PROBE_POLICIES, Host, HostGroup, ProbePolicy, Site
from shared.contracts.streams import INVENTORY_BUCKET
from shared.errors import Invalid
from tests.support.waiting import until

HOST = Host(id=HostId("h1"), site_id=SiteId("waru"), name="core-1", address="10.20.0.1", policy="infra")


def entry(thing: Host | HostGroup | Site | ProbePolicy) -> tuple[str, bytes]:
    return thing.key(), thing.model_dump_json().encode()


def test_same_entry_again_is_no_change():
    roster = Roster()
    assert roster.put(*entry(HOST))
    assert not roster.put(*entry(HOST))
    assert roster.put(*entry(HOST.model_copy(update={"name": "core-2"})))


def test_disabled_host_is_known_but_not_watched():
    roster = Roster()
    roster.put(*entry(HOST.model_copy(update={"enabled": False})))
    assert roster.hosts
    assert roster.watched_hosts() == {}


def test_what_is_not_ours_is_left_alone_and_what_cannot_be_read_is_refused():
    roster = Roster()
    assert not roster.put("chat.1", b"whatever")
    with pytest.raises(Invalid, match=r"host\.h1"):
        roster.put("host.h1", b'{"id": 7}')


@pytest.mark.parametrize(
    ("policy", "group_policy", "site_policy", "expected"),
    [
        pytest.param("infra", "standard", "edge", "infra", id="its-own"),
        pytest.param("", "infra", "edge", "infra", id="its-group's"),
        pytest.param("", "", "edge", "edge", id="its-group-has-none"),
        pytest.param("", None, "edge", "edge", id="no-group"),
        pytest.param("no-such", "infra", "edge", "infra", id="unknown-own-falls-to-the-group"),
        pytest.param("no-such", "no-such", "edge", "edge", id="unknown-falls-to-the-site"),
        pytest.param("no-such", None, "none-either", "standard", id="standard"),
        pytest.param("", "tower", "edge", "tower", id="a-policy-of-one's-own"),
    ],
)
def test_policy_of_a_host(policy, group_policy, site_policy, expected):
    roster = Roster()
    roster.put(*entry(PROBE_POLICIES["infra"].model_copy(update={"name": "tower"})))
    roster.put(*entry(Site(id=SiteId("waru"), name="Waru", policy=site_policy)))
    if group_policy is not None:
        roster.put(*entry(HostGroup(id=GroupId("g1"), name="Access points", policy=group_policy)))
    host = HOST.model_copy(update={"policy": policy, "group_id": GroupId("g1")})
    assert roster.policy_of(host).name == expected


def test_site_and_group_that_are_gone_leave_the_host_with_the_standard_policy():
    roster = Roster()
    site = Site(id=SiteId("waru"), name="Waru", policy="infra")
    group = HostGroup(id=GroupId("g1"), name="Access points", policy="edge")
    roster.put(*entry(site))
    roster.put(*entry(group))
    host = HOST.model_copy(update={"policy": "", "group_id": group.id})
    assert roster.policy_of(host).name == "edge"
    roster.remove(group.key())
    assert roster.policy_of(host).name == "infra"
    roster.remove(site.key())
    assert roster.policy_of(host).name == "standard"


def test_changed_standard_policy_counts_and_its_removal_brings_the_shipped_one_back():
    roster = Roster()
    changed = PROBE_POLICIES["infra"].model_copy(update={"interval_s": 5.0})
    roster.put(*entry(changed))
    assert roster.policy_of(HOST).interval_s == 5.0
    roster.remove(changed.key())
    assert roster.policy_of(HOST).interval_s == 1.0


async def test_changes_are_followed_and_bad_entries_left_out():
    bus, roster, changes = MemoryBus(source="test"), Roster(), []
    bucket = await bus.bucket(INVENTORY_BUCKET)
    await bucket.put(*entry(HOST))
    await bucket.put("host.bad", b"?")
    copy = RosterCopy(roster, lambda: changes.append(len(roster.hosts)))
    following = asyncio.create_task(follow(partial(bus.bucket, INVENTORY_BUCKET), copy))
    await until(lambda: changes == [1])
    await bucket.put(*entry(HOST.model_copy(update={"id": "h2"})))
    await until(lambda: changes == [1, 2])
    await bucket.delete(HOST.key())
    await until(lambda: changes == [1, 2, 1])
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
