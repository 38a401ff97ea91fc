"""What the inventory says is to be watched, is watched."""

from __future__ import annotations

import asyncio

from services.poller.core.judge import State
from services.poller.core.reach import Reach, Reachability
from services.poller.core.records import HostRecord, RouterRecord, host_key, router_key
from services.poller.core.roster import Roster
from services.poller.core.router_records import seen_key
from services.poller.duty import Duty
from services.poller.handlers.recall import Memory
from services.poller.loop import Patrol
from shared.contracts.ids import HostId, RouterId, SiteId
from shared.contracts.inventory import Host, Router
from shared.contracts.vocabulary import HostState, ProbeKind, Service
from tests.fakes.network import FakeNetwork, FakeResolver
from tests.fakes.teller import FakeTeller
from tests.fakes.virtual_time import VirtualClock, run_virtually

HOST = Host(id=HostId("h1"), site_id=SiteId("waru"), name="core-1", address="10.20.0.1", policy="infra")
ROUTER = Router(
    id=RouterId("r1"), site_id=SiteId("waru"), name="gw", host="10.20.0.1", username="u", sealed_password="s"
)
KNOWN = State(HostState.DOWN, 7)


class StandingWatcher:
    """Stands where a router's watcher would stand."""

    def __init__(self, router: Router, reach: Reach, sessions: dict[Service, list], entries: dict) -> None:
        self.router, self.reach, self.sessions, self.entries = router, reach, sessions, entries
        self.open_sessions = 0
        self.running = False

    def renew(self, router: Router) -> bool:
        """The real one goes on where the way to the router stays the same; here that is the port."""
        if router.port != self.router.port:
            return False
        self.router = router
        return True

    def open_by_service(self) -> dict[Service, list]:
        return self.sessions

    async def run(self) -> None:
        self.running = True
        try:
            await asyncio.Event().wait()
        finally:
            self.running = False


class Day:
    """A duty at work on a roster that changes."""

    def __init__(self) -> None:
        self.roster, self.teller, self.watchers = Roster(), FakeTeller(), []
        probes = {kind: FakeNetwork() for kind in ProbeKind}
        self.patrol = Patrol(probes, FakeResolver(), VirtualClock(), on_facts=lambda *_: None)
        self.memory = Memory({HOST.id: KNOWN}, {ROUTER.id: Reach(Reachability.REACHABLE, 5)})
        self.teller.memory = {
            host_key(HOST.id): HostRecord.of(HOST.id, KNOWN),
            router_key(ROUTER.id): RouterRecord.of(ROUTER.id, Reach(Reachability.REACHABLE, 5)),
        }
        self.duty = Duty(self.roster, self.patrol, self.teller, self.memory, self.watcher)

    def watcher(self, *described: object) -> StandingWatcher:
        self.watchers.append(StandingWatcher(*described))
        return self.watchers[-1]

    async def say(self, *entries: Host | Router, gone: tuple[Host | Router, ...] = ()) -> None:
        for entry in entries:
            self.roster.put(entry.key(), entry.model_dump_json().encode())
        for entry in gone:
            self.roster.remove(entry.key())
        self.duty.changed()
        await asyncio.sleep(0.1)


def on_duty(story) -> None:
    async def run() -> None:
        day = Day()
        task = asyncio.create_task(day.duty.run())
        await story(day)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert not any(watcher.running for watcher in day.watchers), "nothing runs on after the duty"

    run_virtually(run())


def test_watching_goes_on_from_what_is_remembered():
    async def story(day: Day) -> None:
        await day.say(HOST, ROUTER)
        assert day.patrol.watches[HOST.id].state == KNOWN
        [watcher] = day.watchers
        assert (watcher.running, watcher.reach.transition) == (True, 5)

    on_duty(story)


def test_disabled_ones_are_left_alone_and_remembered():
    async def story(day: Day) -> None:
        await day.say(HOST, ROUTER)
        await day.say(HOST.model_copy(update={"enabled": False}), ROUTER.model_copy(update={"enabled": False}))
        assert not day.patrol.watches
        assert not day.watchers[0].running
        assert len(day.teller.memory) == 2

    on_duty(story)


def test_removed_ones_are_forgotten_but_their_numbers_are_not():
    """Should the inventory be written anew with the same ids, transition 8 follows 7: number 1 was told long ago."""

    async def story(day: Day) -> None:
        await day.say(HOST, ROUTER)
        await day.say(gone=(HOST, ROUTER))
        assert day.teller.memory == {}
        await day.say(HOST, ROUTER)
        assert day.patrol.watches[HOST.id].state.transition == 7
        assert day.watchers[-1].reach.transition == 5

    on_duty(story)


def test_changed_router_is_watched_anew_with_what_is_known():
    async def story(day: Day) -> None:
        await day.say(ROUTER)
        await day.say(ROUTER.model_copy(update={"port": 8729}))
        old, new = day.watchers
        assert (old.running, new.running, new.router.port, new.reach.transition) == (False, True, 8729, 5)

    on_duty(story)


def test_new_name_needs_no_new_login():
    async def story(day: Day) -> None:
        await day.say(ROUTER)
        await day.say(ROUTER.model_copy(update={"name": "gw-baru"}))
        [watcher] = day.watchers
        assert (watcher.running, watcher.router.name) == (True, "gw-baru")

    on_duty(story)


def test_what_was_seen_on_a_router_outlives_its_watcher_and_goes_with_the_router():
    async def story(day: Day) -> None:
        await day.say(ROUTER)
        key = seen_key(ROUTER.id, "interface", "ether1")
        day.watchers[0].entries[key] = day.teller.memory[key] = b"{}"
        await day.say(ROUTER.model_copy(update={"port": 8729}))
        assert day.watchers[1].entries == {key: b"{}"}
        await day.say(gone=(ROUTER,))
        assert key not in day.teller.memory

    on_duty(story)


def test_same_inventory_again_disturbs_nobody():
    async def story(day: Day) -> None:
        await day.say(HOST, ROUTER)
        watch = day.patrol.watches[HOST.id]
        await day.say(HOST, ROUTER)
        assert day.patrol.watches[HOST.id] is watch
        assert len(day.watchers) == 1

    on_duty(story)
