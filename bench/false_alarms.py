"""An hour of a shaky network, in simulated time: how many hosts that live are called down?

10,000 hosts are asked once a second. One answer in a hundred is lost, each by itself; besides, each host loses
everything for 200 to 800 ms thirty times in the hour, and the whole network does so twelve times. Gaps are two seconds
apart: what follows at once would be a longer gap. The rules are the poller's own (`core.judge`); rounds that are
answered change nothing and are skipped, so an hour takes seconds. Packets are not sent. For comparison the same hour is
judged by a burst of four probes 150 ms apart that does not wait for short disturbances to pass.
"""

from __future__ import annotations

import asyncio
import math
import random
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bench.figures import Figure, this_machine
from bench.stage import Stage
from services.poller.core.judge import Phase, State, next_state, pause
from services.poller.core.reply import Answer, Loss, Ruling, WentDown
from shared.contracts.inventory import PROBE_POLICIES, ProbePolicy
from shared.contracts.vocabulary import HostState, ProbeFailure

HOSTS = 10_000
HOUR_S = 3600.0
LOST = 0.01  # of all answers, each by itself
OWN_GAPS, COMMON_GAPS = 30, 12  # an hour
GAP_S = (0.2, 0.8)
APART_S = 2.0  # from one gap to the next
TIMEOUT_S = 0.05  # what the adaptive timeout is for hosts that answer within 12 ms
HASTY = {"burst_size": 4, "burst_spacing_s": 0.15, "ride_out_s": 0.0}
_NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
_UP = State(HostState.UP, 1)


@dataclass(slots=True)
class Hour:
    """What became of it."""

    suspicions: int = 0
    alarms: int = 0


class Weather:
    """When one host's packets are lost."""

    def __init__(self, dice: random.Random, common: list[tuple[float, float]], length_s: float) -> None:
        self._dice = dice
        own = gaps(dice, OWN_GAPS * length_s / HOUR_S, length_s)
        self.gaps = apart([*own, *common])
        self._begins = [begin for begin, _ in self.gaps]

    def lost(self, at: float) -> bool:
        """Whether a packet that is sent at this second is lost."""
        return self._within_gap(at) or self._dice.random() < LOST

    def _within_gap(self, at: float) -> bool:
        place = bisect_right(self._begins, at) - 1
        return place >= 0 and at < self.gaps[place][1]

    def lost_rounds(self, offset: float, interval_s: float, rounds: int) -> Iterator[int]:
        """The rounds whose probe is lost, without looking at the others."""
        found: set[int] = set()
        at = -1
        while True:
            at += 1 + int(math.log(1.0 - self._dice.random()) / math.log(1 - LOST))
            if at >= rounds:
                break
            found.add(at)
        for begin, end in self.gaps:
            first = max(0, math.ceil((begin - offset) / interval_s))
            found.update(range(first, min(rounds, math.ceil((end - offset) / interval_s))))
        return iter(sorted(found))


def gaps(dice: random.Random, expected: float, length_s: float) -> list[tuple[float, float]]:
    """Times in which everything is lost."""
    count = int(expected) + (dice.random() < expected % 1)
    begins = (dice.uniform(0, length_s) for _ in range(count))
    return [(begin, begin + dice.uniform(*GAP_S)) for begin in begins]


def apart(gaps: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Gaps that do not follow each other at once: two of them would be a longer one."""
    kept: list[tuple[float, float]] = []
    for begin, end in sorted(gaps):
        if not kept or begin >= kept[-1][1] + APART_S:
            kept.append((begin, end))
    return kept


def judge_hour(policy: ProbePolicy, *, hosts: int = HOSTS, length_s: float = HOUR_S, seed: int = 1) -> Hour:
    """Let the poller's rules judge hosts that all live."""
    dice = random.Random(seed)  # noqa: S311 - weather, repeatable
    common = gaps(dice, COMMON_GAPS * length_s / HOUR_S, length_s)
    hour = Hour()
    for _ in range(hosts):
        weather = Weather(dice, common, length_s)
        offset = dice.uniform(0, policy.interval_s)
        free_at = 0.0
        for number in weather.lost_rounds(offset, policy.interval_s, int(length_s / policy.interval_s)):
            at = offset + number * policy.interval_s
            if at >= free_at:
                free_at = _suspicion(weather, policy, at, hour)
    return hour


def _suspicion(weather: Weather, policy: ProbePolicy, at: float, hour: Hour) -> float:
    """A round at `at` was lost: confirm as the patrol does. When regular rounds go on."""
    hour.suspicions += 1
    state, _ = next_state(_UP, Loss(1, _moment(at), ProbeFailure.TIMEOUT), policy, _moment(at))
    now, number, asked = at + TIMEOUT_S, 1, 0
    results: list[tuple[float, int, bool]] = []
    while state.phase is Phase.CONFIRMING:
        delay_s = pause(state, policy, asked, now - at)
        if delay_s is not None:
            now, number, asked = now + delay_s, number + 1, asked + 1
            results.append((now + TIMEOUT_S, number, weather.lost(now)))
            if not results[-1][2]:
                return now  # its answer comes before the next probe is sent
            continue
        now = results[-1][0]
        for _, each, _ in results:
            state, _ = next_state(state, Loss(each, _moment(at), ProbeFailure.TIMEOUT), policy, _moment(now))
        results, asked = [], 0
    state, facts = next_state(state, Ruling(), policy, _moment(now))
    hour.alarms += any(isinstance(fact, WentDown) for fact in facts)
    next_state(state, Answer(number + 1, 1.0), policy, _moment(now))
    return now


def _moment(at: float) -> datetime:
    return _NOON + timedelta(seconds=at)


async def measure(stage: Stage) -> list[Figure]:  # noqa: ARG001 - nothing runs
    """The hour, and the same hour with less patience."""
    policy = PROBE_POLICIES["infra"]
    hour = await asyncio.to_thread(judge_hour, policy)
    hasty = await asyncio.to_thread(judge_hour, policy.model_copy(update=HASTY))
    figure = Figure(
        "false_alarms",
        "10,000 hosts for an hour with 1 % loss and gaps of 200 to 800 ms → hosts called down that live",
        0,
        hour.alarms,
        "alarms",
        hour.suspicions,
        this_machine(),
        besides=f"{hour.suspicions:,} suspicions; a hasty burst makes {hasty.alarms:,} alarms",
    )
    return [figure]
