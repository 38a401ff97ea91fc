"""An unmodified aiogram bot lives on the lab's Telegram: what it hears, sends, edits, and how it is refused."""

from __future__ import annotations

import asyncio
import contextlib
import struct
import zlib
from collections.abc import AsyncIterator

import pytest
from aiogram import Bot, Dispatcher, F
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import (
    ClientDecodeError,
    RestartingTelegram,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramUnauthorizedError,
)
from aiogram.filters import Command, CommandObject
from aiogram.types import (
    BotCommand,
    BufferedInputFile,
    CallbackQuery,
    ChatMemberUpdated,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Message,
    ReplyParameters,
)

from lab.chats.faults import Fault
from lab.chats.telegram import Limits, Person, TelegramServer

TOKEN = "7000000001:AAlab-token-of-the-night-watch"
SARI = Person(6_281_200_001, "Sari", "Wulandari", "sari_noc", "id")
BUDI = Person(6_281_200_002, "Budi", "Santoso", "budi_s", "en")
GROUP = -4_012_345
FORUM = -1_001_900_000_001


def png(width: int = 320, height: int = 200) -> bytes:
    """A real, plain picture."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = b"".join(b"\0" + b"\x20\x60\xa0" * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def keys(*pairs: tuple[str, str]) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(
        inline_keyboard=[[InlineKeyboardButton(text=text, callback_data=data) for text, data in pairs]]
    )


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramServer]:
    server = TelegramServer(limits=Limits(enabled=False))
    server.add_bot(TOKEN, "ronda_bot", "Ronda")
    server.add_person(SARI, started=True)
    server.add_person(BUDI)
    server.add_group(GROUP, "NOC Waru", [SARI, BUDI])
    server.add_group(FORUM, "Live chat", [SARI], kind="supergroup", forum=True, bot_state="administrator")
    await server.start()
    yield server
    await server.stop()


def make_bot(server: TelegramServer, token: str = TOKEN) -> Bot:
    session = AiohttpSession(api=TelegramAPIServer.from_base(server.url))
    return Bot(token, session=session, default=DefaultBotProperties(parse_mode="HTML"))


@pytest.fixture
async def bot(telegram: TelegramServer) -> AsyncIterator[Bot]:
    made = make_bot(telegram)
    yield made
    await made.session.close()


@contextlib.asynccontextmanager
async def polling(bot: Bot, dispatcher: Dispatcher) -> AsyncIterator[None]:
    task = asyncio.create_task(
        dispatcher.start_polling(bot, polling_timeout=5, handle_signals=False, close_bot_session=False)
    )
    try:
        yield
    finally:
        await asyncio.wait_for(_stopped(dispatcher, task), 10)


async def _stopped(dispatcher: Dispatcher, task: asyncio.Task[None]) -> None:
    with contextlib.suppress(RuntimeError):
        await dispatcher.stop_polling()
    await task


async def shown(server: TelegramServer, thread: str, text: str, seconds: float = 5.0):
    """The newest bubble of the bot with these words, waited for."""

    def found():
        bubbles = server.threads.get(thread).bubbles.values()
        return [b for b in bubbles if text in b.text and b.from_bot]

    bubbles = await server.threads.wait_for(found, seconds)
    assert bubbles, f"{text!r} never came to {thread}"
    return bubbles[-1]


class TestPolling:
    async def test_a_command_from_a_phone_is_answered_there(self, telegram: TelegramServer, bot: Bot):
        dispatcher = Dispatcher()

        @dispatcher.message(Command("ping"))
        async def ping(message: Message, command: CommandObject) -> None:
            await message.reply(f"pinging <b>{command.args}</b> for {message.from_user.language_code}")

        async with polling(bot, dispatcher):
            telegram.phones.send(f"tg:{SARI.id}", "/ping core-1")
            bubble = await shown(telegram, f"tg:{SARI.id}", "pinging core-1 for id")
        assert bubble.entities == ({"type": "bold", "offset": 8, "length": 6},)
        question = next(b for b in telegram.threads.get(f"tg:{SARI.id}").bubbles.values() if b.mine)
        assert bubble.reply_to == question.id

    async def test_a_pressed_button_edits_the_message_and_shows_a_toast(self, telegram: TelegramServer, bot: Bot):
        dispatcher = Dispatcher()

        @dispatcher.callback_query(F.data.startswith("a:"))
        async def acknowledge(query: CallbackQuery) -> None:
            await query.answer("Noted")
            await query.message.edit_text("DOWN, acknowledged by " + query.from_user.first_name)

        sent = await bot.send_message(SARI.id, "DOWN", reply_markup=keys(("Ack", "a:1"), ("Silence 1h", "s:1")))
        async with polling(bot, dispatcher):
            telegram.phones.press(f"tg:{SARI.id}", sent.message_id, "a:1")
            bubble = await shown(telegram, f"tg:{SARI.id}", "acknowledged by Sari")
        assert bubble.buttons == ()
        assert bubble.edited_at
        assert bubble.revisions == ("DOWN",)
        assert bubble.toast == "Noted"

    async def test_privacy_mode_hides_talk_but_not_commands(self, telegram: TelegramServer, bot: Bot):
        heard: list[str] = []
        dispatcher = Dispatcher()

        @dispatcher.message()
        async def listen(message: Message) -> None:
            heard.append(message.text or "")
            await message.answer("heard " + (message.text or ""))

        async with polling(bot, dispatcher):
            for text in ("selamat malam", "/monitor@other_bot", "/menu@ronda_bot", "halo @ronda_bot"):
                telegram.phones.send(f"tg:{GROUP}", text, BUDI.id)
            await shown(telegram, f"tg:{GROUP}", "heard halo @ronda_bot")
        assert heard == ["/menu@ronda_bot", "halo @ronda_bot"]

    async def test_blocking_is_told_and_then_refuses(self, telegram: TelegramServer, bot: Bot):
        told: asyncio.Queue[str] = asyncio.Queue()
        dispatcher = Dispatcher()

        @dispatcher.my_chat_member()
        async def changed(event: ChatMemberUpdated) -> None:
            told.put_nowait(event.new_chat_member.status)

        async with polling(bot, dispatcher):
            telegram.phones.block(f"tg:{SARI.id}")
            assert await asyncio.wait_for(told.get(), 5) == "kicked"
            with pytest.raises(TelegramForbiddenError, match="bot was blocked by the user"):
                await bot.send_message(SARI.id, "halo")
            telegram.phones.unblock(f"tg:{SARI.id}")
            assert await asyncio.wait_for(told.get(), 5) == "member"
        await bot.send_message(SARI.id, "halo lagi")

    async def test_the_older_poller_gets_the_conflict(self, telegram: TelegramServer, bot: Bot):
        older = asyncio.create_task(bot.get_updates(timeout=20))
        await _until_polling(telegram)
        newer = asyncio.create_task(bot.get_updates(timeout=20))
        with pytest.raises(TelegramConflictError, match="terminated by other getUpdates request"):
            await asyncio.wait_for(older, 5)
        telegram.phones.send(f"tg:{SARI.id}", "satu")
        updates = await asyncio.wait_for(newer, 5)
        assert [u.message.text for u in updates] == ["satu"]

    async def test_offsets_confirm_and_negative_ones_skip(self, telegram: TelegramServer, bot: Bot):
        for number in range(5):
            telegram.phones.send(f"tg:{SARI.id}", f"pesan {number}")
        first = await bot.get_updates(limit=2)
        assert [u.message.text for u in first] == ["pesan 0", "pesan 1"]
        again = await bot.get_updates(offset=first[0].update_id + 1, limit=1)
        assert again[0].message.text == "pesan 1"
        last = await bot.get_updates(offset=-1)
        assert [u.message.text for u in last] == ["pesan 4"]
        assert len(await bot.get_updates()) == 1

    async def test_allowed_updates_stay_until_changed(self, telegram: TelegramServer, bot: Bot):
        await bot.get_updates(allowed_updates=["callback_query"])
        telegram.phones.send(f"tg:{SARI.id}", "tidak diminta")
        sent = await bot.send_message(SARI.id, "x", reply_markup=keys(("Ack", "a:1")))
        telegram.phones.press(f"tg:{SARI.id}", sent.message_id, "a:1")
        updates = await bot.get_updates()
        assert [u.event_type for u in updates] == ["callback_query"]


async def _until_polling(server: TelegramServer) -> None:
    bot = server.world.bots[TOKEN]
    await asyncio.wait_for(server.updates_of(bot).polling.wait(), 5)


class TestMessages:
    async def test_a_photo_with_caption_arrives_and_can_be_fetched(self, telegram: TelegramServer, bot: Bot):
        picture = png()
        sent = await bot.send_photo(SARI.id, BufferedInputFile(picture, "g.png"), caption="<b>core-1</b> RTT")
        assert (sent.photo[-1].width, sent.photo[-1].height) == (320, 200)
        bubble = await shown(telegram, f"tg:{SARI.id}", "core-1 RTT")
        assert telegram.world.files[bubble.photo][1] == picture
        file = await bot.get_file(sent.photo[-1].file_id)
        content = await bot.download_file(file.file_path)
        assert content.read() == picture
        again = await bot.send_photo(SARI.id, sent.photo[-1].file_id)
        assert again.photo[-1].file_id == sent.photo[-1].file_id

    @pytest.mark.parametrize(
        ("picture", "words"),
        [
            pytest.param(b"not a picture", "IMAGE_PROCESS_FAILED", id="no picture"),
            pytest.param(png(4200, 200), "PHOTO_INVALID_DIMENSIONS", id="too long for its height"),
        ],
    )
    async def test_bad_photos_are_refused(self, bot: Bot, picture: bytes, words: str):
        with pytest.raises(TelegramBadRequest, match=words):
            await bot.send_photo(SARI.id, BufferedInputFile(picture, "g.png"))

    async def test_an_edit_without_change_says_so(self, bot: Bot):
        sent = await bot.send_message(SARI.id, "<b>DOWN</b>", reply_markup=keys(("Ack", "a:1")))
        with pytest.raises(TelegramBadRequest, match="message is not modified: specified new message"):
            await sent.edit_text("<b>DOWN</b>", reply_markup=keys(("Ack", "a:1")))
        await sent.edit_text("<b>DOWN</b>")
        with pytest.raises(TelegramBadRequest, match="message is not modified"):
            await sent.edit_reply_markup()

    async def test_what_is_gone_cannot_be_edited_deleted_or_answered(self, bot: Bot):
        sent = await bot.send_message(SARI.id, "sebentar")
        await sent.delete()
        with pytest.raises(TelegramBadRequest, match="message to delete not found"):
            await sent.delete()
        with pytest.raises(TelegramBadRequest, match="message to edit not found"):
            await sent.edit_text("lagi")
        with pytest.raises(TelegramBadRequest, match="message to be replied not found"):
            await bot.send_message(SARI.id, "UP", reply_to_message_id=sent.message_id)
        lenient = ReplyParameters(message_id=sent.message_id, allow_sending_without_reply=True)
        assert (await bot.send_message(SARI.id, "UP", reply_parameters=lenient)).reply_to_message is None

    async def test_a_press_can_be_answered_once(self, telegram: TelegramServer, bot: Bot):
        sent = await bot.send_message(SARI.id, "x", reply_markup=keys(("Ack", "a:1")))
        query = telegram.phones.press(f"tg:{SARI.id}", sent.message_id, "a:1")
        assert await bot.answer_callback_query(query, "ok")
        with pytest.raises(TelegramBadRequest, match="query is too old and response timeout expired"):
            await bot.answer_callback_query(query)

    async def test_topics_are_made_written_to_and_checked(self, telegram: TelegramServer, bot: Bot):
        topic = await bot.create_forum_topic(FORUM, "Ticket K7Q2")
        sent = await bot.send_message(FORUM, "halo", message_thread_id=topic.message_thread_id)
        assert sent.message_thread_id == topic.message_thread_id
        assert (await shown(telegram, f"tg:{FORUM}", "halo")).topic == "Ticket K7Q2"
        with pytest.raises(TelegramBadRequest, match="message thread not found"):
            await bot.send_message(FORUM, "halo", message_thread_id=424242)
        with pytest.raises(TelegramBadRequest, match="the chat is not a forum"):
            await bot.create_forum_topic(GROUP, "Ticket")
        await bot.close_forum_topic(FORUM, topic.message_thread_id)
        with pytest.raises(TelegramBadRequest, match="TOPIC_CLOSED"):
            await bot.send_message(FORUM, "halo", message_thread_id=topic.message_thread_id)

    async def test_commands_and_chat_are_readable(self, bot: Bot):
        await bot.set_my_commands([BotCommand(command="ping", description="Ping sebuah host")], language_code="id")
        assert [c.command for c in await bot.get_my_commands(language_code="id")] == ["ping"]
        assert await bot.get_my_commands() == []
        with pytest.raises(TelegramBadRequest, match="BOT_COMMAND_INVALID"):
            await bot.set_my_commands([BotCommand(command="Ping!", description="x")])
        assert (await bot.get_chat(GROUP)).title == "NOC Waru"
        assert (await bot.get_me()).can_read_all_group_messages is False


class TestRefusals:
    async def test_who_never_pressed_start_cannot_be_written_to(self, telegram: TelegramServer, bot: Bot):
        with pytest.raises(TelegramForbiddenError, match="bot can't initiate conversation with a user"):
            await bot.send_message(BUDI.id, "halo")
        telegram.phones.start(f"tg:{BUDI.id}", "invite-1")
        await bot.send_message(BUDI.id, "selamat datang")

    async def test_unknown_chats_tokens_and_methods(self, telegram: TelegramServer, bot: Bot):
        with pytest.raises(TelegramBadRequest, match="chat not found"):
            await bot.send_message(-99, "halo")
        stranger = make_bot(telegram, "7000000009:AAnobody")
        try:
            with pytest.raises(TelegramUnauthorizedError):
                await stranger.get_me()
        finally:
            await stranger.session.close()
        with pytest.raises(TelegramNotFound, match="method not found"):
            await bot.send_dice(SARI.id)

    async def test_a_group_that_grew_names_its_new_id(self, telegram: TelegramServer, bot: Bot):
        telegram.phones.migrate(f"tg:{GROUP}")
        with pytest.raises(TelegramMigrateToChat) as caught:
            await bot.send_message(GROUP, "DOWN")
        new_id = caught.value.migrate_to_chat_id
        assert str(new_id).startswith("-100")
        await bot.send_message(new_id, "DOWN")
        services = [u.message for u in await bot.get_updates()]
        assert services[0].migrate_to_chat_id == new_id
        assert services[1].migrate_from_chat_id == GROUP

    async def test_a_kicked_bot_is_told_so(self, telegram: TelegramServer, bot: Bot):
        telegram.phones.block(f"tg:{GROUP}")
        with pytest.raises(TelegramForbiddenError, match="bot was kicked from the group chat"):
            await bot.send_message(GROUP, "DOWN")

    async def test_a_group_takes_twenty_a_minute_and_then_asks_to_wait(self, telegram: TelegramServer, bot: Bot):
        telegram.limits.enabled = True
        telegram.limits.chat_burst = 100
        for number in range(20):
            await bot.send_message(GROUP, f"alarm {number}")
        with pytest.raises(TelegramRetryAfter) as caught:
            await bot.send_message(GROUP, "alarm 20")
        assert 50 <= caught.value.retry_after <= 60
        await bot.send_message(SARI.id, "other chats keep flowing")

    async def test_faults_come_as_ordered_and_then_pass(self, telegram: TelegramServer, bot: Bot):
        telegram.faults.order(Fault("retry_after", seconds=7, method="sendMessage", chat=str(SARI.id)))
        with pytest.raises(TelegramRetryAfter) as caught:
            await bot.send_message(SARI.id, "x")
        assert caught.value.retry_after == 7
        telegram.faults.order(Fault("bad_gateway"))
        with pytest.raises(ClientDecodeError):
            await bot.send_message(SARI.id, "x")
        telegram.faults.order(Fault("server_error"))
        with pytest.raises(RestartingTelegram):
            await bot.send_message(SARI.id, "x")
        telegram.faults.order(Fault("cut"))
        with pytest.raises(TelegramNetworkError):
            await bot.send_message(SARI.id, "x")
        telegram.faults.order(Fault("hang", seconds=30))
        with pytest.raises(TelegramNetworkError):
            await bot.send_message(SARI.id, "x", request_timeout=1)
        await bot.send_message(SARI.id, "akhirnya")
        texts = [b.text for b in telegram.threads.get(f"tg:{SARI.id}").bubbles.values()]
        assert texts == ["akhirnya"]
