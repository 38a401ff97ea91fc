"""A session against raw sentences: order, loss, lateness, noise."""

from __future__ import annotations

import asyncio

import pytest

from shared.errors import Busy, DeadlineExceeded, NotAllowed, Rejected, Unreachable
from shared.routeros import ChannelLimits, FeatureMissing, RouterSession, RowChanged, RowGone, equals
from tests.integration.routeros.scripted_peer import Line, meet, peer, sentence

QUICK = ChannelLimits(keepalive=30.0, probe_timeout=0.2, cancel_grace=0.2)


async def test_replies_in_any_order_reach_their_commands():
    async def script(line: Line) -> None:
        await line.introduce()
        tags = {}
        for _ in range(3):
            command, tag, _ = await line.command()
            tags[command] = tag
        line.row(tags["/c/print"], "=name=c1")
        line.row(tags["/a/print"], "=name=a1")
        line.send("!re", "=name=b1", f".tag={tags['/b/print']}")  # the manual's place for the tag
        line.row(tags["/c/print"], "=name=c2")
        for command in ("/c/print", "/b/print", "/a/print"):
            line.done(tags[command])
        await line.until_closed()

    async with meet(script) as session:
        answers = await asyncio.gather(*(session.print_rows(path) for path in ("/a", "/b", "/c")))
    assert answers == [[{"name": "a1"}], [{"name": "b1"}], [{"name": "c1"}, {"name": "c2"}]]


async def test_connect_reads_facts_and_dialect():
    async def script(line: Line) -> None:
        tag, attributes = await line.expect("/login")
        assert attributes == {"name": "ronda", "password": "rahasia"}
        line.done(tag)
        await line.tell_facts("6.49.18 (long-term)")
        await line.until_closed()

    async with meet(script) as session:
        assert session.facts.identity == "Menara-1"
        assert str(session.facts.version) == "6.49.18"
        assert session.facts.board == "CCR2004"
        assert session.facts.uptime.days == 9
        assert session.dialect.user_manager.root == "/tool/user-manager"


async def test_values_stay_text_and_every_byte_survives():
    written: list[bytes] = []

    async def script(line: Line) -> None:
        await line.introduce()
        _, tag, _ = await line.command()
        line.row(tag, "=password=123", "=comment=no", "=on-up=a=b\r\nc=d", b"=name=caf\xe9 \xc3\xa9 \x00", "=x=")
        line.done(tag)
        written.extend(await line.read())
        line.done(written[1].removeprefix(b".tag=").decode())
        await line.until_closed()

    async with meet(script) as session:
        row = (await session.print_rows("/ppp/secret"))[0]
        assert (row["password"], row["comment"], row["on-up"], row["x"]) == ("123", "no", "a=b\r\nc=d", "")
        await session.set_("/ppp/secret", "*1", {"name": row["name"]})
    assert b"=name=caf\xe9 \xc3\xa9 \x00" in written


async def test_empty_sentence_and_bare_done_are_both_no_rows():
    async def script(line: Line) -> None:
        await line.introduce()
        _, tag, _ = await line.command()
        line.send("!empty", f".tag={tag}")
        line.done(tag)
        _, tag, _ = await line.command()
        line.done(tag)
        _, tag, attributes = await line.command()
        assert attributes == {"count-only": ""}
        line.done(tag, "=ret=0")
        await line.until_closed()

    async with meet(script) as session:
        assert await session.print_rows("/ppp/active") == []
        assert await session.print_rows("/ppp/active") == []
        assert await session.count("/ppp/active") == 0


async def test_two_traps_become_one_refusal_and_the_next_command_is_right():
    async def script(line: Line) -> None:
        await line.introduce()
        _, tag, _ = await line.command()
        line.trap(tag, "no such command or directory (wifi)", "=category=0")
        line.trap(tag, "no such command prefix")
        line.done(tag)
        tag, _ = await line.expect("/ppp/secret/add")
        line.done(tag, "=ret=*1A")
        await line.until_closed()

    async with meet(script) as session:
        with pytest.raises(FeatureMissing) as refused:
            await session.print_rows("/interface/wifi")
        assert refused.value.words == "no such command or directory (wifi), no such command prefix"
        assert await session.add("/ppp/secret", {"name": "budi"}) == "*1A"


async def test_query_words_follow_the_proplist_in_order():
    async def script(line: Line) -> None:
        await line.introduce()
        words = await line.read()
        assert words[2:] == [b"=.proplist=.id,name", b"?=name=budi", b"?=disabled=true", b"?#!", b"?#&"]
        line.done(words[1].removeprefix(b".tag=").decode())
        await line.until_closed()

    async with meet(script) as session:
        query = equals("name", "budi") & ~equals("disabled", "true")
        assert await session.print_rows("/ppp/secret", (".id", "name"), query) == []


