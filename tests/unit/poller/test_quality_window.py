"""The rolling window: what counts, what is too little, what is old."""

from __future__ import annotations

import pytest

from services.poller.core.connection import SLICE_S, Connection
from services.poller.core.degraded import BecameDegraded
from services.poller.core.gauge import Slice, Turn
from services.poller.core.quality import QualityWindow
from shared.contracts.ids import HostId, SiteId
from shared.contracts.inventory import PROBE_POLICIES, Host
from shared.contracts.vocabulary import Grade, ProbeKind, QualityFault
from tests.fakes.clock import FakeClock

HOST = Host(id=HostId("h1"), site_id=SiteId("waru"), name="core-1", address="10.20.0.1", policy="infra")


def of(received: int, lost: int = 0, rtt_ms: float = 20.0, jitter_ms: float = 2.0) -> Slice:
    return Slice(lost, received, received, received * rtt_ms, rtt_ms, rtt_ms, received * jitter_ms)


def filled(window: QualityWindow, slices: int, each: Slice, start: float = 0.0) -> float:
    for number in range(slices):
        window.add(each, start + number * SLICE_S)
    return start + slices * SLICE_S


def test_window_of_100_packets_is_measured_and_graded():
    window = QualityWindow(100.0)
    end = filled(window, 10, of(9, lost=1))
    measured = window.measured(end)
    assert (measured.sent, measured.received, measured.window_s) == (100, 90, 100.0)
    graded = measured.graded()
    assert (graded.delay_ms, graded.jitter_ms, graded.loss_percent) == (20.0, 2.0, 10.0)
    assert (graded.delay_grade, graded.jitter_grade, graded.loss_grade) == (Grade.EXCELLENT, Grade.GOOD, Grade.POOR)
    assert graded.grade is Grade.POOR


def test_fewer_than_100_packets_say_nothing():
    window = QualityWindow(100.0)
    assert window.measured(filled(window, 9, of(11))) is None


def test_window_reaches_back_where_rounds_were_left_out():
    window = QualityWindow(100.0)
    end = filled(window, 20, of(7, lost=2))  # 9 a slice: 90 in a window
    measured = window.measured(end)
    assert (measured.sent, measured.window_s) == (108, 120.0)


def test_what_is_older_than_two_windows_is_forgotten():
    window = QualityWindow(100.0)
    end = filled(window, 20, of(0, lost=10))
    assert window.measured(end).loss_percent == 100.0
    assert window.measured(end + 150.0) is None
    end = filled(window, 10, of(10), start=end)
    assert window.measured(end).loss_percent == 0.0


def test_nothing_came_back_has_neither_delay_nor_jitter():
    window = QualityWindow(100.0)
    graded = window.measured(filled(window, 10, of(0, lost=10))).graded()
    assert (graded.delay_ms, graded.jitter_grade, graded.grade) == (None, None, Grade.UNACCEPTABLE)


class Course:
    """A host's connection over slices."""

    def __init__(self, policy: str = "infra", **host: object) -> None:
        self.turn, self.clock, self.facts = Turn(), FakeClock(), []
        self.connection = Connection(HOST.model_copy(update=host), PROBE_POLICIES[policy], self.turn)
        self.number = 0

    def slices(self, count: int, *, answered: int, lost: int, up: bool = True) -> None:
        for _ in range(count):
            begin = self.clock.now().timestamp()
            for place in range(answered + lost):
                self.number += 1
                self.connection.gauge.asked(self.number, counts=True)
                if place < answered:
                    self.connection.gauge.answered(self.number, 20.0)
                else:
                    self.connection.gauge.lost(self.number)
            self.clock.advance(SLICE_S)
            half = self.turn.flip()
            _, fact, _ = self.connection.end_slice(half, begin, self.clock.now(), up=up)
            if fact:
                self.facts.append(fact)


def test_second_lossy_window_in_a_row_is_told_with_what_was_measured():
    course = Course()
    course.slices(12, answered=10, lost=0)
    course.slices(19, answered=9, lost=1)
    assert course.facts == []
    course.slices(13, answered=9, lost=1)
    [fact] = course.facts
    assert isinstance(fact, BecameDegraded)
    assert fact.faults == (QualityFault.LOSS,)
    assert fact.measured.loss_percent == pytest.approx(10.0)


def test_time_in_which_the_host_was_down_is_no_bad_quality():
    course = Course()
    course.slices(12, answered=10, lost=0)
    course.slices(60, answered=0, lost=10, up=False)
    assert course.facts == []
    assert course.connection.measured(course.clock.now().timestamp()) is None


@pytest.mark.parametrize("probe", [ProbeKind.HTTP, ProbeKind.DNS, ProbeKind.NETWATCH])
def test_what_is_no_measure_of_the_connection_is_not_graded(probe):
    course = Course(probe=probe)
    course.slices(60, answered=5, lost=5)
    assert course.facts == []
