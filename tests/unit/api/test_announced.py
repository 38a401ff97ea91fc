"""Announced work: when it lasts, whom it concerns, and what the board makes of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.api.console.works import _ended as ended
from services.api.core.announced import Stage, WorkNow, lasts, stage_of
from services.api.core.board import make_board
from services.api.core.standings import RouterState
from shared.contracts.ids import MaintenanceId
from shared.contracts.inventory import Maintenance
from shared.contracts.vocabulary import HostState
from tests.unit.api.test_board_rules import NOW, alert, facts, host, standing

HOUR = timedelta(hours=1)


def work(begins: datetime = NOW - HOUR, ends: datetime = NOW + HOUR, **fields: Any) -> Maintenance:
    plain: dict[str, Any] = {"host_ids": {"core-1"}} | fields
    return Maintenance(id=MaintenanceId("w"), title="Antennas", begins_at=begins, ends_at=ends, **plain)


@pytest.mark.parametrize(
    ("begins", "ends", "stage"),
    [
        pytest.param(NOW - HOUR, NOW + HOUR, Stage.NOW, id="between"),
        pytest.param(NOW, NOW + HOUR, Stage.NOW, id="begins-now"),
        pytest.param(NOW - HOUR, NOW, Stage.PAST, id="ends-now"),
        pytest.param(NOW + HOUR, NOW + 2 * HOUR, Stage.PLANNED, id="to-come"),
    ],
)
def test_fixed_work_lasts_from_begin_to_end(begins: datetime, ends: datetime, stage: Stage) -> None:
    announced = work(begins, ends)
    assert stage_of(announced, lasts(announced, [], {}, NOW), NOW) is stage


@pytest.mark.parametrize(
    ("outage_min_ago", "until_min"),
    [
        pytest.param(None, None, id="no-outage-yet"),
        pytest.param(10, 20, id="began-with-it"),
        pytest.param(30, None, id="over-after-its-length"),
        pytest.param(61, None, id="outage-before-the-window"),
    ],
)
def test_flexible_work_lasts_from_the_first_outage_on(outage_min_ago: int | None, until_min: int | None) -> None:
    announced = work(duration_s=1800.0)
    outages = {} if outage_min_ago is None else {"core-1": NOW - timedelta(minutes=outage_min_ago)}
    found = lasts(announced, [host("core-1")], outages, NOW)
    assert (found and found.until) == (None if until_min is None else NOW + timedelta(minutes=until_min))


def test_flexible_work_waits_for_an_outage_of_its_own_hosts() -> None:
    assert lasts(work(duration_s=1800.0), [host("core-1"), host("ap-1")], {"ap-1": NOW}, NOW) is None


def test_flexible_work_that_is_ended_has_lasted_from_its_outage_until_now() -> None:
    flexible = WorkNow(work(duration_s=1800.0), NOW + timedelta(minutes=20))
    assert ended(flexible, NOW) == {"ends_at": NOW, "duration_s": 600.0}
    assert ended(WorkNow(work(), NOW + HOUR), NOW) == {"ends_at": NOW}


def test_what_is_worked_on_looks_so_and_makes_no_card() -> None:
    lasting = (WorkNow(work(host_ids={"core-1"}, router_ids={"gw"}), NOW + HOUR),)
    known = facts(
        standing("core-1", HostState.DOWN), standing("ap-1", HostState.UP), routers={"gw": RouterState.UNREACHABLE}
    )
    known = replace(known, alerts=(alert("i", "router.stressed", "gw"),))
    assert {problem.name for problem in make_board(known).problems} == {"core-1", "gw"}
    board = make_board(replace(known, work=lasting))
    assert board.problems == ()
    cell = board.sites[0].hosts[0]
    assert (cell.state, cell.beneath) == (HostState.MAINTENANCE, HostState.DOWN)
    assert board.sites[0].state is HostState.MAINTENANCE
    assert board.sites[0].answering == 1


def test_a_host_that_answers_while_it_is_worked_on_is_counted() -> None:
    board = make_board(facts(standing("core-1", HostState.UP), work=(WorkNow(work(), NOW + HOUR),)))
    assert board.sites[0].hosts[0].state is HostState.MAINTENANCE
    assert board.sites[0].answering == 1
