"""Properties of the whole watch: whatever happens to poller and packets, the alarms are the same, each once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.poller.ports import Asker, Target
from shared.contracts.events import HostDown, HostTransition, HostUnreachable, HostUp
from shared.contracts.vocabulary import HostState
from tests.fakes.watchtower import Watchtower, host, watch_over

HOSTS = (host("gate"), host("ap", "gate"), host("lone"))
NAMES = tuple(each.id for each in HOSTS)
LASTS_S = 25.0  # each spell; longer than any verdict takes, restarts included

# What is cut in each spell. What hangs on the gate is cut with it: it has no other way.
SPELLS = st.lists(st.sets(st.sampled_from(NAMES)), min_size=1, max_size=4).map(
    lambda spells: [spell | ({"ap"} if "gate" in spell else set()) for spell in spells]
)
MOMENTS = st.floats(min_value=0.0, max_value=4 * LASTS_S, allow_nan=False)
JUMPS = st.sampled_from([timedelta(days=-1), timedelta(seconds=-3), timedelta(hours=5)])


class Echoes:
    """Every answer comes twice, and again much later; every loss is followed by a late answer if the host lives."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker

    def answer(self, number: int, rtt_ms: float) -> None:
        loop = asyncio.get_running_loop()
        self._asker.answer(number, rtt_ms)
        self._asker.answer(number, rtt_ms)
        loop.call_later(0.3, self._asker.answer, number, 300.0)

    def loss(self, *loss: object) -> None:
        self._asker.loss(*loss)  # type: ignore[arg-type]
        self._asker.loss(*loss)  # type: ignore[arg-type]

    def blind(self, *blind: object) -> None:
        self._asker.blind(*blind)  # type: ignore[arg-type]


def tell(
    spells: list[set[str]], *, restarts: tuple[float, ...] = (), jump: timedelta | None = None, echoes: bool = False
) -> Watchtower:
    """Play the spells; restart from memory at these moments; set the clock in the middle."""

    async def plot(tower: Watchtower) -> None:
        if echoes:
            ask = tower.network.ask

            def echoing(target: Target, number: int, timeout_s: float, asker: Asker) -> None:
                ask(target, number, timeout_s, Echoes(asker))

            tower.network.ask = echoing  # type: ignore[method-assign]
        tower.watch(*HOSTS)
        restarting = [asyncio.create_task(restart(tower, 30 + moment)) for moment in restarts]
        await asyncio.sleep(30)
        for number, spell in enumerate(spells):
            tower.restore(*NAMES)
            tower.cut(*spell)
            await asyncio.sleep(LASTS_S / 2)
            if jump is not None and number == 0:
                tower.clock.shift = jump
            await asyncio.sleep(LASTS_S / 2)
        await asyncio.gather(*restarting)
        await asyncio.sleep(LASTS_S)
        for name in NAMES:
            state = tower.patrol.watches[name].state.hard
            assert (state is HostState.UP) == (name not in spells[-1])

    return watch_over(plot)


async def restart(tower: Watchtower, at: float) -> None:
    """A new process with the same memory, or another poller that takes over."""
    await asyncio.sleep(at)
    records = tower.records()
    for each in HOSTS:
        tower.patrol.drop(each.id)
    for each in HOSTS:
        known = records[each.id].host_state() if each.id in records else None
        tower.watch(each, **({} if known is None else {"state": known}), seen_at=tower.clock.now())


def alarms(tower: Watchtower) -> dict[str, list[str]]:
    """What was told of each host, in order."""
    told: dict[str, list[str]] = {name: [] for name in NAMES}
    for event in tower.teller.told:
        if isinstance(event, HostDown | HostUp | HostUnreachable):
            told[event.host_id].append(event.NAME)
    return told


def each_once(tower: Watchtower) -> None:
    for name in NAMES:
        numbers = [event.transition for event in tower.events(HostTransition, name)]
        assert numbers == list(range(2, 2 + len(numbers)))


FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@FEW
@given(spells=SPELLS, restarts=st.lists(MOMENTS, max_size=3))
def test_restarts_and_takeovers_anywhere_change_no_alarm(spells, restarts):
    restarted = tell(spells, restarts=tuple(restarts))
    each_once(restarted)
    assert alarms(restarted) == alarms(tell(spells))


@FEW
@given(spells=SPELLS)
def test_duplicates_and_late_answers_change_no_alarm(spells):
    echoed = tell(spells, echoes=True)
    each_once(echoed)
    assert alarms(echoed) == alarms(tell(spells))


@FEW
@given(spells=SPELLS, jump=JUMPS)
def test_clock_that_jumps_changes_no_alarm(spells, jump):
    jumped = tell(spells, jump=jump)
    each_once(jumped)
    assert alarms(jumped) == alarms(tell(spells))


def test_trap_2_every_loss_counts_until_an_answer_and_one_answer_clears():
    """Two of three lost is no outage and no silence: the host answers, and the losses are the quality's."""

    async def plot(tower: Watchtower) -> None:
        tower.watch(host("lone"))
        await asyncio.sleep(30)
        for _ in range(60):
            tower.cut("lone")
            await asyncio.sleep(0.66)
            tower.restore("lone")
            await asyncio.sleep(0.34)

    assert watch_over(plot).teller.told == []


def test_trap_5_outage_shorter_than_any_wait_is_told_down_and_up():
    """Nothing in the poller waits for a problem to last: what was confirmed is told, and its end too."""

    async def plot(tower: Watchtower) -> None:
        tower.watch(host("lone"))
        await asyncio.sleep(30)
        tower.cut("lone")
        await asyncio.sleep(3.5)  # the policy's worst time
        tower.restore("lone")
        await asyncio.sleep(5)

    assert watch_over(plot).alarms() == [("down", "lone"), ("up", "lone")]


def test_trap_1_recovery_after_flapping_is_told():
    async def plot(tower: Watchtower) -> None:
        tower.watch(host("lone"))
        await asyncio.sleep(30)
        for _ in range(8):
            tower.cut("lone")
            await asyncio.sleep(20)
            tower.restore("lone")
            await asyncio.sleep(20)
        await asyncio.sleep(700)

    tower = watch_over(plot)
    assert tower.alarms() == [("down", "lone"), ("up", "lone")] * 8, "every change is a fact, flapping or not"
    assert tower.teller.told[-1].NAME == "host.steady"
