"""Storing messages: the wire object for bots and the bubble on the phone."""

from __future__ import annotations

import time
from typing import Any

from lab.chats.telegram.arguments import Arguments
from lab.chats.telegram.errors import bad_request
from lab.chats.telegram.world import BotAccount, Person, Room, World, unix_now
from lab.chats.threads import Bubble, Button, Thread, Threads

KEPT_MESSAGES = 5000


def thread_id(bot: BotAccount, room: Room, world: World) -> str:
    """`tg:<chat>`; private chats with a second bot get its name behind, for they are another conversation."""
    first = next(iter(world.bots.values()))
    if room.person is None or bot is first:
        return f"tg:{room.id}"
    return f"tg:{room.id}@{bot.username}"


def open_thread(bot: BotAccount, room: Room, world: World, threads: Threads) -> Thread:
    """The thread of a room, brought up to date with its members and states."""
    name = room.person.name if room.person else room.title
    thread = threads.open(Thread(thread_id(bot, room, world), "telegram", room.kind, name))
    member_list = [room.person] if room.person else list(room.members.values())
    thread.title = name
    thread.subtitle = f"@{bot.username}" if room.person else f"{len(room.members) + len(room.bots)} members"
    thread.members = [{"id": p.id, "name": p.name, "language": p.language} for p in member_list]
    thread.flags = {
        "state": room.bots.get(bot.id, "stranger"),
        "bot": bot.first_name,
        "topics": {str(number): title for number, title in room.topics.items()},
        "migrated_to": room.migrated_to,
        "commands": [c for scope in bot.commands.values() for c in scope][:30],
    }
    return thread


def buttons_of(markup: dict[str, Any] | None) -> tuple[Button, ...]:
    """The buttons as the phone shows them."""
    if not markup:
        return ()
    found: list[Button] = []
    for number, row in enumerate(markup.get("inline_keyboard") or []):
        for button in row:
            kind = next((k for k in ("callback_data", "url", "copy_text") if k in button), "callback_data")
            value = button.get(kind, "")
            value = value.get("text", "") if isinstance(value, dict) else str(value)
            short = {"callback_data": "callback", "url": "url", "copy_text": "copy"}[kind]
            found.append(Button(button["text"], short, value, number, button.get("style") or ""))
    for number, row in enumerate(markup.get("keyboard") or []):
        for key in row:
            text = key.get("text", "") if isinstance(key, dict) else str(key)
            found.append(Button(text, "text", text, number))
    return tuple(found)


def replied_message(arguments: Arguments, room: Room) -> dict[str, Any] | None:
    """The message this one answers; raises 400 when it is gone and that was not allowed."""
    parameters = arguments.json("reply_parameters") or {}
    if not isinstance(parameters, dict):
        raise bad_request("can't parse reply parameters: object expected")
    number = int(parameters.get("message_id") or arguments.integer("reply_to_message_id"))
    if not number:
        return None
    lenient = bool(parameters.get("allow_sending_without_reply")) or arguments.flag("allow_sending_without_reply")
    found = room.messages.get(number)
    if found is None and not lenient:
        raise bad_request("message to be replied not found")
    return found


class Mailbox:
    """Writes messages into rooms and threads."""

    def __init__(self, world: World, threads: Threads) -> None:
        self.world = world
        self.threads = threads

    def write(
        self,
        bot: BotAccount,
        room: Room,
        sender: Person | None,
        content: dict[str, Any],
        reply: dict[str, Any] | None = None,
        topic: int = 0,
    ) -> dict[str, Any]:
        """Add a message from a person, or from the bot when `sender` is None; the Message object."""
        number = self.world.next_message_id(bot, room)
        author = sender.as_user() if sender else bot.as_user()
        message = {
            "message_id": number,
            "from": author,
            "chat": room.as_chat(),
            "date": unix_now(),
            **content,
        }
        if reply:
            message["reply_to_message"] = {k: v for k, v in reply.items() if k != "reply_to_message"}
        if topic:
            message |= {"message_thread_id": topic, "is_topic_message": True}
        room.messages[number] = message
        while len(room.messages) > KEPT_MESSAGES:
            room.messages.pop(next(iter(room.messages)))
        self.show(bot, room, message, silent=bool(content.get("disable_notification")))
        message.pop("disable_notification", None)
        return message

    def show(self, bot: BotAccount, room: Room, message: dict[str, Any], *, silent: bool = False) -> None:
        """Put the message on the phone, as new or as changed."""
        thread = open_thread(bot, room, self.world, self.threads)
        key = str(message["message_id"])
        text, entities = text_of(message)
        old = thread.bubbles.get(key)
        sender = message["from"]
        topic = message.get("message_thread_id", 0)
        bubble = Bubble(
            id=key,
            author=f"{sender['first_name']} {sender.get('last_name', '')}".strip(),
            mine=room.person is not None and not sender["is_bot"],
            text=text,
            at=old.at if old else time.time(),
            markup="telegram",
            entities=tuple(entities),
            buttons=buttons_of(message.get("reply_markup")),
            photo=message["photo"][-1]["file_id"] if "photo" in message else "",
            file_name=message.get("document", {}).get("file_name", ""),
            reply_to=str(message.get("reply_to_message", {}).get("message_id", "")),
            topic=room.topics.get(topic, "") if topic else "",
            silent=silent or (old.silent if old else False),
            service=is_service(message),
            edited_at=float(message.get("edit_date", 0)),
            from_bot=bool(sender["is_bot"]),
            toast=old.toast if old else "",
            revisions=(*old.revisions, old.text) if old and old.text != text else (old.revisions if old else ()),
        )
        self.threads.put(thread.id, bubble)

    def gone(self, bot: BotAccount, room: Room, number: int) -> None:
        """A message was deleted."""
        room.messages.pop(number, None)
        self.threads.change(thread_id(bot, room, self.world), str(number), deleted=True, buttons=())


def text_of(message: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    """Text or caption with entities; service messages get words."""
    for key, words in _SERVICE_WORDS.items():
        if key in message:
            return words.format(message[key]), []
    if "text" in message:
        return message["text"], message.get("entities", [])
    return message.get("caption", ""), message.get("caption_entities", [])


_SERVICE_WORDS = {
    "migrate_to_chat_id": "group upgraded to a supergroup",
    "migrate_from_chat_id": "supergroup created from a group",
    "forum_topic_created": "topic created: {0[name]}",
    "forum_topic_closed": "topic closed",
    "new_chat_members": "{0[0][first_name]} joined the group",
    "left_chat_member": "{0[first_name]} left the group",
}


def is_service(message: dict[str, Any]) -> bool:
    """Whether a message tells what happened instead of what somebody wrote."""
    return any(key in message for key in _SERVICE_WORDS)
