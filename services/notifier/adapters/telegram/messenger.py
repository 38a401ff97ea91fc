"""Sending and editing at Telegram, within its limits and in its HTML."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import structlog
from aiogram import Bot
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.enums import ParseMode
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup, ReplyParameters

from services.notifier.adapters.pace import Pace
from services.notifier.adapters.telegram.errors import MarkupRefused, NotModified, TooLate, translated
from services.notifier.core.compose import Button
from services.notifier.core.markup import Document, to_html, to_plain
from services.notifier.core.pacing import BOT, CHAT, GROUP, Rate
from services.notifier.core.recipients import Abilities
from services.notifier.ports import Urgency
from shared.clock import Clock
from shared.errors import Busy, Invalid

log = structlog.get_logger("notifier")

REQUEST_S = 10
ALL_ABILITIES = Abilities(edit=True, reply=True, buttons=True)


def make_bot(token: str, api_url: str) -> Bot:
    """The bot at an API server of one's own or at Telegram's. The caller closes `bot.session`. Raises Invalid."""
    session = AiohttpSession(api=TelegramAPIServer.from_base(api_url))
    defaults = DefaultBotProperties(link_preview_is_disabled=True, allow_sending_without_reply=True)
    try:
        return Bot(token, session=session, default=defaults)
    except ValueError as wrong:  # aiogram's TokenValidationError
        raise Invalid("the Telegram token has not the form 123456:letters") from wrong


def telegram_rates(address: str) -> Sequence[tuple[str, Rate]]:
    """Every message counts for the bot and its chat; groups (negative ids) have a minute's limit of their own."""
    rates = [("bot", BOT), (f"chat {address}", CHAT)]
    return [*rates, (f"group {address}", GROUP)] if address.startswith("-") else rates


class TelegramMessenger:
    """What `services.notifier.ports.Messenger` promises."""

    def __init__(self, bot: Bot, clock: Clock) -> None:
        self._bot = bot
        self._pace = Pace(telegram_rates, clock)

    @property
    def abilities(self) -> Abilities:
        return ALL_ABILITIES

    async def send(
        self,
        to: str,
        text: Document,
        *,
        reply_to: str | None = None,
        buttons: Sequence[Button] = (),
        urgency: Urgency = Urgency.DELIVERY,
    ) -> str:
        await self._pace.turn(to, urgency)
        try:
            return await self._send(to, to_html(text), ParseMode.HTML, reply_to, _keyboard(buttons))
        except MarkupRefused as refused:
            log.error("Telegram refused our markup", reason=refused.words)  # noqa: TRY400 - no trace helps here
            return await self._send(to, to_plain(text), None, reply_to, None)

    async def edit(self, to: str, message_id: str, text: Document, *, buttons: Sequence[Button] = ()) -> None:
        await self._pace.turn(to, Urgency.DELIVERY)
        with self._holding(to), suppress(NotModified), translated():
            await self._bot.edit_message_text(
                to_html(text),
                chat_id=int(to),
                message_id=int(message_id),
                parse_mode=ParseMode.HTML,
                reply_markup=_keyboard(buttons),
                request_timeout=REQUEST_S,
            )

    async def answer_press(self, token: str, text: str) -> None:
        with suppress(TooLate), translated():
            await self._bot.answer_callback_query(token, text=text or None, request_timeout=REQUEST_S)

    async def _send(
        self,
        to: str,
        text: str,
        mode: ParseMode | None,
        reply_to: str | None,
        keyboard: InlineKeyboardMarkup | None,
    ) -> str:
        quoted = ReplyParameters(message_id=int(reply_to), allow_sending_without_reply=True) if reply_to else None
        with self._holding(to), translated():
            sent = await self._bot.send_message(
                int(to),
                text,
                parse_mode=mode,
                reply_parameters=quoted,
                reply_markup=keyboard,
                request_timeout=REQUEST_S,
            )
        return str(sent.message_id)

    def _holding(self, to: str) -> _Holding:
        return _Holding(self._pace, to)


class _Holding:
    """When Telegram asks for a pause, this chat pauses and the others go on."""

    def __init__(self, pace: Pace, address: str) -> None:
        self._pace = pace
        self._address = address

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Busy) and error.retry_after is not None:
            self._pace.hold(self._address, error.retry_after)


def _keyboard(buttons: Sequence[Button]) -> InlineKeyboardMarkup | None:
    if not buttons:
        return None  # an edit without markup takes the buttons away
    row = [InlineKeyboardButton(text=button.label, callback_data=button.payload) for button in buttons]
    return InlineKeyboardMarkup(inline_keyboard=[row])
