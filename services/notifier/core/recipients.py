"""Who can be told things: the chats of the inventory and the subscribers' own phones, as the rules see them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from services.notifier.core.incidents import short_hash
from services.notifier.core.numbers import international
from services.notifier.core.reasons import WhyNot
from shared.contracts.ids import ChatId, SiteId
from shared.contracts.inventory import Chat, Subscriber
from shared.contracts.vocabulary import Channel, Language, Role, Subscription


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a channel can do besides sending a text."""

    edit: bool = False
    reply: bool = False
    buttons: bool = False


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody who may be told something. `bar`: why this one is told nothing at all, whatever happens."""

    chat_id: ChatId
    name: str
    channel: Channel
    address: str
    language: Language
    time_zone: str
    role: Role = Role.VIEWER
    receives: frozenset[Subscription] = frozenset()
    site_ids: frozenset[SiteId] = frozenset()
    is_subscriber: bool = False
    bar: WhyNot | None = None

    def unreachable(self) -> Recipient:
        """The same, refused by its channel for good."""
        return replace(self, bar=WhyNot.CHAT_UNUSABLE)


def of_chat(chat: Chat, *, unusable: bool = False) -> Recipient:
    """A chat of the inventory. `unusable`: the channel refused it for good earlier."""
    bar = WhyNot.CHAT_UNUSABLE if unusable else None if chat.enabled else WhyNot.CHAT_OFF
    return Recipient(
        chat_id=chat.id,
        name=chat.name,
        channel=chat.channel,
        address=chat.address,
        language=chat.language,
        time_zone=chat.time_zone,
        role=chat.role,
        receives=chat.receives,
        site_ids=chat.site_ids,
        bar=bar,
    )


def of_subscriber(subscriber: Subscriber) -> Recipient:
    """The person behind an account. The id hides the number: it becomes a part of subjects that others may read."""
    number = international(subscriber.phone)
    bar = WhyNot.BAD_ADDRESS if number is None else None if subscriber.tell_sessions else WhyNot.WANTS_NO_SESSIONS
    return Recipient(
        chat_id=ChatId("phone-" + short_hash("phone", number or subscriber.phone)),
        name=subscriber.full_name or subscriber.name,
        channel=Channel.WHATSAPP,
        address=number or subscriber.phone,
        language=subscriber.language,
        time_zone=subscriber.time_zone,
        receives=frozenset({Subscription.SESSIONS}),
        is_subscriber=True,
        bar=bar,
    )
