"""The API's conversation, sentence by sentence, over real sockets."""

from __future__ import annotations

import asyncio

import pytest

from lab.routers import SteppedClock

pytestmark = pytest.mark.timeout(60)
EMPTY_MENU = "/ip/firewall/address-list/print"


async def test_command_before_login_is_fatal(start_router, talk_to):
    talk = await talk_to(await start_router(), login=False)
    assert await talk.ask("/system/identity/print") == [["!fatal", "not logged in"]]
    assert await talk.reader.read() == b""


async def test_quit_says_why_and_closes(start_router, talk_to):
    talk = await talk_to(await start_router())
    assert await talk.ask("/quit") == [["!fatal", "session terminated on request"]]
    assert await talk.reader.read() == b""


async def test_wrong_login_leaves_the_socket_open(start_router, talk_to):
    talk = await talk_to(await start_router(), login=False)
    for user in ("admin", "tidak-ada"):
        assert await talk.ask("/login", f"=name={user}", "=password=x") == [
            ["!trap", "=message=invalid user name or password (6)"],
            ["!done"],
        ]
    await talk.login()


async def test_old_router_refuses_with_its_own_text(start_router, talk_to):
    talk = await talk_to(await start_router("6.42.12"), login=False)
    (answer,) = await talk.ask("/login", "=name=admin", "=password=rahasia")
    assert answer[0] == "!done"
    assert len(answer[1]) == len("=ret=") + 32
    assert (await talk.ask("/login", "=name=admin", "=response=00" + "0" * 32))[0] == [
        "!trap",
        "=message=cannot log in",
    ]


async def test_empty_sentences_are_ignored(start_router, talk_to):
    talk = await talk_to(await start_router())
    talk.writer.write(b"\0\0\0")
    assert await talk.ask("/system/identity/print") == [["!re", "=name=gw-0"], ["!done"]]


@pytest.mark.parametrize(
    ("version", "answer"),
    [("6.49.18", [["!done"]]), ("7.16.2", [["!done"]]), ("7.18.2", [["!empty"], ["!done"]])],
)
async def test_empty_print_by_version(start_router, talk_to, version, answer):
    talk = await talk_to(await start_router(version))
    assert await talk.ask(EMPTY_MENU) == answer
    assert await talk.ask("/ppp/secret/print", "?name=tidak-ada") == answer


async def test_empty_carries_the_tag_and_edits_do_not_say_it(start_router, talk_to):
    talk = await talk_to(await start_router("7.20.7"))
    assert await talk.ask(EMPTY_MENU, ".tag=5") == [["!empty", ".tag=5"], ["!done", ".tag=5"]]
    assert await talk.ask("/ppp/secret/set", "=.id=budi", "=comment=x") == [["!done"]]
    assert await talk.ask("/ppp/secret/remove", "=numbers=budi") == [["!done"]]


