"""Everything that can be made to go wrong with a virtual router, seen from a client's socket."""

from __future__ import annotations

import asyncio

import librouteros
import pytest
from aiohttp import web

from lab.routers import Link, SteppedClock

pytestmark = pytest.mark.timeout(60)
GONE = (asyncio.IncompleteReadError, ConnectionError)


async def test_cut_resets_and_refuses_until_restored(start_router, talk_to):
    router = await start_router()
    talk = await talk_to(router)
    port = router.port
    await router.faults.cut()
    with pytest.raises(GONE):
        await talk.hear()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    assert router.menu("/user/active").rows() == []
    await router.faults.restore()
    assert router.port == port
    again = await talk_to(router)
    assert (await again.ask("/system/identity/print"))[-1] == ["!done"]


async def test_hanging_router_accepts_and_says_nothing(start_router, talk_to):
    router = await start_router()
    talk = await talk_to(router)
    router.faults.hang()
    talk.say("/system/identity/print")
    late = await talk_to(router, login=False)
    late.say("/login", "=name=admin", "=password=rahasia")
    with pytest.raises(TimeoutError):
        await librouteros.async_connect(
            "127.0.0.1", username="admin", password="rahasia", port=router.port, timeout=0.3
        )
    assert talk.reader._buffer == b""
    await router.faults.restore()
    with pytest.raises(GONE):
        await talk.hear()
    assert (await (await talk_to(router)).ask("/system/identity/print"))[-1] == ["!done"]


async def test_half_a_sentence_then_the_end(start_router, talk_to):
    router = await start_router()
    talk = await talk_to(router)
    router.faults.half_sentence()
    with pytest.raises(asyncio.IncompleteReadError):
        await talk.ask("/system/identity/print")
    whole = await talk_to(router)
    assert (await whole.ask("/system/identity/print"))[-1] == ["!done"]


async def test_garbage_is_no_sentence(start_router):
    router = await start_router()
    api = await librouteros.async_connect("127.0.0.1", username="admin", password="rahasia", port=router.port)
    try:
        router.faults.garbage()
        with pytest.raises(librouteros.exceptions.ProtocolError):
            [row async for row in api("/system/identity/print")]
    finally:
        await api.close()


async def test_slow_table_holds_up_only_itself(start_router, talk_to):
    clock = SteppedClock()
    router = await start_router(clock=clock)
    talk = await talk_to(router)
    router.faults.slow("/ppp/secret", 8)
    talk.say("/ppp/secret/print", "=.proplist=name", ".tag=slow")
    assert (await talk.ask("/system/identity/print", ".tag=quick"))[-1] == ["!done", ".tag=quick"]
    clock.advance(8)
    assert await talk.hear() == ["!re", ".tag=slow", "=name=budi"]


async def test_changed_password_shuts_out_new_logins_only(start_router, talk_to):
    router = await start_router()
    talk = await talk_to(router)
    router.faults.change_password("admin", "baru")
    assert (await talk.ask("/system/identity/print"))[-1] == ["!done"]
    late = await talk_to(router, login=False)
    assert (await late.ask("/login", "=name=admin", "=password=rahasia"))[0][0] == "!trap"
    await late.login("admin", "baru")


async def test_reboot_by_command_gives_no_reply(start_router, talk_to):
    router = await start_router()
    talk = await talk_to(router)
    talk.say("/system/reboot")
    with pytest.raises(GONE):
        await talk.hear()
    async with asyncio.timeout(10):
        while not router.server.listening:  # noqa: ASYNC110 - the router tells nobody
            await asyncio.sleep(0)
    assert (await (await talk_to(router)).ask("/system/identity/print"))[-1] == ["!done"]


async def test_service_turns_away_addresses_it_does_not_serve(start_router, talk_to):
    router = await start_router()
    router.menu("/ip/service").set("api", address="10.0.0.0/8")
    talk = await talk_to(router, login=False)
    with pytest.raises(GONE):
        await talk.ask("/login", "=name=admin", "=password=rahasia")


async def test_round_trip_delays_all_replies_and_keeps_their_order(start_router, talk_to):
    router = await start_router()
    talk = await talk_to(router)
    loop = asyncio.get_running_loop()
    router.rtt_s = 0.05
    began = loop.time()
    for number in range(20):
        talk.say("/system/identity/print", f".tag={number}")
    tags = [(await talk.hear())[1] for _ in range(40)]
    assert loop.time() - began >= router.rtt_s
    assert tags == [f".tag={number}" for number in range(20) for _ in "re"]
    assert await talk.ask("/quit") == [["!fatal", "session terminated on request"]]


@pytest.mark.parametrize(("version", "time"), [("6.49.18", "12ms"), ("7.16.2", "11ms800us")])
async def test_ping_counts_what_comes_back(start_router, talk_to, version, time):
    clock = SteppedClock()
    router = await start_router(version, clock=clock)
    router.links.put("192.0.2.1", Link(rtt_s=0.0118, loss=0.5))
    talk = await talk_to(router)
    talk.say("/ping", "=address=192.0.2.1", "=count=4")
    rows = []
    for _ in range(4):
        rows.append(dict(word[1:].split("=", 1) for word in (await talk.hear())[1:]))
        clock.advance(1)
    assert await talk.hear() == ["!done"]
    assert [row.get("status") for row in rows] == [None, "timeout", None, "timeout"]
    assert [row["seq"] for row in rows] == ["0", "1", "2", "3"]
    assert (rows[-1]["sent"], rows[-1]["received"], rows[-1]["packet-loss"]) == ("4", "2", "50")
    assert rows[0]["time"] == time
    assert "time" not in rows[1]


