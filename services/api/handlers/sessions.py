"""Ending a subscriber's session: an order that goes out at once or not at all."""

from __future__ import annotations

from datetime import timedelta

from services.api.handlers.audit import note
from services.api.ports import Store
from shared.bus.ports import Bus
from shared.clock import Clock
from shared.contracts.actions import DisconnectSession
from shared.contracts.ids import RouterId
from shared.contracts.vocabulary import AccountStatus, Service
from shared.errors import Conflict, NotFound

LIFE = timedelta(seconds=DisconnectSession.TTL_S)


async def disconnect_account(account_id: str, *, by: str, store: Store, bus: Bus, clock: Clock) -> DisconnectSession:
    """End every session of an account. Raises NotFound, and Unreachable while the bus is away."""
    async with store.unit() as unit:
        account = await unit.accounts.get(account_id)
    if account.status is AccountStatus.DELETED:
        raise NotFound(f"«{account.name}» was deleted.")
    return await _order(account.router_id, account.service, account.name, by=by, store=store, bus=bus, clock=clock)


async def disconnect_session(session_id: str, *, by: str, store: Store, bus: Bus, clock: Clock) -> DisconnectSession:
    """End a session, also of an account that is not ours. Raises NotFound, Conflict when it is over, Unreachable."""
    async with store.unit() as unit:
        session = await unit.history.session(session_id)
    if session.closed_at is not None:
        raise Conflict(f"The session of «{session.account}» is over already.")
    return await _order(session.router_id, session.service, session.account, by=by, store=store, bus=bus, clock=clock)


async def _order(
    router_id: str, service: Service, account: str, *, by: str, store: Store, bus: Bus, clock: Clock
) -> DisconnectSession:
    # Straight to the bus and not by the outbox: an order that waited there would come too late.
    order = DisconnectSession(router_id=RouterId(router_id), service=service, account=account, requested_by=by)
    await bus.publish(order)
    async with store.unit() as unit:
        await note(
            unit, clock, by=by, action="session.disconnected", entity="router", entity_id=router_id, account=account
        )
    return order