@pytest.mark.parametrize(
    ("words", "traps"),
    [
        (
            ("/wifi/print",),
            [["=category=0", "=message=no such command or directory (wifi)"], ["=message=no such command prefix"]],
        ),
        (
            ("/interface/wifi/registration-table/print",),
            [["=category=0", "=message=no such command or directory (wifi)"], ["=message=no such command prefix"]],
        ),
        (("/ppp/active/add",), [["=category=0", "=message=no such command"]]),
        (("/ppp/profile/disable", "=.id=*0"), [["=category=0", "=message=no such command"]]),
        (("/ppp/secret/add", "=name=a", "=umur=3"), [["=message=unknown parameter umur"]]),
        (("/ppp/secret/set", "=.id=*1", "=last-logged-out=x"), [["=message=unknown parameter last-logged-out"]]),
        (("/system/identity/print", "=detail="), [["=message=unknown parameter detail"]]),
        (("/system/identity/listen",), [["=message=unknown parameter follow-only"]]),
        (("/ppp/active/print", "=stats="), [["=message=unknown parameter stats"]]),
        (("/ppp/secret/set", "=.id=*99", "=comment=x"), [["=category=0", "=message=no such item"]]),
        (
            ("/ppp/secret/add", "=name=a", "=profile=zz"),
            [["=message=input does not match any value of profile"]],
        ),
        (
            ("/ppp/secret/add", "=name=a", "=profile=default-"),
            None,
        ),
        (
            ("/ppp/secret/add", "=name=a", "=profile=d"),
            [["=message=ambiguous value of profile, more than one possible value matches input"]],
        ),
        (
            ("/ip/address/add", "=address=10.0.0.1/24", "=interface=ether9"),
            [["=category=1", "=message=input does not match any value of interface"]],
        ),
        (
            ("/ping", "=address=10.0.0.1", "=interface="),
            [["=message=ambiguous value of interface, more than one possible value matches input"]],
        ),
        (
            ("/ip/address/add", "=address=tujuh", "=interface=ether1"),
            [["=category=1", "=message=invalid value for argument address"]],
        ),
        (("/ppp/secret/add", "=name=budi"), [["=message=failure: secret with the same name already exists"]]),
        (("/ip/hotspot/user/add", "=name="), [["=message=failure: user name is required"]]),
        (
            ("/ip/hotspot/user/add", "=name=vc1"),
            [["=message=failure: already have user with this name for this server"]],
        ),
        (
            ("/ip/address/add", "=address=192.168.88.1/24", "=interface=ether1"),
            [["=message=failure: already have such address"]],
        ),
        (
            ("/user/add", "=name=admin", "=group=full", "=password=x"),
            [["=message=failure: user with the same name already exists"]],
        ),
        (("/ppp/profile/add", "=name=10M"), [["=message=item with such name already exists"]]),
        (("/ppp/profile/add", "=name=i", "=shared-users=1"), [["=message=unknown parameter shared-users"]]),
    ],
    ids=lambda value: value[0] + str(len(value)) if isinstance(value, tuple) else None,
)
async def test_refusals(start_router, talk_to, words, traps):
    talk = await talk_to(await start_router("7.16.2"))
    answer = await talk.ask(*words)
    if traps is None:
        assert answer[-1][1].startswith("=ret=*")
    else:
        assert answer == [*(["!trap", *trap] for trap in traps), ["!done"]]


async def test_missing_package_is_a_missing_path(start_router, talk_to):
    talk = await talk_to(await start_router("6.49.18", packages=frozenset({"ppp", "hotspot", "dhcp"})))
    assert (await talk.ask("/tool/user-manager/user/print"))[0][-1].endswith("(user-manager)")
    assert (await talk.ask("/user-manager/user/print"))[0][-1].endswith("(user-manager)")


async def test_both_user_managers_live_on_their_own_line(start_router, talk_to):
    old, new = await start_router("6.49.18"), await start_router("7.16.2")
    talk = await talk_to(old)
    assert (await talk.ask("/tool/user-manager/user/print"))[-1] == ["!done"]
    talk = await talk_to(new)
    assert (await talk.ask("/user-manager/user/print"))[-1] == ["!done"]
    assert len(await talk.ask("/tool/user-manager/user/print")) == 3


async def test_proplist_chooses_and_orders(start_router, talk_to):
    talk = await talk_to(await start_router())
    answer = await talk.ask("/ppp/secret/print", "=.proplist=service,name,umur", "?name=budi")
    assert answer == [["!re", "=service=pppoe", "=name=budi"], ["!done"]]
    bare = await talk.ask("/ppp/secret/print", "=.proplist=comment")
    assert bare == [["!re"], ["!re"], ["!done"]]


async def test_count_get_find_and_getall(start_router, talk_to):
    talk = await talk_to(await start_router())
    assert await talk.ask("/ppp/secret/print", "=count-only=") == [["!done", "=ret=2"]]
    assert await talk.ask("/ppp/secret/print", "=count-only", "?name=budi") == [["!done", "=ret=1"]]
    assert await talk.ask("/ppp/secret/get", "=.id=budi", "=value-name=name") == [["!done", "=ret=budi"]]
    assert await talk.ask("/system/identity/get", "=value-name=name") == [["!done", "=ret=gw-0"]]
    assert await talk.ask("/ppp/secret/find", "?name=sari") == [["!done", "=ret=*2"]]
    assert len(await talk.ask("/ppp/secret/getall")) == 3


