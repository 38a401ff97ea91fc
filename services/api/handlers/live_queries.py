"""Questions to other services: is this router or host there, does this chat hear us."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.api.core.standings import RouterState
from services.api.handlers.inventory import ROUTER_PASSWORD
from services.api.ports import Sealer, Store
from shared.bus.ports import Bus
from shared.contracts.ids import RouterId, SiteId, new_id
from shared.contracts.inventory import Chat, Router
from shared.contracts.live import Route, RouterQuery, TraceTarget
from shared.contracts.queries import (
    AnswerT,
    MessageAccepted,
    PingReport,
    PingTarget,
    RouterFound,
    SendTestMessage,
    TestRouter,
)
from shared.errors import Conflict, Unreachable

PINGS = 4


def unsaved_router(fields: Mapping[str, Any], password: str, sealer: Sealer) -> Router:
    """A router that is not registered, as the provisioner wants it for a try."""
    sealed = sealer.seal(password, purpose=ROUTER_PASSWORD)
    name = str(fields.get("name") or fields["host"])
    return Router.model_validate(
        {**fields, "id": RouterId(new_id()), "site_id": SiteId("unsaved"), "name": name, "sealed_password": sealed}
    )


async def try_router(router: Router, *, bus: Bus) -> RouterFound:
    """Log in to a router, registered or not. Raises what the router or the way to it answered."""
    return await bus.request(TestRouter(router=router))


async def send_test_message(chat: Chat, *, bus: Bus) -> MessageAccepted:
    """Say hello in a chat, now. Raises what the chat server or the way to it answered."""
    return await bus.request(SendTestMessage(chat_id=chat.id))


async def ping_host(host_id: str, *, store: Store, bus: Bus) -> PingReport:
    """Ask a watched host now, as the poller asks it. Raises NotFound and what the poller answered."""
    async with store.unit() as unit:
        host = (await unit.hosts.get(host_id)).entity
    return await bus.request(PingTarget(target=host.address, host_id=host.id, count=PINGS))


async def ask_router(query: RouterQuery[AnswerT], *, store: Store, bus: Bus) -> AnswerT:
    """Put a question to a router through whoever holds its connection.

    Raises NotFound, Conflict for a router that is switched off, Unreachable at once where it is known to be, and what
    the router says.
    """
    async with store.unit() as unit:
        router = (await unit.routers.get(query.router_id)).entity
        standing = (await unit.history.routers()).get(router.id)
    if not router.enabled:
        raise Conflict(f"{router.name} is switched off: enable it to ask it something")
    if standing is not None and standing.state is RouterState.UNREACHABLE:
        raise Unreachable(f"{router.name} cannot be asked now: {standing.reason or 'it does not answer'}")
    return await bus.request(query)


async def trace_host(host_id: str, *, store: Store, bus: Bus) -> Route:
    """The way from the poller to a watched host. Raises NotFound and what the poller answered."""
    async with store.unit() as unit:
        host = (await unit.hosts.get(host_id)).entity
    return await bus.request(TraceTarget(target=host.address, host_id=host.id))


async def ping_router(router_id: str, *, store: Store, bus: Bus) -> PingReport:
    """Ping a router's address now: whether it lives while its API does not answer. Raises as `ping_host`."""
    async with store.unit() as unit:
        router = (await unit.routers.get(router_id)).entity
    return await bus.request(PingTarget(target=router.host, count=PINGS))
