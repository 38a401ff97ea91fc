"""A stand-in of the Telegram Bot API server: it answers as the real one does."""

from lab.chats.telegram.limits import Limits
from lab.chats.telegram.server import TelegramServer
from lab.chats.telegram.world import Person

__all__ = ["Limits", "Person", "TelegramServer"]
