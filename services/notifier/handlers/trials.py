"""The test message: sent at once, past every queue, so that whoever asks sees what the chat server says."""

from __future__ import annotations

from services.notifier.core.messages import bot
from services.notifier.ports import ChatGone, ChatMoved, Directory, Messengers, Store, Urgency, Wordings
from shared.contracts.queries import MessageAccepted, SendTestMessage
from shared.errors import Misconfigured, NotFound, Rejected


async def send_test_message(
    query: SendTestMessage, *, store: Store, directory: Directory, messengers: Messengers, wordings: Wordings
) -> MessageAccepted:
    """Raises NotFound, Misconfigured (channel switched off) or what the channel says. Success makes the chat usable."""
    chat = directory.chat(query.chat_id)
    if chat is None:
        raise NotFound("there is no such chat")
    messenger = messengers.get(chat.channel)
    if messenger is None:
        raise Misconfigured(f"the channel {chat.channel} is not set up")
    address = await store.current_address(chat.channel, chat.address)
    text = bot.trial(chat.name, wordings(chat.language, chat.time_zone))
    try:
        message_id = await messenger.send(address, text, urgency=Urgency.REPLY)
    except ChatMoved as moved:
        message_id = await messenger.send(moved.new_address, text, urgency=Urgency.REPLY)
    except ChatGone as gone:  # in words that every service knows
        raise Rejected(str(gone), words=gone.words) from gone
    await store.mark_usable(chat.id)
    return MessageAccepted(provider_message_id=message_id)