async def test_ping_without_count_runs_until_cancelled_and_unknown_hosts_are_silent(start_router, talk_to):
    clock = SteppedClock()
    router = await start_router(clock=clock)
    talk = await talk_to(router)
    talk.say("/ping", "=address=192.0.2.77", ".tag=p")
    for _ in range(3):
        assert "=status=timeout" in await talk.hear()
        clock.advance(1)
    talk.say("/cancel", "=tag=p", ".tag=c")
    heard = [await talk.hear()]
    while heard[-1] != ["!done", ".tag=p"]:
        heard.append(await talk.hear())
    assert ["!trap", ".tag=p", "=category=2", "=message=interrupted"] in heard


async def test_monitor_traffic_in_sections(start_router, talk_to):
    clock = SteppedClock()
    router = await start_router(clock=clock)
    session = await router.pppoe_dial(user="budi", password="budi-pw", mac="AA:BB:CC:00:00:01")
    session.traffic(1e6, 2e6)
    talk = await talk_to(router)
    talk.say("/interface/monitor-traffic", "=interface=ether1,<pppoe-budi>", "=duration=2s")
    first = [await talk.hear(), await talk.hear()]
    clock.advance(1)
    second = [await talk.hear(), await talk.hear()]
    assert [row[-1] for row in first + second] == ["=.section=0"] * 2 + ["=.section=1"] * 2
    assert "=rx-bits-per-second=1000000" in first[1]
    assert "=tx-bits-per-second=2000000" in first[1]
    assert await talk.hear() == ["!done"]
    once = await talk.ask("/interface/monitor-traffic", "=interface=aggregate", "=once=")
    assert "=name=aggregate" in once[0]


async def test_scripts_of_events_call_home(start_router):
    heard: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    async def hook(request: web.Request) -> web.Response:
        heard.put_nowait((request.headers["Content-Type"], await request.text()))
        return web.Response()

    app = web.Application()
    app.router.add_post("/hook", hook)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = site._server.sockets[0].getsockname()[1]
        router = await start_router()
        source = (
            ':local mac $"mac-address"\r\n'
            f'/tool fetch url="http://127.0.0.1:{port}/hook" http-method=post '
            'http-header-field="Content-Type: application/json" '
            'http-data="{\\"user\\":\\"$user\\",\\"mac\\":\\"$mac\\"}" output=none\r\n'
            ":log info masuk;:foreach i in=[/ip address find] do={:put $i}"
        )
        router.menu("/ip/hotspot/user/profile").set("1jam", on_login=source)
        assert router.menu("/ip/hotspot/user/profile").row(name="1jam")["on-login"] == source
        await router.hotspot_login(user="vc1", password="vc1", mac="AA:BB:CC:00:00:01", ip="10.10.8.9")
        said = await asyncio.wait_for(heard.get(), 10)
        assert said == ("application/json", '{"user":"vc1","mac":"AA:BB:CC:00:00:01"}')
        async with asyncio.timeout(10):
            while not any(":foreach" in row["message"] for row in router.menu("/log").rows()):  # noqa: ASYNC110
                await asyncio.sleep(0)
    finally:
        await runner.cleanup()


async def test_failed_fetch_is_logged_and_ends_the_script(start_router, talk_to, unused_tcp_port):
    router = await start_router()
    talk = await talk_to(router)
    answer = await talk.ask("/tool/fetch", f"=url=http://127.0.0.1:{unused_tcp_port}/", "=output=none")
    assert answer[-2][0] == "!trap"
    assert answer[-2][1].startswith("=message=failure: ")


async def test_answer_of_a_failing_server_is_a_failed_fetch(start_router, talk_to):
    async def broken(_request: web.Request) -> web.Response:
        return web.Response(status=500)

    app = web.Application()
    app.router.add_get("/", broken)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = site._server.sockets[0].getsockname()[1]
        talk = await talk_to(await start_router())
        answer = await talk.ask("/tool/fetch", f"=url=http://127.0.0.1:{port}/", "=output=none")
        assert answer[-2:] == [["!trap", "=message=failure: Fetch failed with status 500"], ["!done"]]
    finally:
        await runner.cleanup()


async def test_long_print_lets_others_through(start_router, talk_to):
    router = await start_router("7.20.7")
    for number in range(3000):
        router.menu("/ip/hotspot/user").add(name=f"v{number}", password="x")
    talk = await talk_to(router)
    talk.say("/ip/hotspot/user/print", ".tag=big")
    talk.say("/system/identity/print", ".tag=small")
    rows, small_after = 0, None
    while True:
        sentence = await talk.hear()
        if sentence == ["!done", ".tag=big"]:
            break
        if sentence[1] == ".tag=small":
            small_after = rows
        rows += sentence[:2] == ["!re", ".tag=big"]
    assert rows == 3002
    assert small_after is not None
    assert small_after < 3002, "a long print lets others through"