async def test_deadline_cancels_at_the_router_and_late_rows_are_dropped():
    async def script(line: Line) -> None:
        await line.introduce()
        slow, _ = await line.expect("/slow/print")
        line.row(slow, "=name=early")
        cancel, attributes = await line.expect("/cancel")
        assert attributes == {"tag": slow}
        await line.expect("/system/identity/print")
        fast, _ = await line.expect("/fast/print")
        line.row(slow, "=name=late")
        line.trap(slow, "interrupted", "=category=2")
        line.row(fast, "=name=fast")
        line.done(cancel)
        line.done(fast)
        line.done(slow)
        after, _ = await line.expect("/after/print")
        line.row(after, "=name=after")
        line.done(after)
        await line.until_closed()

    async with meet(script) as session:
        with pytest.raises(DeadlineExceeded, match="/slow/print"):
            await session.print_rows("/slow", deadline=0.05)
        assert await session.print_rows("/fast") == [{"name": "fast"}]
        assert await session.print_rows("/after") == [{"name": "after"}]


async def test_a_cancelled_caller_cancels_at_the_router():
    cancelled = asyncio.Event()

    async def script(line: Line) -> None:
        await line.introduce()
        slow, _ = await line.expect("/slow/print")
        _, attributes = await line.expect("/cancel")
        assert attributes == {"tag": slow}
        cancelled.set()
        await line.until_closed()

    async with meet(script) as session:
        task = asyncio.create_task(session.print_rows("/slow"))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(cancelled.wait(), 5)
        assert session.is_open


async def test_a_stuck_connection_is_closed_after_the_probe_stays_unanswered():
    async def script(line: Line) -> None:
        await line.introduce()
        await line.until_closed()

    async with meet(script, QUICK) as session:
        other = asyncio.create_task(session.print_rows("/other", deadline=30))
        with pytest.raises(DeadlineExceeded):
            await session.print_rows("/slow", deadline=0.05)
        with pytest.raises(Unreachable, match="stopped answering"):
            await asyncio.wait_for(other, 5)
        with pytest.raises(Unreachable, match="stopped answering"):
            await session.print_rows("/again")


async def test_silence_alone_is_probed_and_a_living_router_stays():
    probes = 0
    enough = asyncio.Event()

    async def script(line: Line) -> None:
        nonlocal probes
        await line.introduce()
        await line.expect("/ppp/active/listen")
        while not enough.is_set():
            tag, _ = await line.expect("/system/identity/print")
            line.row(tag, "=name=Menara-1")
            line.done(tag)
            probes += 1
            if probes == 3:
                enough.set()
        await line.until_closed()

    limits = ChannelLimits(keepalive=0.02, probe_timeout=5.0)
    async with meet(script, limits) as session, session.listen("/ppp/active"):
        await asyncio.wait_for(enough.wait(), 5)
        assert session.is_open


async def test_silent_death_ends_a_listen():
    async def script(line: Line) -> None:
        await line.introduce()
        await line.expect_listen("/ppp/active")
        await line.until_closed()

    limits = ChannelLimits(keepalive=0.02, probe_timeout=0.1)
    async with meet(script, limits) as session, session.listen("/ppp/active") as changes:
        with pytest.raises(Unreachable, match="stopped answering"):
            await asyncio.wait_for(anext(changes), 5)


async def test_commands_above_the_limit_wait_their_turn():
    most = 0

    async def script(line: Line) -> None:
        nonlocal most
        await line.introduce()
        tags: list[str] = []
        answered = 0
        while answered < 10:
            tag, _ = await line.expect("/ppp/secret/add")
            tags.append(tag)
            most = max(most, len(tags))
            if len(tags) == 3 or answered + len(tags) == 10:
                line.done(tags.pop(0))
                answered += 1
                while answered + len(tags) == 10 and tags:
                    line.done(tags.pop(0))
                    answered += 1
        await line.until_closed()

    limits = ChannelLimits(commands=3)
    async with meet(script, limits) as session:
        await asyncio.wait_for(asyncio.gather(*(session.add("/ppp/secret", {"name": str(n)}) for n in range(10))), 5)
    assert most == 3


