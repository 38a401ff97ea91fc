"""Long polling: what people write and press at Telegram, handed to the reception.

Telegram forgets an update when the next request confirms it, and that request is made only after the reception has
remembered it. So nothing is lost in a crash, and what comes twice is known by its update id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog
from aiogram import Bot
from aiogram.types import BotCommand, CallbackQuery, Message, Update

from services.notifier.adapters.telegram.errors import translated
from services.notifier.core.messages.bot import command_descriptions
from services.notifier.ports import Incoming, Wordings
from shared.contracts.vocabulary import Channel, Language
from shared.errors import RondaError

log = structlog.get_logger("notifier")

POLL_S = 25
POLL_MARGIN_S = 10
ALLOWED = ["message", "callback_query"]
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 15.0

Accept = Callable[[Sequence[Incoming]], Awaitable[None]]
Moved = Callable[[str, str], Awaitable[None]]


class TelegramPoller:
    """Asks Telegram for updates. One process only; `while_holding` in `adapters/lease.py` sees to that."""

    def __init__(self, bot: Bot, *, accept: Accept, moved: Moved, wordings: Wordings, time_zone: str) -> None:
        self._bot = bot
        self._accept = accept
        self._moved = moved
        self._wordings = wordings
        self._time_zone = time_zone
        self._name: str | None = None

    async def run(self) -> None:
        """Poll until cancelled; errors are logged when they change, and tried again with growing pauses."""
        offset: int | None = None
        pause, said = FIRST_PAUSE_S, ""
        while True:
            try:
                if self._name is None:
                    await self._introduce()
                offset = await self._round(offset)
            except RondaError as error:
                if str(error) != said:
                    log.warning("Telegram not polled", reason=str(error))
                said = str(error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_S)
            else:
                pause, said = FIRST_PAUSE_S, ""

    async def _introduce(self) -> None:
        """Learn the bot's own name, and put the commands into the menu of each language."""
        with translated():
            me = await self._bot.get_me(request_timeout=POLL_MARGIN_S)
            for language in Language:
                say = self._wordings(language, self._time_zone)
                menu = [BotCommand(command=name, description=text) for name, text in command_descriptions(say).items()]
                code = language.value if language is not Language.ENGLISH else None  # None: for everybody else
                await self._bot.set_my_commands(menu, language_code=code, request_timeout=POLL_MARGIN_S)
        self._name = me.username
        log.info("Telegram bot is there", bot=me.username)

    async def _round(self, offset: int | None) -> int | None:
        with translated():
            updates = await self._bot.get_updates(
                offset=offset, timeout=POLL_S, allowed_updates=ALLOWED, request_timeout=POLL_S + POLL_MARGIN_S
            )
        for update in updates:
            if update.message is not None and update.message.migrate_to_chat_id is not None:
                await self._moved(str(update.message.chat.id), str(update.message.migrate_to_chat_id))
        await self._accept([one for one in map(self._incoming, updates) if one is not None])
        return updates[-1].update_id + 1 if updates else offset

    def _incoming(self, update: Update) -> Incoming | None:
        if update.callback_query is not None:
            return self._press(update.update_id, update.callback_query)
        if update.message is not None and update.message.text:
            return self._written(update.update_id, update.message)
        return None

    def _written(self, update_id: int, message: Message) -> Incoming:
        who = message.from_user
        answered = message.reply_to_message
        return Incoming(
            channel=Channel.TELEGRAM,
            key=str(update_id),
            address=str(message.chat.id),
            sender_name=who.full_name if who else message.chat.title or "?",
            text=message.text or "",
            in_group=message.chat.type != "private",
            language_code=who.language_code if who else None,
            message_id=str(message.message_id),
            reply_to=str(answered.message_id) if answered else None,
            bot_name=self._name,
        )

    def _press(self, update_id: int, press: CallbackQuery) -> Incoming | None:
        if press.message is None or press.data is None:
            return None
        return Incoming(
            channel=Channel.TELEGRAM,
            key=str(update_id),
            address=str(press.message.chat.id),
            sender_name=press.from_user.full_name,
            button=press.data,
            button_token=press.id,
            in_group=press.message.chat.type != "private",
            language_code=press.from_user.language_code,
            reply_to=str(press.message.message_id),
            bot_name=self._name,
        )
