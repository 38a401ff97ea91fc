"""The provider on paper: the same for the same seed, without doubles, every reference leads somewhere."""

from __future__ import annotations

import pytest

from lab.provider import make_provider


def test_the_same_seed_draws_the_same_provider():
    assert make_provider(7) == make_provider(7)
    assert make_provider(7) != make_provider(8)


@pytest.mark.parametrize(("hosts", "subscribers"), [(1, 0), (20, 60), (1000, 3000)])
def test_sizes_are_as_asked_and_nothing_is_double(hosts: int, subscribers: int):
    provider = make_provider(1, hosts, subscribers)
    assert len(provider.hosts) == hosts
    assert len(provider.subscribers) == subscribers
    assert len({h.name for h in provider.hosts}) == hosts
    for field in ("id", "user", "phone", "address"):
        assert len({getattr(s, field) for s in provider.subscribers}) == subscribers


def test_every_reference_leads_somewhere_and_parents_come_first():
    provider = make_provider(1, 200, 60)
    sites = {s.id for s in provider.sites}
    routers = {r.name for r in provider.routers}
    assert {h.site for h in provider.hosts} | {r.site for r in provider.routers} == sites
    assert {s.router for s in provider.subscribers} == routers
    known: set[str] = set()
    for host in provider.hosts:
        assert set(host.parents) <= known
        known.add(host.name)


def test_every_router_has_both_services_and_both_lines_are_there():
    provider = make_provider()
    for router in provider.routers:
        assert {s.service for s in provider.subscribers if s.router == router.name} == {"hotspot", "pppoe"}
    assert {r.version.split(".")[0] for r in provider.routers} == {"6", "7"}


def test_no_host_at_all_is_refused():
    with pytest.raises(ValueError, match="at least one host"):
        make_provider(1, 0)
