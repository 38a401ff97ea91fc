"""A delivery that is due is claimed, sent, and recorded; what cannot be sent waits, or says in the ledger why not.

The log is written before and after the chat server is asked. Whoever finds a delivery still marked as being sent cannot
know how that ended, so it goes out again and says that it is a repetition: nothing is lost, and nobody is misled.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from datetime import timedelta
from weakref import WeakValueDictionary

import structlog

from services.notifier.core.compose import Composed, compose
from services.notifier.core.markup import to_plain
from services.notifier.core.messages.remarks import Sending
from services.notifier.core.reasons import Form, WhyNot
from services.notifier.ports import (
    ChatGone,
    ChatMoved,
    Claim,
    Directory,
    MessageGone,
    Messenger,
    Messengers,
    Store,
    Wordings,
)
from shared.clock import Clock
from shared.contracts import events
from shared.contracts.ids import ChatId
from shared.contracts.notify import DeliveryDue
from shared.contracts.vocabulary import Severity
from shared.errors import Busy, DeadlineExceeded, NotAllowed, Refused, Temporary, Unreachable

log = structlog.get_logger("notifier")

TIME_TO_LIVE: Mapping[Severity, timedelta] = {
    Severity.CRITICAL: timedelta(hours=24),
    Severity.WARNING: timedelta(hours=4),
    Severity.INFO: timedelta(hours=1),
}
CHANNEL_DOWN_RETRY_S = 30.0  # wrong credentials of ours: nobody mends those faster


class Sender:
    """Sends what is due, one message at a time per chat."""

    def __init__(
        self,
        *,
        name: str,
        store: Store,
        directory: Directory,
        messengers: Messengers,
        wordings: Wordings,
        clock: Clock,
    ) -> None:
        self._name = name  # of this process: it alone knows which sendings are its own
        self._store = store
        self._directory = directory
        self._messengers = messengers
        self._wordings = wordings
        self._clock = clock
        self._locks: WeakValueDictionary[ChatId, asyncio.Lock] = WeakValueDictionary()

    async def send_due(self, due: DeliveryDue) -> None:
        """Send everything that this chat is owed up to this delivery, oldest first."""
        lock = self._locks.setdefault(due.chat_id, asyncio.Lock())
        async with lock:
            while claim := await self._claim(due):
                await self._settle(claim)

    async def _claim(self, due: DeliveryDue) -> Claim | None:
        return await self._store.claim(due.chat_id, due.delivery_id, sender=self._name, now=self._clock.now())

    async def _settle(self, claim: Claim) -> None:
        why = self._why_not(claim)
        if why is not None:
            await self._drop(claim, why)
            return
        composed = self._composed(claim)
        try:
            message_id = await self._deliver(claim, composed)
        except (Unreachable, Busy):
            await self._store.release(claim.delivery.id)
            raise
        except NotAllowed as error:
            await self._store.release(claim.delivery.id)
            raise Temporary(f"the channel refuses us: {error}", retry_after=CHANNEL_DOWN_RETRY_S) from error
        except DeadlineExceeded:
            raise  # nobody knows: the mark stays, the next try says that it is a repetition
        except ChatMoved as moved:
            await self._follow(claim, moved)
            return
        except ChatGone as gone:
            await self._give_up_chat(claim, gone)
            return
        except Refused as refused:
            log.warning("message refused", chat_id=claim.delivery.recipient.chat_id, reason=str(refused))
            await self._drop(claim, WhyNot.REFUSED, str(refused))
            return
        digest = hashlib.sha256(to_plain(composed.text).encode()).hexdigest()
        await self._store.sent(claim.delivery.id, message_id=message_id, text_hash=digest, now=self._clock.now())

    def _why_not(self, claim: Claim) -> WhyNot | None:
        delivery = claim.delivery
        if delivery.form is Form.EDIT and not claim.is_newest_edit:
            return WhyNot.SUPERSEDED
        if delivery.recipient.channel not in self._messengers:
            return WhyNot.CHANNEL_OFF
        chat = self._directory.chat(delivery.recipient.chat_id)
        if not delivery.recipient.is_subscriber and (chat is None or not chat.enabled):
            return WhyNot.CHAT_OFF
        if self._clock.now() - delivery.event_at > TIME_TO_LIVE[delivery.severity]:
            return WhyNot.EXPIRED
        return None

    def _composed(self, claim: Claim) -> Composed:
        who = claim.delivery.recipient
        say = self._wordings(who.language, who.time_zone)
        sending = Sending(self._clock.now(), claim.repeated and claim.delivery.form is not Form.EDIT)
        return compose(claim.delivery, self._messenger(claim).abilities, sending, say)

    async def _deliver(self, claim: Claim, composed: Composed) -> str | None:
        """Answers the id of a message that was newly made; an edit makes none."""
        messenger = self._messenger(claim)
        if claim.delivery.form is Form.EDIT and claim.first_message_id is not None:
            try:
                await messenger.edit(claim.address, claim.first_message_id, composed.text, buttons=composed.buttons)
            except MessageGone:
                log.info("message to edit is gone, sending anew", chat_id=claim.delivery.recipient.chat_id)
            else:
                return None
        reply_to = claim.first_message_id if claim.delivery.form is Form.REPLY else None
        return await messenger.send(claim.address, composed.text, reply_to=reply_to, buttons=composed.buttons)

    async def _follow(self, claim: Claim, moved: ChatMoved) -> None:
        """Remember the new address; the loop claims the same delivery again at once."""
        who = claim.delivery.recipient
        if moved.new_address == claim.address:
            raise Temporary("the channel says that the chat moved to where it is") from moved
        async with self._store.unit() as unit:
            await unit.move_chat(who.channel, claim.address, moved.new_address)
            await unit.publish(
                events.ChatMoved(
                    at=self._clock.now(),
                    chat_id=who.chat_id,
                    channel=who.channel,
                    old_address=claim.address,
                    new_address=moved.new_address,
                )
            )
        await self._store.release(claim.delivery.id)

    async def _give_up_chat(self, claim: Claim, gone: ChatGone) -> None:
        """Switch the chat off here and say so on the bus; the ledger keeps the channel's own words."""
        who, now = claim.delivery.recipient, self._clock.now()
        async with self._store.unit() as unit:
            await unit.settle(claim.delivery, WhyNot.CHAT_UNUSABLE, words=gone.words, at=now)
            if await unit.mark_unusable(who.chat_id, who.address, reason=gone.words, at=now):
                unusable = events.ChatUnusable(at=now, chat_id=who.chat_id, channel=who.channel, reason=gone.words)
                await unit.publish(unusable)

    async def _drop(self, claim: Claim, why: WhyNot, words: str = "") -> None:
        async with self._store.unit() as unit:
            await unit.settle(claim.delivery, why, words=words, at=self._clock.now())

    def _messenger(self, claim: Claim) -> Messenger:
        return self._messengers[claim.delivery.recipient.channel]


async def note_failure(message_id: str, words: str, *, store: Store, clock: Clock) -> None:
    """The channel took a message and says later that it could not be delivered: the ledger says so too."""
    log.warning("message not delivered", reason=words)
    async with store.unit() as unit:
        delivery = await unit.delivery_of_message(message_id)
        if delivery is not None:
            await unit.settle(delivery, WhyNot.REFUSED, words=words, at=clock.now())
