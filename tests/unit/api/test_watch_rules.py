"""What the api accepts of hosts, policies and announced work: tables, and cycles as a property."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.core.parents import cycle_through
from services.api.core.probe_fields import FIELDS, probe_faults
from services.api.core.probe_policies import packets_in_window, policy_faults
from services.api.core.router_fields import login_network_faults, voltage_faults
from services.api.handlers.maintenances import maintenance_faults
from shared.contracts.ids import HostId, MaintenanceId, SiteId
from shared.contracts.inventory import PROBE_POLICIES, DnsCheck, Host, HttpCheck, Maintenance, RouterLimits
from shared.contracts.vocabulary import ProbeKind

STANDARD = PROBE_POLICIES["standard"]
HOST = Host(id=HostId("h1"), site_id=SiteId("waru"), name="core-1", address="10.20.0.1")
PAGE, RECORD = HttpCheck(url="https://portal.example.net/"), DnsCheck(name="example.net")
NOW = datetime(2026, 11, 20, 14, 4, 17, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("fields", "codes"),
    [
        pytest.param({}, [], id="icmp"),
        pytest.param({"port": 80}, ["port_not_used"], id="icmp-with-port"),
        pytest.param({"probe": "tcp"}, ["port_missing"], id="tcp-without-port"),
        pytest.param({"probe": "tcp", "port": 80}, [], id="tcp"),
        pytest.param({"probe": "http"}, ["http_missing"], id="http-without-page"),
        pytest.param({"probe": "http", "http": PAGE}, [], id="http"),
        pytest.param({"probe": "http", "http": PAGE, "port": 80}, ["port_not_used"], id="http-with-port"),
        pytest.param({"probe": "dns", "dns": RECORD}, [], id="dns"),
        pytest.param({"probe": "dns", "dns": RECORD, "port": 5353}, [], id="dns-on-its-own-port"),
        pytest.param({"probe": "dns", "http": PAGE}, ["http_not_used", "dns_missing"], id="dns-with-page"),
        pytest.param({"probe": "router"}, ["via_router_missing"], id="router-without-router"),
        pytest.param({"probe": "netwatch", "via_router": "r1"}, [], id="netwatch"),
        pytest.param({"via_router": "r1"}, ["via_router_not_used"], id="icmp-with-router"),
    ],
)
def test_fields_of_a_probe(fields, codes):
    assert [fault.code for fault in probe_faults(Host.model_validate(HOST.model_dump() | fields))] == codes


def test_every_kind_of_probe_has_its_fields():
    assert set(FIELDS) == set(ProbeKind)


@pytest.mark.parametrize("url", ["portal.example.net", "ftp://example.net/", "http://", "http://a b/", "http://a:0x/"])
def test_what_is_no_page_is_refused(url):
    host = HOST.model_copy(update={"probe": ProbeKind.HTTP, "http": HttpCheck(url=url)})
    assert [fault.code for fault in probe_faults(host)] == ["url_wrong"]


def test_record_and_status_that_cannot_be_are_refused():
    dns = HOST.model_copy(update={"probe": ProbeKind.DNS, "dns": DnsCheck(name="", record="ANY")})
    assert [fault.code for fault in probe_faults(dns)] == ["name_wrong", "record_wrong"]
    http = HOST.model_copy(update={"probe": ProbeKind.HTTP, "http": HttpCheck(url=PAGE.url, statuses=(99,))})
    assert [fault.code for fault in probe_faults(http)] == ["status_wrong"]


@pytest.mark.parametrize("policy", PROBE_POLICIES.values(), ids=lambda policy: policy.name)
def test_what_ships_is_accepted_and_fills_its_window(policy):
    assert policy_faults(policy) == []
    assert packets_in_window(policy) >= 100


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param({"interval_s": 0.05}, "out_of_bounds", id="a-flood"),
        pytest.param({"burst_size": 0}, "out_of_bounds", id="no-burst"),
        pytest.param({"recovery_answers": 5}, "never_up", id="never-up-again"),
        pytest.param({"train_spacing_s": 7.0}, "trains_overlap", id="trains-overlap"),
        pytest.param({"quality_window_s": 300.0}, "too_few_packets", id="window-too-short"),
        pytest.param({"train_size": 0}, "too_few_packets", id="no-trains"),
        pytest.param({"interval_s": float("nan")}, "out_of_bounds", id="not-a-number"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(change, code):
    assert [fault.code for fault in policy_faults(STANDARD.model_copy(update=change))] == [code]


def work(**fields: object) -> Maintenance:
    common = {"id": MaintenanceId("m1"), "title": "Antennas", "begins_at": NOW, "ends_at": NOW + HOUR}
    return Maintenance.model_validate({**common, "site_ids": {"waru"}, **fields})


@pytest.mark.parametrize(
    ("fields", "codes"),
    [
        pytest.param({}, [], id="fixed"),
        pytest.param({"duration_s": 3600}, [], id="flexible"),
        pytest.param({"duration_s": 3601}, ["too_long"], id="longer-than-its-window"),
        pytest.param({"ends_at": NOW}, ["ends_before_begin"], id="no-time"),
        pytest.param({"begins_at": NOW - 2 * HOUR, "ends_at": NOW - HOUR}, ["over_already"], id="over"),
        pytest.param({"site_ids": set()}, ["nothing_named"], id="nothing"),
        pytest.param({"site_ids": set(), "host_ids": {"h1"}}, [], id="one-host"),
    ],
)
def test_announced_work(fields, codes):
    assert [fault.code for fault in maintenance_faults(work(**fields), NOW)] == codes


def test_logins_and_voltages_of_a_router():
    assert login_network_faults(["10.0.0.5", "10.0.0.0/24", "2001:db8::/32"]) == []
    wrong = login_network_faults(["10.0.0.5/24", "office"])
    assert [fault.code for fault in wrong] == ["network_wrong", "network_wrong"]
    assert voltage_faults(RouterLimits(voltage_min=20, voltage_max=28)) == []
    assert [fault.code for fault in voltage_faults(RouterLimits(voltage_min=28, voltage_max=20))] == ["voltage_wrong"]


@pytest.mark.parametrize(
    ("parents", "others", "way"),
    [
        pytest.param((("b",),), {}, (), id="a-parent-without-parents"),
        pytest.param((("b",),), {"b": (("a",),)}, ("a", "b", "a"), id="two"),
        pytest.param((("x",), ("b",)), {"b": (("c",),), "c": (("a",),)}, ("a", "b", "c", "a"), id="over-a-third"),
        pytest.param((("b", "x"),), {"x": (("y", "a"),)}, ("a", "x", "a"), id="an-alternative-counts"),
        pytest.param((("b",),), {"b": (("c",),), "c": (("b",),)}, (), id="others'-own-cycle"),
        pytest.param((("a",),), {}, ("a", "a"), id="itself"),
    ],
)
def test_cycles(parents, others, way):
    assert cycle_through("a", parents, others) == way


@given(st.lists(st.tuples(st.integers(1, 12), st.integers(0, 11)), max_size=40))
def test_who_only_hangs_on_smaller_ones_never_hangs_on_itself(pairs):
    parents: dict[str, tuple[tuple[str, ...], ...]] = {}
    for child, parent in pairs:
        if parent < child:
            parents[str(child)] = (*parents.get(str(child), ()), (str(parent),))
    for child, groups in parents.items():
        assert cycle_through(child, groups, parents) == ()
        back = {**parents, groups[0][0]: ((child,),)}
        way = cycle_through(child, groups, back)
        assert way[0] == way[-1] == child
        for one, other in pairwise(way):
            assert any(other in group for group in back[one])
