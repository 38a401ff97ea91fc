"""What is seen besides up and down becomes alerts in the same way: told or in the ledger, in one transaction."""

from __future__ import annotations

from services.notifier.core.observations import RELIEFS, TROUBLES, Place, Where
from services.notifier.handlers import alerts
from services.notifier.handlers.lateness import let_newer_pass
from services.notifier.ports import Directory, Messengers, Store
from shared.contracts.events import Event
from shared.contracts.ids import RouterId, SiteId


async def tell_trouble(event: Event, *, store: Store, directory: Directory, messengers: Messengers) -> None:
    """Something is not as it should be, or has happened."""
    let_newer_pass(event)
    trouble = TROUBLES[type(event)](event, _where(directory))
    await alerts.begin(_id(event), trouble, store=store, directory=directory, messengers=messengers)


async def tell_relief(event: Event, *, store: Store, directory: Directory, messengers: Messengers) -> None:
    """It is as it should be again."""
    relief = RELIEFS[type(event)](event, _where(directory))
    await alerts.end(_id(event), relief, store=store, directory=directory, messengers=messengers)


def _id(event: Event) -> str:
    return event.message_id() or f"{event.NAME}:{event.subject}:{event.at.isoformat()}"


def _where(directory: Directory) -> Where:
    def place(site_id: SiteId, router_id: RouterId | None) -> Place:
        router = directory.router(router_id) if router_id else None
        return Place(directory.site_name(site_id) if site_id else "", router.host if router else "")

    return place
