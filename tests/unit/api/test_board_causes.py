"""One cause is one card: what stands behind what, by the inventory's parents and by sites that go dark whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.api.core.alerts import Alert
from services.api.core.board import make_board
from services.api.core.facts import BoardFacts
from services.api.core.standings import HostStanding, RouterStanding, RouterState
from services.api.core.trends import STEPS, slot_of, walk_back
from shared.contracts.ids import HostId, RouterId, SiteId
from shared.contracts.inventory import Host, Router, Site
from shared.contracts.vocabulary import HostState, Severity

NOW = datetime(2026, 11, 20, 14, 4, 17, tzinfo=UTC)
Parents = tuple[tuple[str, ...], ...]


def network(hosts: Mapping[str, Parents], *, dark: str, routers: str = "") -> BoardFacts:
    """Hosts are named `site/host`, routers `site/gw`; `dark` names what does not answer."""
    sites = sorted({name.partition("/")[0] for name in (*hosts, *routers.split())})
    gone = set(dark.split())
    return BoardFacts(
        sites=tuple(Site(id=SiteId(name), name=name) for name in sites),
        hosts=tuple(_host(name, parents) for name, parents in hosts.items()),
        routers=tuple(_router(name) for name in routers.split()),
        host_standings={name: _standing(name, name in gone) for name in hosts},
        router_standings={
            name: RouterStanding(name, RouterState.UNREACHABLE if name in gone else RouterState.REACHABLE, NOW, 1)
            for name in routers.split()
        },
        sessions=dict.fromkeys(routers.split(), 10),
    )


def _host(name: str, parents: Parents) -> Host:
    groups = tuple(tuple(HostId(parent) for parent in group) for group in parents)
    return Host(id=HostId(name), site_id=SiteId(name.partition("/")[0]), name=name, address=name, parents=groups)


def _router(name: str) -> Router:
    site = SiteId(name.partition("/")[0])
    return Router(id=RouterId(name), site_id=site, name=name, host=name, username="u", sealed_password="k")


def _standing(name: str, dark: bool) -> HostStanding:
    return HostStanding(name, HostState.DOWN if dark else HostState.UP, NOW - timedelta(minutes=1), 1)


def cards(facts: BoardFacts) -> dict[str, tuple[int, int]]:
    """Each card's name with how many hosts and routers stand behind it."""
    return {each.name: (len(each.hosts_behind), len(each.routers_behind)) for each in make_board(facts).problems}


CHAIN: Mapping[str, Parents] = {"a/core": (), "a/tower": (("a/core",),), "a/ap": (("a/tower",),)}
RING: Mapping[str, Parents] = {"a/x": (("a/y",),), "a/y": (("a/x",),)}
TWO_WAYS: Mapping[str, Parents] = {"a/east": (), "a/west": (), "a/ap": (("a/east", "a/west"),)}
FEEDS: Mapping[str, Parents] = {"a/power": (), "a/link": (), "a/ap": (("a/power",), ("a/link",))}
REMOTE: Mapping[str, Parents] = {"a/core": (), "b/tower": (("a/core",),), "b/ap": (("b/tower",),)}
FLAT: Mapping[str, Parents] = {"a/one": (), "a/two": ()}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param(network(CHAIN, dark="a/core a/tower a/ap"), {"a/core": (2, 0)}, id="whole-chain"),
        pytest.param(network(CHAIN, dark="a/tower a/ap"), {"a/tower": (1, 0)}, id="middle-of-the-chain"),
        pytest.param(
            network(CHAIN, dark="a/core a/ap"), {"a/core": (0, 0), "a/ap": (0, 0)}, id="parent-between-answers"
        ),
        pytest.param(network(RING, dark="a/x a/y"), {"a/x": (1, 0)}, id="circle-has-one-head"),
        pytest.param(
            network(TWO_WAYS, dark="a/east a/ap"), {"a/east": (0, 0), "a/ap": (0, 0)}, id="another-way-is-open"
        ),
        pytest.param(
            network(TWO_WAYS, dark="a/east a/west a/ap"), {"a/east": (1, 0), "a/west": (0, 0)}, id="no-way-is-open"
        ),
        pytest.param(network(FEEDS, dark="a/link a/ap"), {"a/link": (1, 0)}, id="one-group-is-enough"),
        pytest.param(network({"a/ap": (("a/gone",),)}, dark="a/ap"), {"a/ap": (0, 0)}, id="parent-that-is-not-watched"),
        pytest.param(network(FLAT, dark="a/one a/two a/gw", routers="a/gw"), {"a/gw": (2, 0)}, id="site-behind-router"),
        pytest.param(
            network(FLAT, dark="a/one a/gw", routers="a/gw"),
            {"a/gw": (0, 0), "a/one": (0, 0)},
            id="router-and-a-host-of-a-site-that-lives",
        ),
        pytest.param(
            network(FLAT, dark="a/one a/two a/gw", routers="a/gw a/gw2"),
            {"a/gw": (0, 0), "a/one": (0, 0), "a/two": (0, 0)},
            id="another-router-answers",
        ),
        pytest.param(
            network(CHAIN, dark="a/core a/tower a/ap a/gw", routers="a/gw"),
            {"a/core": (2, 1)},
            id="router-last",
        ),
        pytest.param(
            network(REMOTE, dark="a/core b/tower b/ap b/gw", routers="b/gw"),
            {"a/core": (2, 1)},
            id="router-of-a-site-behind-another",
        ),
        pytest.param(network({"a/only": ()}, dark="a/only a/gw", routers="a/gw"), {"a/gw": (1, 0)}, id="only-host"),
    ],
)
def test_one_cause_is_one_card(facts: BoardFacts, expected: dict[str, tuple[int, int]]) -> None:
    assert cards(facts) == expected