async def test_items_are_named_by_id_list_or_name(start_router, talk_to):
    router = await start_router()
    talk = await talk_to(router)
    await talk.ask("/ppp/secret/disable", "=numbers=*1,sari")
    assert [row["disabled"] for row in router.menu("/ppp/secret").rows()] == ["true", "true"]
    await talk.ask("/ppp/secret/enable", "=.id=budi")
    await talk.ask("/ppp/secret/comment", "=.id=*2", "=comment=a=b c")
    rows = router.menu("/ppp/secret").rows()
    assert (rows[0]["disabled"], rows[1]["comment"]) == ("false", "a=b c")
    await talk.ask("/ppp/secret/set", "=.id=*2", "=comment=")
    assert "comment" not in router.menu("/ppp/secret").rows()[1]


async def test_optional_values_are_taken_away_in_both_ways(start_router, talk_to):
    router = await start_router()
    talk = await talk_to(router)
    secrets = router.menu("/ppp/secret")
    for clear in (("/ppp/secret/unset", "=value-name=remote-address"), ("/ppp/secret/set", "=!remote-address=")):
        secrets.set("budi", remote_address="10.20.0.99")
        assert await talk.ask(clear[0], "=.id=budi", clear[1]) == [["!done"]]
        assert "remote-address" not in secrets.row(name="budi")


async def test_reference_follows_its_target_and_dangles_as_id(start_router, talk_to):
    router = await start_router()
    talk = await talk_to(router)
    await talk.ask("/ppp/profile/add", "=name=isolir")
    await talk.ask("/ppp/secret/set", "=.id=budi", "=profile=isolir")
    profile_id = router.menu("/ppp/profile").named("isolir").id
    await talk.ask("/ppp/profile/set", "=.id=isolir", "=name=tahan")
    assert router.menu("/ppp/secret").row(name="budi")["profile"] == "tahan"
    await talk.ask("/ppp/profile/remove", "=.id=tahan")
    assert router.menu("/ppp/secret").row(name="budi")["profile"] == profile_id


async def test_ordered_lists_move(start_router, talk_to):
    router = await start_router()
    talk = await talk_to(router)
    ids = [router.menu("/queue/simple").add(name=name, target="10.0.0.1") for name in "abc"]
    await talk.ask("/queue/simple/move", f"=numbers={ids[2]}", f"=destination={ids[0]}")
    await talk.ask("/queue/simple/add", "=name=d", "=target=10.0.0.2/32", f"=place-before={ids[1]}")
    assert [row["name"] for row in router.menu("/queue/simple").rows()] == ["c", "a", "d", "b"]


async def test_replies_of_running_commands_interleave(start_router, talk_to):
    router = await start_router()
    talk = await talk_to(router)
    talk.say("/ppp/secret/listen", ".tag=L")
    answer = await talk.ask("/ppp/secret/set", "=.id=budi", "=comment=x", ".tag=S")
    heard = [*answer, await talk.hear()] if len(answer) == 1 else answer
    assert ["!done", ".tag=S"] in heard
    (change,) = [sentence for sentence in heard if sentence[0] == "!re"]
    assert change[1] == ".tag=L"
    assert "=comment=x" in change


@pytest.mark.parametrize(("version", "dead"), [("6.49.18", "yes"), ("7.16.2", "true")])
async def test_listen_tells_of_new_changed_and_dead_rows(start_router, talk_to, version, dead):
    router = await start_router(version)
    talk = await talk_to(router)
    talk.say("/ppp/secret/listen", "=.proplist=.id,name", ".tag=1")
    await talk.ask("/system/identity/print", ".tag=2")
    row_id = router.menu("/ppp/secret").add(name="tono")
    assert await talk.hear() == ["!re", ".tag=1", f"=.id={row_id}", "=name=tono"]
    router.menu("/ppp/secret").remove(row_id)
    assert await talk.hear() == ["!re", ".tag=1", f"=.id={row_id}", f"=.dead={dead}"]


