"""The provisioner's world in memory: progress, publisher and one router, and a fate that ends the process anywhere.

world = World()
world.fate.dies_at(3)           # the third thing the process does to the world, before or after it took effect
await world.carry_out(desired)  # raises Crash there
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from services.provisioner.faults import RouterAway
from services.provisioner.handlers.accounts import AccountWork, carry_out
from services.provisioner.ports import Mark
from shared.contracts.desired import DesiredAccount
from shared.contracts.ids import AccountId, RouterId
from shared.contracts.message import Message
from shared.contracts.vocabulary import AccountStatus, Service
from shared.errors import Temporary
from shared.routeros import Query, Reply, Session
from shared.routeros.verbs import DEADLINE, NO_ATTRIBUTES
from shared.security.sealing import ACCOUNT_PASSWORD, KeyRing, generate_key
from tests.fakes.clock import FakeClock
from tests.fakes.router_session import FakeRouter, FakeRouterSession

RING = KeyRing.parse(generate_key())
ROUTER = RouterId("01r0ut")
PROFILES = ("default", "paket10", "paket20")
ROWS = {Service.PPP: "/ppp/secret", Service.HOTSPOT: "/ip/hotspot/user"}
PROFILE_ROWS = {Service.PPP: "/ppp/profile", Service.HOTSPOT: "/ip/hotspot/user/profile"}
ACTIVE = {Service.PPP: ("/ppp/active", "name"), Service.HOTSPOT: ("/ip/hotspot/active", "user")}


class Crash(Exception):
    """The process ended here."""


@dataclass
class Fate:
    """Counts what is done to the world and ends the process at one moment."""

    left: int | None = None

    def dies_at(self, moment: int | None) -> None:
        """The moment counts from 1; None: never."""
        self.left = moment

    def step(self) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left <= 0:
                self.left = 1  # dead stays dead
                raise Crash


@dataclass
class FakeProgress:
    """Marks that survive, each write compared with what was read."""

    fate: Fate = field(default_factory=Fate)
    marks: dict[tuple[RouterId, AccountId], Mark] = field(default_factory=dict)
    fails: int = 0
    """How many of the next writes find that somebody else wrote."""

    async def of(self, router_id: RouterId, account_id: AccountId) -> Mark:
        self.fate.step()
        return self.marks.get((router_id, account_id), Mark())

    async def write(self, router_id: RouterId, account_id: AccountId, mark: Mark) -> None:
        self.fate.step()
        if self.fails:
            self.fails -= 1
            raise Temporary("another process has worked on this account")
        self.marks[router_id, account_id] = mark
        self.fate.step()


@dataclass
class FakePublisher:
    """What was said; the second of an id is dropped as the stream does."""

    fate: Fate = field(default_factory=Fate)
    said: dict[str, Message] = field(default_factory=dict)
    times: int = 0

    async def publish(self, message: Message) -> None:
        self.fate.step()
        self.times += 1
        self.said.setdefault(message.message_id() or str(self.times), message)
        self.fate.step()


class MortalSession(FakeRouterSession):
    """A session of a process that may end before or after each command took effect.

    It knows its profiles as a router does: by the beginning of their names. `blind` shows no passwords.
    """

    def __init__(self, router: FakeRouter, fate: Fate, *, blind: bool = False) -> None:
        super().__init__(router)
        self._fate = fate
        self._blind = blind

    async def run(
        self,
        command: str,
        attributes: Mapping[str, str | None] = NO_ATTRIBUTES,
        *,
        query: Query | None = None,
        deadline: float = DEADLINE,
    ) -> Reply:
        self._fate.step()
        reply = await super().run(command, attributes, query=query, deadline=deadline)
        self._fate.step()
        if self._blind:
            for row in reply.rows:
                row.pop("password", None)
        return reply


@dataclass
class World:
    """One router, and all that outlives the process."""

    version: str = "7.16.2 (stable)"
    blind: bool = False
    fate: Fate = field(default_factory=Fate)
    away: bool = False

    def __post_init__(self) -> None:
        self.router = FakeRouter(version=self.version)
        for menu in PROFILE_ROWS.values():
            for name in PROFILES:
                self.router.put(menu, {"name": name})
        self.progress = FakeProgress(self.fate)
        self.publisher = FakePublisher(self.fate)
        self.keys = RING

    @asynccontextmanager
    async def session(self, router_id: RouterId, *, patient: bool = False) -> AsyncIterator[Session]:
        if self.away:
            raise RouterAway(f"the router {router_id} cannot be asked, patient or not: {patient}")
        yield MortalSession(self.router, self.fate, blind=self.blind)

    def name(self, router_id: RouterId) -> str:
        return f"gw of {router_id}"

    def returned(self) -> AsyncIterator[RouterId]:
        raise NotImplementedError

    async def carry_out(self, desired: DesiredAccount) -> None:
        """One try of one process."""
        work = AccountWork(
            routers=self, progress=self.progress, publisher=self.publisher, keys=self.keys, clock=FakeClock()
        )
        await carry_out(desired, work=work)

    def rows(self, service: Service = Service.PPP, name: str = "budi") -> list[dict[str, str]]:
        return [row for row in self.router.rows(ROWS[service]) if row["name"] == name]

    def log_in(self, service: Service = Service.PPP, name: str = "budi") -> str:
        menu, field_name = ACTIVE[service]
        return self.router.put(menu, {field_name: name})

    def sessions(self, service: Service = Service.PPP) -> list[dict[str, str]]:
        return self.router.rows(ACTIVE[service][0])


def desired(generation: int = 1, **fields: object) -> DesiredAccount:
    """An account as it shall be."""
    password = str(fields.pop("password", "rahasia"))
    wish = {
        "account_id": AccountId("01acc0"),
        "router_id": ROUTER,
        "generation": generation,
        "service": Service.PPP,
        "name": "budi",
        "sealed_password": RING.seal(password, purpose=ACCOUNT_PASSWORD),
        "profile": "paket10",
        "status": AccountStatus.ACTIVE,
        **fields,
    }
    return DesiredAccount(**wish)  # type: ignore[arg-type]
