"""The methods of the Bot API that write, change and delete messages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from lab.chats.telegram.arguments import Arguments
from lab.chats.telegram.errors import bad_request
from lab.chats.telegram.formatting import formatted, markup_of
from lab.chats.telegram.limits import Limits
from lab.chats.telegram.messages import Mailbox, replied_message
from lab.chats.telegram.phones import Phones
from lab.chats.telegram.pictures import document_from, photo_from
from lab.chats.telegram.updates import Updates
from lab.chats.telegram.world import BotAccount, Room, World, unix_now

NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a "
    "current content and reply markup of the message"
)
DELETABLE_SECONDS = 48 * 3600


@dataclass(frozen=True)
class Call:
    """One call: who calls, with what, and all that it may touch."""

    bot: BotAccount
    arguments: Arguments
    world: World
    mailbox: Mailbox
    phones: Phones
    updates: Updates
    limits: Limits

    def room(self) -> Room:
        """The room the call names, checked that the bot may write there; counts against the limits."""
        room = self.world.room(self.bot, self.arguments.text("chat_id"))
        room.check_may_write(self.bot.id)
        self.limits.spend(self.bot.token, f"{self.bot.id}/{room.id}", group=room.is_group)
        return room


Method = Callable[[Call], Awaitable[Any]]


async def send_message(call: Call) -> Any:
    """sendMessage."""
    return _send(call, *_text_content(call, "text"))


async def send_photo(call: Call) -> Any:
    """sendPhoto."""
    content, markup = _text_content(call, "caption")
    return _send(call, {"photo": photo_from(call.world, call.arguments), **content}, markup)


async def send_document(call: Call) -> Any:
    """sendDocument."""
    content, markup = _text_content(call, "caption")
    return _send(call, {"document": document_from(call.world, call.arguments), **content}, markup)


def _text_content(call: Call, name: str) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The parsed text of the call under its wire names, and its keyboard."""
    text, entities = formatted(call.arguments, name)
    content: dict[str, Any] = {name: text} if text else {}
    if entities:
        content["entities" if name == "text" else "caption_entities"] = entities
    return content, markup_of(call.arguments)


def _send(call: Call, content: dict[str, Any], markup: dict[str, Any] | None) -> dict[str, Any]:
    room = call.room()
    topic = call.arguments.integer("message_thread_id")
    room.check_topic(topic)
    reply = replied_message(call.arguments, room)
    if markup:
        content["reply_markup"] = markup
    if call.arguments.flag("disable_notification"):
        content["disable_notification"] = True
    message = call.mailbox.write(call.bot, room, None, content, reply, topic)
    return _as_sent(message)


def _as_sent(message: dict[str, Any]) -> dict[str, Any]:
    """Only inline keyboards come back in a Message."""
    markup = message.get("reply_markup")
    if markup is not None and "inline_keyboard" not in markup:
        return {key: value for key, value in message.items() if key != "reply_markup"}
    return message


def _editable(call: Call) -> tuple[Room, dict[str, Any]]:
    if call.arguments.text("inline_message_id"):
        raise bad_request("MESSAGE_ID_INVALID")
    room = call.room()
    number = call.arguments.integer("message_id")
    if not number:
        raise bad_request("message identifier is not specified")
    message = room.messages.get(number)
    if message is None:
        raise bad_request("message to edit not found")
    if message["from"]["id"] != call.bot.id:
        raise bad_request("message can't be edited")
    return room, message


def _edit(
    call: Call,
    room: Room,
    old: dict[str, Any],
    content: dict[str, Any],
    dropped: set[str],
    markup: dict[str, Any] | None,
) -> Any:
    kept = {key: value for key, value in old.items() if key not in dropped | {"reply_markup", "edit_date"}}
    new = {**kept, **content}
    if markup and "inline_keyboard" in markup:
        new["reply_markup"] = markup
    if {k: v for k, v in old.items() if k != "edit_date"} == new:
        raise bad_request(NOT_MODIFIED)
    new["edit_date"] = unix_now()
    room.messages[new["message_id"]] = new
    call.mailbox.show(call.bot, room, new)
    return new


async def edit_message_text(call: Call) -> Any:
    """editMessageText; without `reply_markup` the buttons go away."""
    content, markup = _text_content(call, "text")
    room, old = _editable(call)
    if "text" not in old:
        raise bad_request("there is no text in the message to edit")
    return _edit(call, room, old, content, {"text", "entities"}, markup)


async def edit_message_caption(call: Call) -> Any:
    """editMessageCaption."""
    content, markup = _text_content(call, "caption")
    room, old = _editable(call)
    if "photo" not in old and "document" not in old:
        raise bad_request("there is no caption in the message to edit")
    return _edit(call, room, old, content, {"caption", "caption_entities"}, markup)


async def edit_message_reply_markup(call: Call) -> Any:
    """editMessageReplyMarkup."""
    markup = markup_of(call.arguments)
    room, old = _editable(call)
    return _edit(call, room, old, {}, set(), markup)


async def edit_message_media(call: Call) -> Any:
    """editMessageMedia with a photo."""
    media = call.arguments.json("media")
    if not isinstance(media, dict) or media.get("type") != "photo":
        raise bad_request("can't parse InputMedia: the lab takes photos")
    values = {"photo": str(media.get("media", "")), "caption": str(media.get("caption") or "")}
    values["parse_mode"] = str(media.get("parse_mode") or "")
    inner = Arguments(values, call.arguments.files)
    text, entities = formatted(inner, "caption")
    room, old = _editable(call)
    content: dict[str, Any] = {"photo": photo_from(call.world, inner)}
    content |= {"caption": text} if text else {}
    content |= {"caption_entities": entities} if entities else {}
    dropped = {"photo", "document", "text", "entities", "caption", "caption_entities"}
    return _edit(call, room, old, content, dropped, markup_of(call.arguments))


async def delete_message(call: Call) -> Any:
    """deleteMessage; own messages, and in private chats the person's, younger than 48 h."""
    room = call.room()
    message = room.messages.get(call.arguments.integer("message_id"))
    if message is None:
        raise bad_request("message to delete not found")
    own = message["from"]["id"] == call.bot.id
    allowed = own or room.person is not None or room.bots.get(call.bot.id) == "administrator"
    if not allowed or unix_now() - message["date"] > DELETABLE_SECONDS:
        raise bad_request("message can't be deleted")
    call.mailbox.gone(call.bot, room, message["message_id"])
    return True


async def answer_callback_query(call: Call) -> Any:
    """answerCallbackQuery; a late or second answer is refused."""
    text = call.arguments.text("text")
    if len(text) > 200:
        raise bad_request("MESSAGE_TOO_LONG")
    press = call.phones.take_press(call.bot.id, call.arguments.text("callback_query_id"))
    if press is None:
        raise bad_request("query is too old and response timeout expired or query ID is invalid")
    call.mailbox.threads.change(press.thread, str(press.message_id), toast=text)
    return True


SENDING: dict[str, Method] = {
    "sendmessage": send_message,
    "sendphoto": send_photo,
    "senddocument": send_document,
    "editmessagetext": edit_message_text,
    "editmessagecaption": edit_message_caption,
    "editmessagereplymarkup": edit_message_reply_markup,
    "editmessagemedia": edit_message_media,
    "deletemessage": delete_message,
    "answercallbackquery": answer_callback_query,
}
