"""What the board judges from the facts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from services.api.core.alerts import Alert
from services.api.core.board import make_board
from services.api.core.facts import BoardFacts
from services.api.core.problems import ProblemKind
from services.api.core.standings import Condition, HostStanding, RouterStanding, RouterState
from services.api.handlers.board import fragment_marks
from shared.contracts.ids import HostId, RouterId, SiteId
from shared.contracts.inventory import Host, Router, Site
from shared.contracts.vocabulary import HostState, Severity

NOW = datetime(2026, 11, 20, 14, 4, 17, tzinfo=UTC)
SITE = Site(id=SiteId("s"), name="Waru")


def host(name: str) -> Host:
    return Host(id=HostId(name), site_id=SITE.id, name=name, address="10.0.0.1")


def standing(name: str, state: HostState, minutes: int = 0) -> HostStanding:
    return HostStanding(name, state, NOW - timedelta(minutes=minutes), 1)


def router(name: str) -> Router:
    return Router(id=RouterId(name), site_id=SITE.id, name=name, host="::1", username="u", sealed_password="k")


def facts(*standings: HostStanding, routers: dict[str, RouterState] | None = None, **extra: object) -> BoardFacts:
    return BoardFacts(
        sites=(SITE,),
        hosts=tuple(host(each.host_id) for each in standings),
        host_standings={each.host_id: each for each in standings},
        routers=tuple(map(router, routers or {})),
        router_standings={name: RouterStanding(name, state, NOW, 1) for name, state in (routers or {}).items()},
        **extra,  # type: ignore[arg-type]
    )


def test_problems_stand_worst_first_and_newest_first_among_equals() -> None:
    board = make_board(
        facts(
            standing("a-up", HostState.UP),
            standing("b-unknown", HostState.UNKNOWN),
            standing("c-old", HostState.DOWN, 60),
            standing("d-new", HostState.DOWN, 1),
            standing("e-degraded", HostState.DEGRADED),
        )
    )
    assert [problem.name for problem in board.problems] == ["d-new", "c-old", "e-degraded", "b-unknown"]
    assert board.sites[0].state is HostState.DOWN
    assert board.sites[0].answering == 2, "a degraded host answers"


def test_blind_router_is_a_problem_and_its_sessions_are_only_last_known() -> None:
    board = make_board(facts(routers={"gw": RouterState.UNREACHABLE}, sessions={"gw": 142}))
    [problem] = board.problems
    assert (problem.name, problem.affected, problem.address) == ("gw", 142, "[::1]:8728")
    assert board.sessions_total == 142
    assert not board.sessions_known


def test_a_host_that_answers_badly_is_shown_so_since_then() -> None:
    began = NOW - timedelta(minutes=3)
    poor = replace(standing("poor", HostState.UP, 60), conditions={Condition.DEGRADED: began})
    down = replace(standing("down", HostState.DOWN, 1), conditions={Condition.DEGRADED: began})
    board = make_board(facts(poor, down))
    assert [(each.name, each.state, each.since) for each in board.problems] == [
        ("down", HostState.DOWN, NOW - timedelta(minutes=1)),
        ("poor", HostState.DEGRADED, began),
    ]


def test_an_alert_that_is_no_rows_state_has_a_card_of_its_own() -> None:
    told = [alert("i1", "router.stressed", "gw"), alert("i2", "host.down", "a"), alert("i3", "host.degraded", "a")]
    board = make_board(facts(standing("a", HostState.DOWN), alerts=tuple(told)))
    host_card, alert_card = board.problems
    assert host_card.alert is told[1], "that it is down says more than what else is told of it"
    assert (alert_card.kind, alert_card.id, alert_card.state) == (ProblemKind.ALERT, "i1", HostState.DEGRADED)


def alert(incident_id: str, kind: str, object_id: str) -> Alert:
    return Alert(incident_id, 7, SITE.id, kind, object_id, object_id, Severity.WARNING, opened_at=NOW)


def test_host_that_nobody_told_of_yet_is_new_and_not_wrong() -> None:
    new = host("new")
    board = make_board(BoardFacts(sites=(SITE,), hosts=(new,)))
    assert board.problems == ()
    assert board.sites[0].hosts[0].state is HostState.UNKNOWN


def test_nothing_to_watch_is_empty() -> None:
    assert make_board(BoardFacts(sites=(SITE,))).empty


def test_refused_accounts_are_one_card() -> None:
    [problem] = make_board(facts(failed_accounts=3)).problems
    assert problem.count == 3


def test_only_the_parts_that_show_something_else_are_marked() -> None:
    before = fragment_marks(make_board(facts(standing("a", HostState.UP), routers={"gw": RouterState.REACHABLE})))
    after = fragment_marks(make_board(facts(standing("a", HostState.DOWN), routers={"gw": RouterState.REACHABLE})))
    assert {name for name in before if before[name] != after[name]} == {"sentence", "problems", "sites"}
