"""All methods by name: what bots ask about themselves, their updates, chats, topics and commands."""

from __future__ import annotations

import re
from typing import Any

from lab.chats.telegram.calls import SENDING, Call, Method
from lab.chats.telegram.errors import ApiError, bad_request
from lab.chats.telegram.messages import open_thread
from lab.chats.telegram.phones import member_object
from lab.chats.telegram.updates import NOT_BY_DEFAULT

_COMMAND = re.compile(r"^[a-z0-9_]{1,32}$")


async def get_me(call: Call) -> Any:
    """getMe."""
    return {
        **call.bot.as_user(),
        "can_join_groups": True,
        "can_read_all_group_messages": not call.bot.privacy,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


async def get_updates(call: Call) -> Any:
    """getUpdates."""
    return await call.updates.poll(call.arguments)


async def set_webhook(call: Call) -> Any:
    """setWebhook."""
    await call.updates.set_webhook(call.arguments)
    return True


async def delete_webhook(call: Call) -> Any:
    """deleteWebhook."""
    await call.updates.delete_webhook(drop=call.arguments.flag("drop_pending_updates"))
    return True


async def get_webhook_info(call: Call) -> Any:
    """getWebhookInfo."""
    webhook = call.bot.webhook
    answer: dict[str, Any] = {
        "url": webhook.url if webhook else "",
        "has_custom_certificate": False,
        "pending_update_count": len(call.bot.updates),
    }
    if webhook is not None:
        answer["max_connections"] = webhook.max_connections
        if webhook.last_error:
            answer |= {"last_error_date": webhook.last_error_at, "last_error_message": webhook.last_error}
    if call.bot.allowed and set(call.bot.allowed) != NOT_BY_DEFAULT:
        answer["allowed_updates"] = call.bot.allowed
    return answer


async def set_my_commands(call: Call) -> Any:
    """setMyCommands."""
    commands = call.arguments.json("commands")
    if not isinstance(commands, list):
        raise bad_request("can't parse commands: expected an Array of BotCommand")
    if len(commands) > 100:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        name = str(command.get("command", "")).removeprefix("/") if isinstance(command, dict) else ""
        if not _COMMAND.match(name):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= len(str(command.get("description", ""))) <= 256:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    call.bot.commands[_scope_key(call)] = commands
    for room in call.bot.private.values():
        if call.bot.id in room.bots:
            open_thread(call.bot, room, call.world, call.mailbox.threads)
    return True


async def get_my_commands(call: Call) -> Any:
    """getMyCommands."""
    return call.bot.commands.get(_scope_key(call), [])


async def delete_my_commands(call: Call) -> Any:
    """deleteMyCommands."""
    call.bot.commands.pop(_scope_key(call), None)
    return True


def _scope_key(call: Call) -> str:
    scope = call.arguments.json("scope") or {"type": "default"}
    language = call.arguments.text("language_code")
    if language and not re.match(r"^[a-z]{2}$", language):
        raise bad_request("invalid language code specified")
    return f"{scope.get('type', 'default')}/{scope.get('chat_id', '')}/{language}"


async def get_chat(call: Call) -> Any:
    """getChat."""
    room = call.world.room(call.bot, call.arguments.text("chat_id"))
    if room.person is not None and call.bot.id not in room.bots:
        raise bad_request("chat not found")
    permissions = {"permissions": {"can_send_messages": True}} if room.is_group else {}
    limits = {"max_reaction_count": 11, "accent_color_id": 0}
    accepted = {"unlimited_gifts": False, "limited_gifts": False, "unique_gifts": False}
    accepted |= {"premium_subscription": False, "gifts_from_channels": False}
    return {**room.as_chat(), **permissions, **limits, "accepted_gift_types": accepted}


async def get_chat_member(call: Call) -> Any:
    """getChatMember."""
    room = call.world.room(call.bot, call.arguments.text("chat_id"))
    user_id = call.arguments.integer("user_id")
    if user_id == call.bot.id:
        return member_object(call.bot, room.bots.get(call.bot.id, "stranger"))
    person = room.members.get(user_id) or (room.person if room.id == user_id else None)
    if person is None:
        raise bad_request("PARTICIPANT_ID_INVALID")
    first = next(iter(room.members), user_id)
    if room.is_group and user_id == first:
        return {"status": "creator", "user": person.as_user(), "is_anonymous": False}
    return {"status": "member", "user": person.as_user()}


async def get_chat_member_count(call: Call) -> Any:
    """getChatMemberCount."""
    room = call.world.room(call.bot, call.arguments.text("chat_id"))
    return 2 if room.person else len(room.members) + len(room.bots)


async def leave_chat(call: Call) -> Any:
    """leaveChat."""
    room = call.world.room(call.bot, call.arguments.text("chat_id"))
    room.bots[call.bot.id] = "left"
    return True


async def send_chat_action(call: Call) -> Any:
    """sendChatAction ("typing …")."""
    room = call.world.room(call.bot, call.arguments.text("chat_id"))
    room.check_may_write(call.bot.id)
    return True


async def get_file(call: Call) -> Any:
    """getFile."""
    file_id = call.arguments.text("file_id")
    if file_id not in call.world.files:
        raise bad_request("invalid file_id")
    size = len(call.world.files[file_id][1])
    return {"file_id": file_id, "file_unique_id": file_id[-16:], "file_size": size, "file_path": file_id}


async def create_forum_topic(call: Call) -> Any:
    """createForumTopic; needs a supergroup with topics and the bot as administrator."""
    room = call.room()
    name = call.arguments.text("name")
    if room.kind != "supergroup" or not room.forum:
        raise bad_request("the chat is not a forum")
    if room.bots.get(call.bot.id) != "administrator":
        raise bad_request("not enough rights to create a topic")
    if not 1 <= len(name) <= 128:
        raise bad_request("TOPIC_TITLE_EMPTY" if not name else "TOPIC_TITLE_TOO_LONG")
    color = call.arguments.integer("icon_color", 7322096)
    created = {"forum_topic_created": {"name": name, "icon_color": color}}
    message = call.mailbox.write(call.bot, room, None, created)
    number: int = message["message_id"]
    room.topics[number] = name
    room.messages[number] = {**message, "message_thread_id": number, "is_topic_message": True}
    open_thread(call.bot, room, call.world, call.mailbox.threads)
    return {"message_thread_id": number, "name": name, "icon_color": color}


async def close_forum_topic(call: Call) -> Any:
    """closeForumTopic."""
    room = call.room()
    topic = call.arguments.integer("message_thread_id")
    if topic not in room.topics:
        raise bad_request("message thread not found")
    if topic in room.closed_topics:
        raise bad_request("TOPIC_NOT_MODIFIED")
    room.closed_topics.add(topic)
    call.mailbox.write(call.bot, room, None, {"forum_topic_closed": {}}, topic=topic)
    return True


async def reopen_forum_topic(call: Call) -> Any:
    """reopenForumTopic."""
    room = call.room()
    topic = call.arguments.integer("message_thread_id")
    if topic not in room.topics:
        raise bad_request("message thread not found")
    room.closed_topics.discard(topic)
    return True


async def delete_forum_topic(call: Call) -> Any:
    """deleteForumTopic."""
    room = call.room()
    if room.topics.pop(call.arguments.integer("message_thread_id"), None) is None:
        raise bad_request("message thread not found")
    return True


METHODS: dict[str, Method] = SENDING | {
    "getme": get_me,
    "getupdates": get_updates,
    "setwebhook": set_webhook,
    "deletewebhook": delete_webhook,
    "getwebhookinfo": get_webhook_info,
    "setmycommands": set_my_commands,
    "getmycommands": get_my_commands,
    "deletemycommands": delete_my_commands,
    "getchat": get_chat,
    "getchatmember": get_chat_member,
    "getchatmembercount": get_chat_member_count,
    "leavechat": leave_chat,
    "sendchataction": send_chat_action,
    "getfile": get_file,
    "createforumtopic": create_forum_topic,
    "closeforumtopic": close_forum_topic,
    "reopenforumtopic": reopen_forum_topic,
    "deleteforumtopic": delete_forum_topic,
}


def method_named(name: str) -> Method:
    """The method, whatever its case; raises 404."""
    found = METHODS.get(name.lower())
    if found is None:
        raise ApiError(404, "Not Found: method not found")
    return found
