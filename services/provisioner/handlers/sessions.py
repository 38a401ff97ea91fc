"""Close running sessions where they live."""

from __future__ import annotations

from services.provisioner.ports import Routers
from shared.contracts.actions import DisconnectSession
from shared.contracts.vocabulary import Service
from shared.routeros import FeatureMissing, Session, equals

_ACTIVE = {Service.HOTSPOT: ("/ip/hotspot/active", "user"), Service.PPP: ("/ppp/active", "name")}
_COOKIES = "/ip/hotspot/cookie"


async def disconnect_session(order: DisconnectSession, *, routers: Routers) -> None:
    """Carry out an order to disconnect. A router that is away makes it wait, until the order expires."""
    async with routers.session(order.router_id, patient=True) as session:
        await close_sessions(session, order.service, order.account)


async def close_sessions(session: Session, service: Service, account: str) -> int:
    """End every session of an account; answers how many there were. One that ended by itself meanwhile is fine.

    A hotspot's cookies go first: with one left the client is back on line at once.
    """
    if service is Service.HOTSPOT:
        await _remove_all(session, _COOKIES, "user", account)
    menu, field = _ACTIVE[service]
    return await _remove_all(session, menu, field, account)


async def _remove_all(session: Session, menu: str, field: str, account: str) -> int:
    try:
        rows = await session.print_rows(menu, (".id",), equals(field, account))
    except FeatureMissing:
        return 0
    return await session.remove_if_there(menu, *(row[".id"] for row in rows))
