"""The round of the watch, told as stories in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from services.poller.core.judge import State
from services.poller.core.reply import Fact, WentDown, WentUnknown, WentUp
from services.poller.loop import Patrol
from services.poller.watch import NO_SENTINEL, Watch
from shared.contracts.ids import HostId, SiteId
from shared.contracts.inventory import PROBE_POLICIES, Host, ProbePolicy
from shared.contracts.vocabulary import HostState, ProbeFailure, ProbeKind
from tests.fakes.network import FakeResolver, SwiftNetwork
from tests.fakes.virtual_time import VirtualClock, run_virtually

UP = State(HostState.UP, 1)
ADDRESS = "10.20.0.1"


def host(name: str = "core-1", address: str = ADDRESS, **others: object) -> Host:
    return Host(id=HostId(name), site_id=SiteId("waru"), name=name, address=address, **others)


@dataclass
class Story:
    """A patrol, its network, and what it told with the time of telling."""

    network: SwiftNetwork
    resolver: FakeResolver
    patrol: Patrol
    told: list[tuple[float, str, Fact]] = field(default_factory=list)

    def facts(self, name: str = "core-1") -> list[Fact]:
        return [fact for _, told_of, fact in self.told if told_of == name]

    def put(self, watched: Host, policy: str | ProbePolicy = "infra", state: State = UP) -> None:
        self.patrol.put(watched, PROBE_POLICIES[policy] if isinstance(policy, str) else policy, state)


def tell(plot: Callable[[Story], Awaitable[None]], sentinels: tuple[str, ...] = ()) -> Story:
    """Run a plot beside a walking patrol."""

    async def run() -> Story:
        network, resolver = SwiftNetwork(), FakeResolver()
        told: list[tuple[float, str, Fact]] = []

        def note(watch: Watch, facts: tuple[Fact, ...]) -> None:
            told.extend((asyncio.get_running_loop().time(), watch.host.id, fact) for fact in facts)

        probes = {ProbeKind.ICMP: network, ProbeKind.TCP: network}
        patrol = Patrol(probes, resolver, VirtualClock(), sentinels=sentinels, on_facts=note)
        story = Story(network, resolver, patrol, told)
        walking = asyncio.create_task(patrol.run())
        await plot(story)
        walking.cancel()
        await asyncio.gather(walking, return_exceptions=True)
        return story

    return run_virtually(run())


@pytest.mark.parametrize("cut_at", [30.0, 30.25, 30.5, 30.75, 30.99])
def test_cut_of_an_infra_host_is_told_within_two_seconds(cut_at):
    async def plot(story: Story) -> None:
        story.put(host())
        await asyncio.sleep(cut_at)
        story.network.cut.add(ADDRESS)
        await asyncio.sleep(10)

    [(at, _, fact)] = tell(plot).told
    assert isinstance(fact, WentDown)
    assert at - cut_at <= 1.0 + 0.86 + 3 * 0.02 + 0.05 + 0.05  # round, ride-out, burst, timeout, slots
    assert fact.failure is ProbeFailure.TIMEOUT


def test_host_that_comes_back_is_told_after_three_answers():
    async def plot(story: Story) -> None:
        story.put(host())
        await asyncio.sleep(30)
        story.network.cut.add(ADDRESS)
        await asyncio.sleep(60)
        story.network.cut.clear()
        await asyncio.sleep(10)

    story = tell(plot)
    down, up = story.facts()
    assert isinstance(down, WentDown)
    assert isinstance(up, WentUp)
    assert story.told[1][0] - 90 < 2.0
    assert up.outage_s == pytest.approx(60, abs=1.5)


def test_short_loss_within_the_burst_is_not_told():
    async def plot(story: Story) -> None:
        story.put(host())
        for _ in range(20):
            await asyncio.sleep(5.3)
            story.network.cut.add(ADDRESS)
            await asyncio.sleep(0.3)
            story.network.cut.clear()

    assert tell(plot).told == []


def test_sudden_slowness_is_no_outage():
    """Answers that come after the adaptive timeout still prove life, and the timeout grows to fit them."""

    async def plot(story: Story) -> None:
        story.put(host())
        await asyncio.sleep(60)
        story.network.rtt_s[ADDRESS] = 0.4
        await asyncio.sleep(60)

    assert tell(plot).told == []


def test_hosts_are_asked_at_their_interval_without_drift():
    async def plot(story: Story) -> None:
        story.put(host())
        await asyncio.sleep(600)

    story = tell(plot)
    assert story.network.asked[ADDRESS] == pytest.approx(600, abs=1)
    moments = [at for at, _ in story.network.asked_at]
    assert all(abs((moment - moments[0]) - round(moment - moments[0])) < 0.02 for moment in moments)


def test_unknown_host_is_told_up_at_its_first_answer():
    async def plot(story: Story) -> None:
        story.put(host(), state=State())
        await asyncio.sleep(3)

    [fact] = tell(plot).facts()
    assert isinstance(fact, WentUp)
    assert (fact.previous, fact.outage_s) == (HostState.UNKNOWN, None)


def test_what_cannot_be_asked_becomes_unknown_and_never_down():
    async def plot(story: Story) -> None:
        story.put(host())
        await asyncio.sleep(30)
        story.network.no_way_out = True
        await asyncio.sleep(120)
        story.network.no_way_out = False
        await asyncio.sleep(5)

    story = tell(plot)
    unknown, up = story.facts()
    assert isinstance(unknown, WentUnknown)
    assert isinstance(up, WentUp)
    assert "Network is unreachable" in unknown.reason
    assert story.told[0][0] - 30 == pytest.approx(8.5, abs=1.5)  # 3 × interval + 5 s


def test_without_its_sentinels_the_poller_judges_nothing():
    async def plot(story: Story) -> None:
        story.put(host())
        await asyncio.sleep(30)
        story.network.cut.update({ADDRESS, "10.0.0.1", "9.9.9.9"})
        await asyncio.sleep(600)
        assert story.patrol.watches[HostId("core-1")].trouble == NO_SENTINEL
        story.network.cut.clear()
        await asyncio.sleep(30)

    assert tell(plot, sentinels=("10.0.0.1", "9.9.9.9")).told == []


def test_one_living_sentinel_is_enough_to_believe_an_outage():
    async def plot(story: Story) -> None:
        story.put(host())
        await asyncio.sleep(30.4)
        story.network.cut.update({ADDRESS, "10.0.0.1"})
        await asyncio.sleep(30)

    story = tell(plot, sentinels=("10.0.0.1", "9.9.9.9"))
    [fact] = story.facts()
    assert isinstance(fact, WentDown)
    assert story.told[0][0] - 30.4 < 2.0


def test_removed_host_is_asked_and_told_no_more():
    async def plot(story: Story) -> None:
        story.put(host())
        await asyncio.sleep(10)
        story.network.cut.add(ADDRESS)
        await asyncio.sleep(1.0)
        story.patrol.drop(HostId("core-1"))
        story.network.asked.clear()
        await asyncio.sleep(30)

    story = tell(plot)
    assert story.told == []
    assert story.network.asked[ADDRESS] == 0


def test_changed_policy_counts_at_once():
    async def plot(story: Story) -> None:
        story.put(host(), "edge")
        await asyncio.sleep(61)
        story.network.asked.clear()
        story.put(host(), "infra")
        await asyncio.sleep(10)

    assert tell(plot).network.asked[ADDRESS] == pytest.approx(10, abs=1)


def test_changed_address_keeps_the_state():
    async def plot(story: Story) -> None:
        story.put(host())
        await asyncio.sleep(10)
        story.network.cut.add(ADDRESS)
        await asyncio.sleep(10)
        story.put(host(address="10.20.0.2"))
        await asyncio.sleep(10)

    down, up = tell(plot).facts()
    assert isinstance(down, WentDown)
    assert isinstance(up, WentUp)


def test_host_that_moved_to_another_number_is_found_before_it_is_called_down():
    """A loss makes its name be looked up at once, in the middle of the time between two regular looks."""

    async def plot(story: Story) -> None:
        story.resolver.names["core.example"] = "10.9.9.9"
        story.put(host(address="core.example"))
        await asyncio.sleep(40)
        story.resolver.names["core.example"] = "10.9.9.10"
        story.network.cut.add("10.9.9.9")
        await asyncio.sleep(3)
        assert story.network.asked["10.9.9.10"]
        await asyncio.sleep(10)

    assert tell(plot).facts() == []


def test_host_that_is_down_is_looked_up_often():
    async def plot(story: Story) -> None:
        story.resolver.names["core.example"] = "10.9.9.9"
        story.put(host(address="core.example"))
        await asyncio.sleep(40)
        story.network.cut.add("10.9.9.9")
        await asyncio.sleep(20)
        assert isinstance(story.facts()[-1], WentDown)
        story.resolver.names["core.example"] = "10.9.9.10"
        await asyncio.sleep(8)
        assert isinstance(story.facts()[-1], WentUp)

    tell(plot)


def test_name_is_resolved_and_followed():
    async def plot(story: Story) -> None:
        story.resolver.names["core.example"] = "10.9.9.9"
        story.put(host(address="core.example"))
        await asyncio.sleep(20)
        story.resolver.names["core.example"] = "10.9.9.10"
        await asyncio.sleep(60)

    asked = tell(plot).network.asked
    assert asked["10.9.9.9"] > 15
    assert asked["10.9.9.10"] > 40


def test_name_that_does_not_exist_is_down_for_that_reason():
    async def plot(story: Story) -> None:
        story.put(host(address="gone.example"))
        await asyncio.sleep(20)

    [fact] = tell(plot).facts()
    assert isinstance(fact, WentDown)
    assert fact.failure is ProbeFailure.NAME_NOT_RESOLVED


def test_silent_name_server_makes_unknown_not_down():
    async def plot(story: Story) -> None:
        story.resolver.names["core.example"] = None
        story.put(host(address="core.example"))
        await asyncio.sleep(40)

    [fact] = tell(plot).facts()
    assert isinstance(fact, WentUnknown)


def test_two_hosts_may_share_an_address():
    async def plot(story: Story) -> None:
        story.put(host("core-1"))
        story.put(host("core-2"))
        await asyncio.sleep(30)
        story.network.cut.add(ADDRESS)
        await asyncio.sleep(10)

    story = tell(plot)
    assert [type(fact) for fact in story.facts("core-1")] == [WentDown]
    assert [type(fact) for fact in story.facts("core-2")] == [WentDown]


def test_site_that_goes_dark_is_seen_around_each_host():
    async def plot(story: Story) -> None:
        for number in range(4):
            story.put(host(f"ap-{number}", f"10.0.0.{number}"))
        await asyncio.sleep(10)
        story.network.cut.update({"10.0.0.1", "10.0.0.2", "10.0.0.3"})
        await asyncio.sleep(10)
        around = story.patrol.landscape.around(host("ap-0"))
        assert (around.neighbours, around.neighbours_down) == (3, 3)
        child = host("ap-9", parents=((HostId("ap-1"), HostId("ap-2")),))
        assert story.patrol.landscape.around(child).cut_off
        assert story.patrol.landscape.parents_down(child) == ("ap-1", "ap-2")

    tell(plot)
