"""Logins and logouts become messages to whoever asked for them, and to the subscriber."""

from __future__ import annotations

from services.notifier.core.plan import about_session, plan
from services.notifier.core.sessions import of_event
from services.notifier.handlers import audience
from services.notifier.ports import Directory, Messengers, Store
from shared.contracts.events import SessionClosed, SessionOpened

CONSUMER = "notifier-sessions"


async def tell_session(
    event: SessionOpened | SessionClosed, *, store: Store, directory: Directory, messengers: Messengers
) -> None:
    """Plan who hears of a login or logout, in one transaction with remembering the event."""
    change = about_session(of_event(event))
    channels = {channel: messenger.abilities for channel, messenger in messengers.items()}
    async with store.unit() as unit:
        if not await unit.first_time(CONSUMER, event.message_id()):
            return
        recipients = await audience.for_session(event, unit, directory)
        await unit.keep(plan(change, recipients, channels=channels, told={}))