async def test_a_command_whose_turn_never_came_was_never_sent():
    seen: list[str] = []

    async def script(line: Line) -> None:
        await line.introduce()
        while True:
            command, tag, _ = await line.command()
            seen.append(command)
            if command == "/cancel":
                line.done(tag)

    limits = ChannelLimits(commands=1, cancel_grace=30.0, probe_timeout=30.0)
    async with meet(script, limits) as session:
        first = asyncio.create_task(session.run("/first/run", deadline=0.2))
        await asyncio.sleep(0)
        with pytest.raises(DeadlineExceeded, match="turn did not come"):
            await session.run("/second/run", deadline=0.05)
        with pytest.raises(DeadlineExceeded, match="no answer"):
            await first
    assert "/second/run" not in seen


async def test_a_cancelled_command_the_router_never_ends_frees_its_turn_after_a_grace():
    async def script(line: Line) -> None:
        await line.introduce()
        late, _ = await line.expect("/first/run")
        while True:
            command, tag, _ = await line.command()
            if command == "/second/run":
                line.row(late, "=name=late")
                line.done(late)
            line.done(tag, f"=ret={command}")

    limits = ChannelLimits(commands=1, cancel_grace=0.1)
    async with meet(script, limits) as session:
        with pytest.raises(DeadlineExceeded):
            await session.run("/first/run", deadline=0.05)
        assert (await session.run("/second/run", deadline=5)).ret == "/second/run"
        assert (await session.run("/third/run", deadline=5)).ret == "/third/run"


async def test_listen_tells_changes_and_both_spellings_of_gone():
    async def script(line: Line) -> None:
        await line.introduce()
        tag, attributes = await line.expect_listen("/ppp/active")
        assert attributes == {".proplist": ".id,.dead,name"}
        line.row(tag, "=.id=*1", "=name=budi")
        line.row(tag, "=.id=*1", "=.dead=true")
        line.row(tag, "=.id=*2", "=.dead=yes", "=name=sari")
        _, attributes = await line.expect("/cancel")
        assert attributes == {"tag": tag}
        await line.until_closed()

    async with meet(script) as session:
        async with session.listen("/ppp/active", (".id", "name")) as changes:
            seen = [await asyncio.wait_for(anext(changes), 5) for _ in range(3)]
        assert seen == [
            RowChanged({".id": "*1", "name": "budi"}),
            RowGone("*1"),
            RowGone("*2", {"name": "sari"}),
        ]


async def test_listen_on_a_missing_menu_says_so():
    async def script(line: Line) -> None:
        await line.introduce()
        tag, _ = await line.expect("/ip/hotspot/active/listen")
        line.trap(tag, "no such command prefix")
        line.done(tag)
        await line.until_closed()

    async with meet(script) as session:
        with pytest.raises(FeatureMissing):
            async with session.listen("/ip/hotspot/active"):
                pytest.fail("there is nothing to listen to")
        assert session.is_open


async def test_a_reader_too_slow_for_a_listen_is_told():
    async def script(line: Line) -> None:
        await line.introduce()
        tag, _ = await line.expect_listen("/log")
        after, _ = await line.expect("/system/identity/print")
        for number in range(4):
            line.row(tag, f"=.id=*{number}")
        line.done(after)
        await line.until_closed()

    limits = ChannelLimits(feed_backlog=3)
    async with meet(script, limits) as session, session.listen("/log") as changes:
        await session.run("/system/identity/print")
        assert [(await anext(changes)).id for _ in range(3)] == ["*0", "*1", "*2"]
        with pytest.raises(Busy):
            await anext(changes)


async def test_more_feeds_than_a_connection_carries_are_refused():
    async def script(line: Line) -> None:
        await line.introduce()
        await line.expect_listen("/log")
        await line.until_closed()

    limits = ChannelLimits(feeds=1)
    async with meet(script, limits) as session, session.listen("/log"):
        with pytest.raises(Busy):
            async with session.listen("/ppp/active"):
                pass


async def test_stream_stops_after_the_asked_rows_and_cancels():
    cancelled = asyncio.Event()

    async def script(line: Line) -> None:
        await line.introduce()
        tag, attributes = await line.expect("/ping")
        assert attributes == {"address": "10.0.0.1"}
        for number in range(5):
            line.row(tag, f"=seq={number}")
        await line.expect("/cancel")
        cancelled.set()
        await line.until_closed()

    async with meet(script) as session:
        async with session.stream("/ping", {"address": "10.0.0.1"}, most=3) as rows:
            assert [row["seq"] async for row in rows] == ["0", "1", "2"]
        await asyncio.wait_for(cancelled.wait(), 5)


async def test_stream_ends_with_the_command():
    async def script(line: Line) -> None:
        await line.introduce()
        tag, _ = await line.expect("/ping")
        line.row(tag, "=seq=0")
        line.done(tag)
        line.trap((await line.expect("/after/run"))[0], "action failed (6)")
        await line.until_closed()

    async with meet(script) as session, session.stream("/ping", {"address": "10.0.0.1", "count": "1"}) as rows:
        assert [row async for row in rows] == [{"seq": "0"}]


