"""Who is considered for a change: the inventory's chats, and whoever the change is about."""

from __future__ import annotations

from services.notifier.core.recipients import Recipient, of_chat, of_subscriber
from services.notifier.ports import Directory, Unit
from shared.contracts.events import SessionEvent


async def chats(unit: Unit, directory: Directory) -> list[Recipient]:
    """Every chat, with what bars it."""
    unusable = await unit.unusable()
    return [of_chat(chat, unusable=(chat.id, chat.address) in unusable) for chat in directory.chats()]


async def for_session(event: SessionEvent, unit: Unit, directory: Directory) -> list[Recipient]:
    """Every chat, and the subscriber's own phone where it is known."""
    everybody = await chats(unit, directory)
    subscriber = directory.subscriber(event.router_id, event.service, event.account)
    if subscriber is None:
        return everybody
    person = of_subscriber(subscriber)
    unusable = (person.chat_id, person.address) in await unit.unusable()
    return [*everybody, person.unreachable() if unusable else person]