def test_router_that_is_watched_by_ping_too_is_one_problem() -> None:
    twin = network({"a/gw": (), "a/ap": (("a/gw",),), "a/cam": ()}, dark="a/gw a/ap", routers="a/gw")
    blind = {"r": RouterStanding("r", RouterState.UNREACHABLE, NOW, 1)}
    router = _router("a/gw").model_copy(update={"id": "r"})
    facts = BoardFacts(
        sites=twin.sites,
        hosts=twin.hosts,
        routers=(router,),
        host_standings=twin.host_standings,
        router_standings=blind,
    )
    [problem] = make_board(facts).problems
    assert (problem.kind, problem.hosts_behind, problem.routers_behind) == ("host", ("a/ap",), ("a/gw",))


def test_what_is_explained_is_unreachable_in_its_bar_and_counts_its_sessions() -> None:
    board = make_board(network(REMOTE, dark="a/core b/tower b/ap b/gw", routers="a/gw b/gw"))
    assert [host.state for site in board.sites for host in site.hosts] == ["down", "unreachable", "unreachable"]
    assert [site.state for site in board.sites] == ["down", "down"]
    assert board.problems[0].affected == 20


def alert(object_id: str, number: int, **extra: object) -> Alert:
    return Alert(f"i{number}", number, "a", "host.down", object_id, object_id, Severity.CRITICAL, **extra)  # type: ignore[arg-type]


def test_card_carries_its_newest_alert_and_what_is_taken_on_steps_back() -> None:
    facts = network(FLAT, dark="a/one a/two")
    taken = alert("a/one", 7, acknowledged_by="Sari", acknowledged_at=NOW)
    found = make_board(
        BoardFacts(
            sites=facts.sites,
            hosts=facts.hosts,
            host_standings=facts.host_standings,
            alerts=(taken, alert("a/two", 9, told=("NOC",)), alert("a/two", 8)),
        )
    ).problems
    assert [(each.name, each.alert.number if each.alert else None) for each in found] == [("a/two", 9), ("a/one", 7)]


def test_sessions_are_walked_back_from_now() -> None:
    slot = slot_of(NOW)
    trend = walk_back(12, {slot: 2, slot - 1: -3, slot - STEPS: 5}, slot)
    assert len(trend) == STEPS + 1
    assert trend[-3:] == (13, 10, 12)
    assert trend[0] == 13


def test_who_is_surely_cut_comes_before_who_merely_stands_there() -> None:
    hosts: Mapping[str, Parents] = {
        "a/core": (),
        "a/tower": (("a/core",),),
        "b/one": (),
        "b/two": (("b/one",),),
        "b/dns": (),
        "b/up": (),
    }
    facts = network(hosts, dark="a/core a/tower a/gw b/one b/two b/dns", routers="a/gw b/gw")
    crowded = replace(facts, sessions={"a/gw": 1, "b/gw": 500})
    assert [problem.name for problem in make_board(crowded).problems] == ["a/core", "b/one", "b/dns"]