@pytest.mark.parametrize(
    ("ending", "words"),
    [
        (sentence("!fatal", "session terminated on request"), "session terminated on request"),
        (b"", "closed the connection$"),
        (sentence("!re", ".tag=4", "=name=half")[:-6], "in the middle of a sentence"),
        (b"\xf0\xff\xff\xff\xff", "does not speak"),
        (sentence("HTTP/1.1 400 Bad Request"), "does not speak"),
        (b"\xef\xff\xff\xff", "does not speak"),
    ],
    ids=["fatal", "end", "end mid-word", "reserved length", "another protocol", "absurd length"],
)
async def test_an_end_of_any_kind_fails_everybody_who_waits(ending: bytes, words: str):
    async def script(line: Line) -> None:
        await line.introduce()
        await line.expect_listen("/ppp/active")
        await line.command()
        line.writer.write(ending)

    async with meet(script) as session:
        async with session.listen("/ppp/active") as changes:
            waiting = asyncio.create_task(session.print_rows("/ppp/secret"))
            with pytest.raises(Unreachable, match=words):
                await asyncio.wait_for(waiting, 5)
            with pytest.raises(Unreachable, match=words):
                await asyncio.wait_for(anext(changes), 5)
        assert not session.is_open
        assert isinstance(await session.wait_ended(), Unreachable)
        with pytest.raises(Unreachable, match=words):
            await session.print_rows("/ppp/secret")


async def test_sentences_in_any_pieces_are_one_reply():
    async def script(line: Line) -> None:
        await line.introduce()
        tag, _ = await line.expect("/system/script/print")
        source = "x" * 20000
        reply = sentence("!re", f".tag={tag}", f"=source={source}") + sentence("!done", f".tag={tag}")
        for start in range(0, len(reply), 997):
            line.writer.write(reply[start : start + 997])
            await line.writer.drain()
            await asyncio.sleep(0)
        await line.until_closed()

    async with meet(script) as session:
        rows = await session.print_rows("/system/script")
    assert rows == [{"source": "x" * 20000}]


async def test_closing_fails_what_runs():
    async def script(line: Line) -> None:
        await line.introduce()
        await line.until_closed()

    async with peer(script) as router:
        session = await RouterSession.connect(router.address())
        waiting = asyncio.create_task(session.print_rows("/ppp/secret"))
        await asyncio.sleep(0)
        await session.close()
        await session.close()
        with pytest.raises(Unreachable, match="was closed"):
            await waiting


async def test_refusals_never_repeat_arguments():
    async def script(line: Line) -> None:
        await line.introduce()
        tag, _ = await line.expect("/ppp/secret/add")
        line.trap(tag, "failure: something")
        line.done(tag)
        await line.until_closed()

    async with meet(script) as session:
        with pytest.raises(Rejected) as refused:
            await session.add("/ppp/secret", {"name": "budi", "password": "sangat-rahasia"})
    assert "sangat-rahasia" not in str(refused.value)
    assert not isinstance(refused.value, NotAllowed)


@pytest.mark.parametrize(
    ("version", "attributes"), [("7.20.8", {}), ("7.24.1", {"show-sensitive": ""}), ("6.49.18", {})]
)
async def test_secrets_are_asked_for_where_they_are_hidden(version: str, attributes: dict[str, str]):
    async def script(line: Line) -> None:
        await line.introduce(version)
        for expected in (attributes, {}):
            tag, seen = await line.expect("/ppp/secret/print")
            assert seen == expected
            line.done(tag)
        await line.until_closed()

    async with meet(script) as session:
        await session.print_rows("/ppp/secret", secrets=True)
        await session.print_rows("/ppp/secret")


async def test_a_caller_cancelled_while_waiting_for_a_turn_sends_nothing():
    seen: list[str] = []

    async def script(line: Line) -> None:
        await line.introduce()
        while True:
            command, tag, _ = await line.command()
            seen.append(command)
            if command != "/first/run":
                line.done(tag)

    async with meet(script, ChannelLimits(commands=1, cancel_grace=0.05)) as session:
        first = asyncio.create_task(session.run("/first/run"))
        second = asyncio.create_task(session.run("/second/run"))
        await asyncio.sleep(0)
        second.cancel()
        first.cancel()
        await asyncio.gather(first, second, return_exceptions=True)
        await session.run("/third/run", deadline=5)
    assert "/second/run" not in seen
    assert seen[-1] == "/third/run"
