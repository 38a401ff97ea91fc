"""Links to the registered routers, kept as the inventory says.

A link opens when a router is first needed or returns into the inventory, and stays: every log-in is a line in the
router's log, and a warm session is what makes a change take milliseconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from pydantic import ValidationError

from services.provisioner.faults import RouterAway
from shared.bus.following import follow
from shared.bus.ports import Bucket
from shared.clock import Clock
from shared.contracts.ids import RouterId
from shared.contracts.inventory import Router
from shared.contracts.subjects import escape_token, unescape_token
from shared.errors import NotAllowed, RondaError, Unreachable
from shared.routeros import LinkDown, LinkUp, RouterAddress, RouterLink, RouterSession, Session
from shared.routeros.registered import registered_address
from shared.security.sealing import KeyRing

log = structlog.get_logger(__name__)

Connect = Callable[[RouterAddress], Awaitable[Session]]

_PREFIX = "router."


@dataclass(slots=True)
class _Kept:
    """A router of the inventory. Without a link there is a `reason`, and only a change of the entry ends it."""

    router: Router
    reason: str = ""
    link: RouterLink | None = None
    keeper: asyncio.Task[None] | None = None


class InventoryRouters:
    """One lasting session per enabled router of the inventory."""

    def __init__(
        self, *, keys: KeyRing, clock: Clock, session_wait_s: float, connect: Connect = RouterSession.connect
    ) -> None:
        self._keys = keys
        self._clock = clock
        self._session_wait_s = session_wait_s
        self._connect = connect
        self._kept: dict[RouterId, _Kept] = {}
        self._returned: asyncio.Queue[RouterId] = asyncio.Queue()
        self.known = asyncio.Event()

    def name(self, router_id: RouterId) -> str:
        kept = self._kept.get(router_id)
        return kept.router.name if kept else router_id

    @asynccontextmanager
    async def session(self, router_id: RouterId, *, patient: bool = False) -> AsyncIterator[Session]:
        kept = self._kept.get(router_id)
        if kept is None or kept.link is None:
            reason = kept.reason if kept else "it is not in the inventory"
            raise RouterAway(f"the router {self.name(router_id)} cannot be asked: {reason}")
        yield await self._open_session(kept.router, kept.link, self._session_wait_s if patient else 0)

    async def _open_session(self, router: Router, link: RouterLink, wait_s: float) -> Session:
        state = link.state
        if isinstance(state, LinkUp) and state.session.is_open:
            return state.session
        if wait_s == 0 or (isinstance(state, LinkDown) and state.retry_in is not None):
            reason = state.error if isinstance(state, LinkDown) else "the connection just ended"
            raise RouterAway(f"the router {router.name} cannot be asked: {reason}")
        try:
            async with link.session(wait_s) as session:
                return session
        except (Unreachable, NotAllowed) as away:
            raise RouterAway(f"the router {router.name} cannot be asked: {away}") from away

    async def returned(self) -> AsyncIterator[RouterId]:
        while True:
            yield await self._returned.get()

    async def follow(self, inventory: Bucket) -> None:
        """Keep the links as the inventory says until cancelled; then close them."""

        async def opened() -> Bucket:
            return inventory

        try:
            await follow(opened, self, _PREFIX)
        finally:
            await asyncio.gather(*(self._drop(router_id) for router_id in list(self._kept)))

    def keys(self) -> Collection[str]:
        """The routers' keys in the bucket."""
        return [f"{_PREFIX}{escape_token(router_id)}" for router_id in self._kept]

    async def put(self, key: str, value: bytes) -> None:
        """A router was added or changed."""
        await self._take(_router_id(key), value)

    async def remove(self, key: str) -> None:
        """A router was removed."""
        await self._drop(_router_id(key))

    async def caught_up(self) -> None:
        """All routers are known."""
        self.known.set()

    async def _take(self, router_id: RouterId, value: bytes) -> None:
        try:
            router = Router.model_validate_json(value)
        except ValidationError as wrong:
            log.warning("a router of the inventory is left out", router=router_id, faults=wrong.error_count())
            return
        kept = self._kept.get(router_id)
        if kept is not None and _way_to(kept.router) == _way_to(router):
            kept.router = router  # another name is no reason to log in again
            return
        await self._drop(router_id)
        self._kept[router_id] = await self._keep(router)

    async def _keep(self, router: Router) -> _Kept:
        if not router.enabled:
            return _Kept(router, "it is switched off in the inventory")
        try:
            address = registered_address(router, self._keys)
        except RondaError as problem:
            log.error("a router cannot be logged in to", router=router.id, reason=str(problem))  # noqa: TRY400
            return _Kept(router, str(problem))
        link = RouterLink(address, clock=self._clock, connect=self._connect)
        await link.__aenter__()
        return _Kept(router, link=link, keeper=asyncio.create_task(self._tell_returns(router.id, link)))

    async def _tell_returns(self, router_id: RouterId, link: RouterLink) -> None:
        async for state in link.states():
            if isinstance(state, LinkUp):
                self._returned.put_nowait(router_id)

    async def _drop(self, router_id: RouterId) -> None:
        kept = self._kept.get(router_id)
        if kept is not None and kept.link is not None and kept.keeper is not None:
            kept.keeper.cancel()
            await asyncio.wait({kept.keeper})
            await kept.link.__aexit__(None, None, None)
        self._kept.pop(router_id, None)  # last: cancelled before this, `follow` closes it again


def _way_to(router: Router) -> Router:
    """What decides how to log in: everything but the names that people give."""
    return router.model_copy(update={"name": "", "site_id": ""})


class Trials:
    """A session of its own for each question."""

    def __init__(self, *, keys: KeyRing, connect: Connect = RouterSession.connect) -> None:
        self._keys = keys
        self._connect = connect

    @asynccontextmanager
    async def open(self, router: Router) -> AsyncIterator[Session]:
        session = await self._connect(registered_address(router, self._keys))
        try:
            yield session
        finally:
            await session.close()


def _router_id(key: str) -> RouterId:
    return RouterId(unescape_token(key.removeprefix(_PREFIX)))
