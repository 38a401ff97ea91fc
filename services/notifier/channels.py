"""Which channels there are, by the settings. Part of the wiring: only `main` uses it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from services.notifier.adapters.telegram import Bot, TelegramMessenger, make_bot
from services.notifier.adapters.whatsapp import CloudMessenger, GatewayMessenger, Templates
from services.notifier.adapters.whatsapp.http import make_client
from services.notifier.ports import Messenger, Store
from services.notifier.settings import GatewayFormat, NotifierSettings, WhatsAppDriver
from shared.clock import Clock
from shared.contracts.vocabulary import Channel
from shared.errors import Invalid, Misconfigured

log = structlog.get_logger("notifier")

META = "https://graph.facebook.com"


@asynccontextmanager
async def telegram_bot(settings: NotifierSettings) -> AsyncIterator[Bot | None]:
    """The bot, or None without a token. Raises Misconfigured for a token that cannot be one."""
    if settings.telegram_token is None:
        log.info("channel is off", channel="telegram", reason="RONDA_TELEGRAM_TOKEN is not set")
        yield None
        return
    try:
        bot = make_bot(settings.telegram_token.get_secret_value(), settings.telegram_api_url)
    except Invalid as wrong:
        raise Misconfigured(f"RONDA_TELEGRAM_TOKEN: {wrong}") from None  # the cause would show the token
    try:
        yield bot
    finally:
        await bot.session.close()


@asynccontextmanager
async def whatsapp(settings: NotifierSettings, store: Store, clock: Clock) -> AsyncIterator[Messenger | None]:
    """WhatsApp by the driver of the settings, or None."""
    token = settings.whatsapp_token
    headers = {"Authorization": f"Bearer {token.get_secret_value()}"} if token else None
    async with make_client(headers) as client:
        match settings.whatsapp_driver:
            case WhatsAppDriver.GATEWAY:
                yield GatewayMessenger(
                    client,
                    settings.whatsapp_url or "",
                    gap_s=settings.gateway_gap_s,
                    as_json=settings.whatsapp_gateway_format is GatewayFormat.JSON,
                    clock=clock,
                )
            case WhatsAppDriver.CLOUD:
                yield CloudMessenger(
                    client,
                    url=settings.whatsapp_url or META,
                    version=settings.whatsapp_version,
                    phone_id=settings.whatsapp_phone_id or "",
                    templates=Templates(
                        settings.whatsapp_template, settings.whatsapp_notice_template, settings.language
                    ),
                    last_heard=lambda address: store.last_heard(Channel.WHATSAPP, address),
                    clock=clock,
                )
            case WhatsAppDriver.NONE:
                log.info("channel is off", channel="whatsapp", reason="RONDA_WHATSAPP_DRIVER is none")
                yield None


def messengers(bot: Bot | None, over_whatsapp: Messenger | None, clock: Clock) -> dict[Channel, Messenger]:
    """The channels that are switched on."""
    found: dict[Channel, Messenger] = {}
    if bot is not None:
        found[Channel.TELEGRAM] = TelegramMessenger(bot, clock)
    if over_whatsapp is not None:
        found[Channel.WHATSAPP] = over_whatsapp
    return found
