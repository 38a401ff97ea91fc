"""Something came in: who is it, what do they want, may they have it, and the answer back to where it came from."""

from __future__ import annotations

from collections import OrderedDict

import structlog

from services.notifier.core import commands as words
from services.notifier.core.commands import Command, CommandName, NotUnderstood
from services.notifier.core.markup import Document, to_plain
from services.notifier.core.messages import bot
from services.notifier.core.wording import Wording
from services.notifier.handlers.commands import COMMANDS
from services.notifier.handlers.desk import Ask, Desk
from services.notifier.ports import ChatMoved, Incoming, Urgency
from shared.contracts.events import ChatRefused
from shared.contracts.inventory import Chat
from shared.contracts.vocabulary import Language
from shared.errors import RondaError

log = structlog.get_logger("notifier")

STRANGER_GAP_S = 60.0
STRANGERS_REMEMBERED = 1000
TOAST_LIMIT = 200  # characters of a callback answer at Telegram


class Conversation:
    """The bot, whatever the channel. Keeps only when it refused whom last."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._refused: OrderedDict[tuple[str, str], float] = OrderedDict()

    async def answer(self, incoming: Incoming) -> None:
        """Answer one message or press, completely. Raises Temporary if the channel or the store is away."""
        asked = understood(incoming)
        if asked is None:
            await self._acknowledge_press(incoming, None)
            return
        chat = await self._chat(incoming)
        if chat is None:
            await self._refuse(incoming, asked)
            return
        await self._desk.store.mark_usable(chat.id)  # whoever writes to us can be written to
        say = self._desk.wordings(chat.language, chat.time_zone)
        reply = await self._reply(chat, asked, incoming, say)
        await self._acknowledge_press(incoming, reply)
        if incoming.button is None:
            await self._send(incoming, reply)

    async def _reply(self, chat: Chat, asked: Command | NotUnderstood, incoming: Incoming, say: Wording) -> Document:
        if isinstance(asked, NotUnderstood):
            return bot.not_understood(asked.word, asked.suggestion, say)
        if chat.role not in words.ALLOWED[asked.name]:
            return bot.not_allowed(say)
        return await COMMANDS[asked.name](Ask(chat, asked.arguments, incoming, say), self._desk)

    async def _chat(self, incoming: Incoming) -> Chat | None:
        """The registered chat behind an address, also where its channel moved it; a disabled one is a stranger."""
        found = self._desk.directory.chat_at(incoming.channel, incoming.address)
        if found is None:
            for former in await self._desk.store.former_addresses(incoming.channel, incoming.address):
                found = found or self._desk.directory.chat_at(incoming.channel, former)
        return found if found is not None and found.enabled else None

    async def _refuse(self, incoming: Incoming, asked: Command | NotUnderstood) -> None:
        """Politely, in their language, at most once a minute; the owner hears of it on the bus."""
        if not self._may_refuse(incoming):
            return
        say = self._desk.wordings(language_of(incoming.language_code, self._desk.language), self._desk.time_zone)
        word = asked.name.value if isinstance(asked, Command) else asked.word
        log.info("stranger refused", channel=incoming.channel, address=incoming.address, command=word)
        await self._desk.bus.publish(
            ChatRefused(
                at=self._desk.clock.now(),
                channel=incoming.channel,
                address=incoming.address,
                name=incoming.sender_name,
                command=word,
            )
        )
        refusal = bot.stranger(incoming.address, say)
        await self._acknowledge_press(incoming, refusal)
        await self._send(incoming, refusal)

    def _may_refuse(self, incoming: Incoming) -> bool:
        key, now = (str(incoming.channel), incoming.address), self._desk.clock.monotonic()
        last = self._refused.get(key)
        if last is not None and now - last < STRANGER_GAP_S:
            return False
        self._refused[key] = now
        self._refused.move_to_end(key)
        if len(self._refused) > STRANGERS_REMEMBERED:
            self._refused.popitem(last=False)
        return True

    async def _acknowledge_press(self, incoming: Incoming, reply: Document | None) -> None:
        if incoming.button_token is None:
            return
        messenger = self._desk.messengers[incoming.channel]
        try:
            await messenger.answer_press(incoming.button_token, to_plain(reply)[:TOAST_LIMIT] if reply else "")
        except RondaError as error:  # the press itself is done; only the spinner turns a little longer
            log.info("press not answered", channel=incoming.channel, reason=str(error))

    async def _send(self, incoming: Incoming, reply: Document) -> None:
        messenger = self._desk.messengers[incoming.channel]
        quoted = incoming.message_id if incoming.in_group and messenger.abilities.reply else None
        try:
            await messenger.send(incoming.address, reply, reply_to=quoted, urgency=Urgency.REPLY)
        except ChatMoved as moved:
            await messenger.send(moved.new_address, reply, urgency=Urgency.REPLY)


def understood(incoming: Incoming) -> Command | NotUnderstood | None:
    """What somebody asks for; None if it is not meant for us."""
    if incoming.button is not None and (pressed := words.parse_button(incoming.button)):
        return pressed
    # A button of a WhatsApp template sends its own words; what it belongs to is the message that it answers.
    text = incoming.button or incoming.text
    asked = words.parse(text, in_group=incoming.in_group, bot_name=incoming.bot_name)
    return Command(CommandName.MENU) if isinstance(asked, Command) and asked.name is CommandName.START else asked


def language_of(code: str | None, default: Language) -> Language:
    """The language of somebody we do not know, from what their program says; Malay reads Indonesian."""
    prefix = (code or "").lower()[:2]
    if prefix in ("id", "ms"):
        return Language.INDONESIAN
    return Language.ENGLISH if prefix else default