async def test_follow_prints_first_then_follows(start_router, talk_to):
    router = await start_router()
    talk = await talk_to(router)
    talk.say("/ppp/secret/print", "=follow=", "=.proplist=name")
    assert [await talk.hear(), await talk.hear()] == [["!re", "=name=budi"], ["!re", "=name=sari"]]
    router.menu("/ppp/secret").add(name="tono")
    assert await talk.hear() == ["!re", "=name=tono"]


async def test_cancel_with_a_tag_answers_in_the_known_order(start_router, talk_to):
    talk = await talk_to(await start_router())
    talk.say("/ppp/secret/listen", ".tag=a")
    talk.say("/ppp/active/listen", ".tag=b")
    await talk.ask("/system/identity/print", ".tag=c")
    talk.say("/cancel", "=tag=a", ".tag=y")
    assert [await talk.hear() for _ in range(3)] == [
        ["!trap", ".tag=a", "=category=2", "=message=interrupted"],
        ["!done", ".tag=y"],
        ["!done", ".tag=a"],
    ]
    talk.say("/cancel", ".tag=z")
    assert [(await talk.hear())[:2] for _ in range(3)] == [
        ["!trap", ".tag=b"],
        ["!done", ".tag=z"],
        ["!done", ".tag=b"],
    ]


async def test_print_repeats_until_cancelled(start_router, talk_to):
    clock = SteppedClock()
    talk = await talk_to(await start_router(clock=clock))
    talk.say("/system/identity/print", "=interval=5", ".tag=i")
    assert (await talk.hear())[0] == "!re"
    await talk.ask("/system/identity/print", ".tag=x")
    clock.advance(5)
    assert await talk.hear() == ["!re", ".tag=i", "=name=gw-0"]
    talk.say("/cancel", "=tag=i")
    assert (await talk.hear())[0] == "!trap"


async def test_rights_follow_the_group(start_router, talk_to):
    router = await start_router()
    router.menu("/user").add(name="pantau", password="p", group="read")
    router.menu("/user/group").add(name="api-tulis", policy="api,read,write,!sensitive")
    router.menu("/user").add(name="robot", password="p", group="api-tulis")
    router.menu("/user/group").add(name="tanpa-api", policy="read,winbox")
    router.menu("/user").add(name="buta", password="p", group="tanpa-api")
    refused = [["!trap", "=message=not enough permissions (9)"], ["!done"]]
    reader = await talk_to(router, user="pantau", password="p")
    assert await reader.ask("/ppp/secret/set", "=.id=budi", "=comment=x") == refused
    assert (await reader.ask("/ppp/secret/print"))[0][0] == "!re"
    robot = await talk_to(router, user="robot", password="p")
    assert await robot.ask("/user/add", "=name=x", "=group=full", "=password=x") == refused
    assert await robot.ask("/system/reboot") == refused
    assert await robot.ask("/ping", "=address=127.0.0.1", "=count=1") == refused
    assert await robot.ask("/ppp/secret/print", "=.proplist=name,password", "?name=budi") == [
        ["!re", "=name=budi"],
        ["!done"],
    ]
    blind = await talk_to(router, login=False)
    assert (await blind.ask("/login", "=name=buta", "=password=p"))[0][0] == "!trap"


async def test_nobody_disables_itself(start_router, talk_to):
    router = await start_router()
    talk = await talk_to(router)
    assert await talk.ask("/user/set", "=.id=admin", "=disabled=yes") == [["!done"]]
    assert await talk.ask("/user/disable", "=.id=admin") == [["!done"]]
    assert router.menu("/user").row(name="admin")["disabled"] == "false"
    assert "password" not in router.menu("/user").row(name="admin")


async def test_sessions_are_rows_and_can_be_ended(start_router, talk_to):
    router = await start_router("7.20.7")
    one, other = await talk_to(router), await talk_to(router)
    rows = router.menu("/user/active").rows()
    assert [(row["name"], row["via"]) for row in rows] == [("admin", "api")] * 2
    assert await other.ask("/user/active/remove", f"=.id={rows[0]['.id']}") == [["!done"]]
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await one.hear()
    answer = await other.ask("/user/active/remove", f"=.id={rows[1]['.id']}")
    assert answer[0] == ["!trap", "=message=action failed (6)"]


