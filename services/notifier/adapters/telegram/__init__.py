"""Telegram. Only this folder knows aiogram."""

from services.notifier.adapters.telegram.lean import Bot  # before whatever else imports aiogram
from services.notifier.adapters.telegram.messenger import TelegramMessenger, make_bot
from services.notifier.adapters.telegram.poller import TelegramPoller

__all__ = ["Bot", "TelegramMessenger", "TelegramPoller", "make_bot"]
