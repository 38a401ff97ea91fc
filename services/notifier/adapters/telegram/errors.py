"""Telegram's refusals in our words. The texts are those of the Bot API server (tdlib/telegram-bot-api, Client.cpp)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from aiogram.exceptions import (
    AiogramError,
    ClientDecodeError,
    TelegramAPIError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiohttp import ClientConnectionError, ClientConnectorError, ConnectionTimeoutError

from services.notifier.ports import ChatGone, ChatMoved, MessageGone
from shared.errors import Busy, DeadlineExceeded, NotAllowed, Rejected, RondaError, Temporary, Unreachable

RETRY_MARGIN_S = 0.5

_CHAT_GONE = (
    "chat not found",
    "chat_id is empty",
    "peer_id_invalid",
    "not enough rights",
    "chat_write_forbidden",
    "have no rights to send",
)
_MESSAGE_GONE = ("message to edit not found", "message can't be edited", "message_id_invalid")
_NOT_MODIFIED = "message is not modified"
_TOO_LATE = ("query is too old", "query id is invalid")
_OUR_MARKUP = ("can't parse entities", "button_data_invalid", "reply markup is too long", "message is too long")


class NotModified(Rejected):
    """The message is already as it should be."""

    code = "not_modified"


class TooLate(Rejected):
    """A press was answered too late, or twice."""

    code = "too_late"


class MarkupRefused(Rejected):
    """Our own markup is wrong: worth one more try without it."""

    code = "markup_refused"


@contextmanager
def translated() -> Iterator[None]:
    """Raise our errors from aiogram's."""
    try:
        yield
    except ClientDecodeError as error:  # a proxy's page, not Telegram's answer: nobody knows what became of the call
        raise DeadlineExceeded("Telegram's answer could not be read") from error
    except TelegramAPIError as error:
        raise _ours(error) from error
    except AiogramError as error:
        raise Rejected(f"aiogram: {error}") from error


def _ours(error: TelegramAPIError) -> RondaError:
    words = error.message
    match error:
        case TelegramRetryAfter():
            return Busy(words, retry_after=error.retry_after + RETRY_MARGIN_S)
        case TelegramMigrateToChat():
            return ChatMoved(words, new_address=str(error.migrate_to_chat_id))
        case TelegramNetworkError():
            return _network(error)
        case TelegramForbiddenError():
            return ChatGone("Telegram refuses this chat", words=words)
        case TelegramUnauthorizedError() | TelegramNotFound():
            return NotAllowed("Telegram does not know the bot's token")
        case TelegramConflictError():
            return Busy("another program polls this bot")
        case TelegramServerError():
            return Unreachable(f"Telegram is out of order: {words}")
        case TelegramBadRequest():
            return _bad_request(words)
        case _ if words.lower().startswith("misdirected"):
            return Temporary(words)
        case _:
            return Rejected("Telegram refuses the message", words=words)


def _network(error: TelegramNetworkError) -> RondaError:
    """A connection that was never made sent nothing; one that broke may have."""
    cause = error.__cause__
    if isinstance(cause, ClientConnectorError | ConnectionTimeoutError):
        return Unreachable("Telegram cannot be reached")
    if isinstance(cause, ClientConnectionError):
        return DeadlineExceeded("the connection to Telegram broke before it answered")
    return DeadlineExceeded("Telegram did not answer in time")


def _bad_request(words: str) -> RondaError:
    text = words.lower()
    if _NOT_MODIFIED in text:
        return NotModified(words)
    if any(part in text for part in _MESSAGE_GONE):
        return MessageGone(words)
    if any(part in text for part in _CHAT_GONE):
        return ChatGone("Telegram refuses this chat", words=words)
    if any(part in text for part in _TOO_LATE):
        return TooLate(words)
    if any(part in text for part in _OUR_MARKUP):
        return MarkupRefused(words)
    return Rejected("Telegram refuses the message", words=words)