@pytest.mark.parametrize("how", ["close", "fatal", "trap"])
async def test_one_session_too_many(start_router, talk_to, how):
    from dataclasses import replace

    router = await start_router("7.20.7")
    router.personality = replace(router.personality, over_sessions=how)
    router.menu("/ip/service").set("api", max_sessions="1")
    await talk_to(router)
    late = await talk_to(router, login=False)
    late.say("/login", "=name=admin", "=password=rahasia")
    if how == "close":
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await late.hear()
    else:
        assert (await late.hear())[0] == f"!{how}"


async def test_any_bytes_survive_in_values(start_router, talk_to):
    router = await start_router()
    talk = await talk_to(router)
    odd = b"Jl. Merdeka \xe9\xff = 1\r\n\xe2\x82\xac".decode("utf-8", "surrogateescape")
    await talk.ask("/ppp/secret/set", "=.id=budi", f"=comment={odd}")
    answer = await talk.ask("/ppp/secret/print", "=.proplist=comment", "?name=budi")
    assert answer[0] == ["!re", f"=comment={odd}"]


async def test_long_words_use_the_longer_lengths(start_router, talk_to):
    router = await start_router()
    talk = await talk_to(router)
    for length in (0x80, 0x4000, 0x200000):
        source = "x" * length
        name = f"s{length}"
        await talk.ask("/system/script/add", f"=name={name}", f"=source={source}")
        answer = await talk.ask("/system/script/get", f"=.id={name}", "=value-name=source")
        assert answer == [["!done", f"=ret={source}"]]


async def test_hosts_are_logged_in_through_the_api(start_router, talk_to):
    clock = SteppedClock()
    router = await start_router("7.20.7", clock=clock)
    talk = await talk_to(router)
    words = ("/ip/hotspot/active/login", "=user=vc1", "=password=vc1", "=ip=10.10.8.211")
    assert (await talk.ask(*words))[0][0] == "!trap", "nobody has seen this device yet"
    router.hotspot.devices.join("AA:BB:CC:00:00:01", "10.10.8.211")
    assert await talk.ask(*words) == [["!done"]]
    assert await talk.ask("/ip/hotspot/active/print", "=.proplist=.id,user,address") == [
        ["!re", "=.id=*D3080A0A", "=user=vc1", "=address=10.10.8.211"],
        ["!done"],
    ]
    clock.advance(3600)
    assert await talk.ask(*words) == [["!trap", "=message=your uptime limit is reached"], ["!done"]]
    assert await talk.ask("/ip/hotspot/user/reset-counters", "=.id=vc1") == [["!done"]]
    assert await talk.ask(*words) == [["!done"]]


async def test_profile_of_user_manager_6_is_created_and_activated(start_router, talk_to):
    clock = SteppedClock()
    router = await start_router("6.49.18", clock=clock)
    talk = await talk_to(router)
    base = "/tool/user-manager"
    assert (await talk.ask(f"{base}/user/add", "=username=sari"))[0][0] == "!trap", "a customer is mandatory"
    await talk.ask(f"{base}/profile/add", "=name=30h", "=owner=admin", "=validity=30d", "=starts-at=now")
    await talk.ask(f"{base}/user/add", "=username=sari", "=customer=admin", "=password=x")
    activate = f"{base}/user/create-and-activate-profile"
    assert await talk.ask(activate, "=numbers=sari", "=profile=30h", "=customer=admin") == [["!done"]]
    shown = (f"{base}/user/print", "=.proplist=username,actual-profile")
    assert (await talk.ask(*shown))[0] == ["!re", "=username=sari", "=actual-profile=30h"]
    clock.advance(31 * 86400)
    assert (await talk.ask(*shown))[0] == ["!re", "=username=sari"]
    refused = await talk.ask(activate, "=numbers=sari", "=profile=zz", "=customer=admin")
    assert refused[0] == ["!trap", "=message=input does not match any value of profile"]
