"""The whole lab as `python -m lab` runs it: pages, JSON, command line, storms, and nothing left behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import librouteros
import pytest
from aiohttp import web

from lab.control.routes import ControlServer
from lab.control.running import Lab, LabSettings

SARI = "tg:612880011"
HENDRA = "wa:6281330009011"


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    made = Lab(LabSettings(hosts=9, subscribers=12, pace=0, host_kind="tcp", addresses=tmp_path / "lab.json"))
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def client(lab: Lab) -> AsyncIterator[httpx.AsyncClient]:
    control = ControlServer(lab)
    url = await control.start()
    lab.write_addresses(url)
    async with httpx.AsyncClient(base_url=url, timeout=20) as made:
        yield made
    await control.stop()


async def do(client: httpx.AsyncClient, path: str, **options: Any) -> str:
    answer = await client.post(f"/lab/api/{path}", json=options)
    assert answer.status_code == 200, answer.text
    return answer.json()["done"]


def row(state: dict[str, Any], kind: str, key: str, value: str) -> dict[str, Any]:
    return next(one for one in state[kind] if one[key] == value)


async def connects(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        reader, writer = await asyncio.open_connection(host, int(port))
    except OSError:
        return False
    await reader.readline()
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    return True


@pytest.mark.parametrize("path", ["/", "/chats", "/static/lab.css", "/static/chats.js", "/static/control.js"])
async def test_pages_come_from_here_alone(client: httpx.AsyncClient, path: str):
    answer = await client.get(path)
    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "//cdn" not in answer.text


@pytest.mark.parametrize("path", ["/static/..%2Fpages.py", "/static/none.css"])
async def test_other_files_are_not_served(client: httpx.AsyncClient, path: str):
    assert (await client.get(path)).status_code == 404


async def test_the_inventory_leads_to_what_answers(lab: Lab, client: httpx.AsyncClient):
    found = (await client.get("/lab/api/inventory")).json()
    host = found["hosts"][0]
    assert await connects(f"{host['address']}:{host['port']}")
    for router in found["routers"]:
        api = await asyncio.to_thread(
            librouteros.connect,
            host=router["host"],
            port=router["port"],
            username=router["user"],
            password=router["password"],
        )
        resource = await asyncio.to_thread(lambda api=api: list(api.path("/system/resource")))
        secrets = await asyncio.to_thread(lambda api=api: list(api.path("/ppp/secret")))
        await asyncio.to_thread(api.close)
        assert resource[0]["version"].startswith(router["version"])
        mine = [s for s in found["subscribers"] if s["router"] == router["name"] and s["service"] == "pppoe"]
        assert {s["name"] for s in secrets} == {s["user"] for s in mine}
    assert all(chat["role"] != "stranger" for chat in found["chats"])


async def test_a_host_is_cut_and_restored_and_unknown_ones_are_said(client: httpx.AsyncClient):
    assert await do(client, "hosts/core-1/cut") == "core-1 is cut"
    host = row((await client.get("/lab/api/state")).json(), "hosts", "name", "core-1")
    assert host["state"] == "cut"
    assert not await connects(host["address"])
    await do(client, "hosts/core-1/restore")
    assert await connects(host["address"])
    refused = await client.post("/lab/api/hosts/core-9/cut")
    assert (refused.status_code, refused.json()["error"]) == (409, "there is no host core-9")
    assert (await client.post("/lab/api/hosts/core-1/explode")).status_code == 409


async def test_a_fallen_mast_takes_its_hosts_and_router(client: httpx.AsyncClient):
    await do(client, "sites/sedati/cut")
    state = (await client.get("/lab/api/state")).json()
    assert {h["state"] for h in state["hosts"] if h["site"] == "sedati"} == {"cut"}
    assert {h["state"] for h in state["hosts"] if h["site"] != "sedati"} == {"up"}
    router = row(state, "routers", "name", "gw-sedati")
    assert router["fault"] == "cut"
    host, _, port = router["address"].rpartition(":")
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(host, int(port))
    await do(client, "sites/sedati/restore")
    state = (await client.get("/lab/api/state")).json()
    assert {h["state"] for h in state["hosts"]} == {"up"}
    assert row(state, "routers", "name", "gw-sedati")["fault"] == ""


@pytest.mark.parametrize("service", ["pppoe", "hotspot"])
async def test_a_subscriber_of_each_router_logs_in_and_out(lab: Lab, client: httpx.AsyncClient, service: str):
    for router in lab.routers:
        mine = [s for s in lab.provider.subscribers if s.router == router]
        user = next(s.user for s in mine if s.service == service)
        await do(client, f"subscribers/{user}/logout")
        assert not lab.customers.all[user].online
        await do(client, f"subscribers/{user}/login")
        assert lab.customers.all[user].online
        state = (await client.get("/lab/api/state")).json()
        assert row(state, "subscribers", "user", user)["online"] is True


async def test_a_disabled_account_is_refused_with_the_routers_words(lab: Lab, client: httpx.AsyncClient):
    customer = next(c for c in lab.customers.all.values() if c.plan.service == "pppoe")
    customer.logout()
    menu = customer.router.menu("/ppp/secret")
    menu.change(menu.named(customer.plan.user), {"disabled": "true"})
    refused = await client.post(f"/lab/api/subscribers/{customer.plan.user}/login")
    assert refused.status_code == 409
    assert "authentication failed" in refused.json()["error"]


async def test_dropped_sessions_are_dialled_again(lab: Lab, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("lab.control.customers.REDIAL_SECONDS", (0.0, 0.1))
    customers = [c for c in lab.customers.all.values() if c.plan.router == "gw-waru"]
    for customer in customers:
        await customer.login()
    assert await do(client, "routers/gw-waru/drop") == f"{len(customers)} sessions of gw-waru ended"
    assert not any(c.online for c in customers)
    async with asyncio.timeout(15):
        while not all(c.online for c in customers):  # noqa: ASYNC110 - modems dial on their own time
            await asyncio.sleep(0.05)


async def test_a_message_is_waited_for_and_edits_come_again(lab: Lab, client: httpx.AsyncClient):
    bot = httpx.AsyncClient(base_url=f"{lab.telegram.url}/bot{lab.addresses('')['telegram']['token']}/")
    path = f"/lab/api/chats/{SARI}/messages"
    async with bot:
        waiting = asyncio.create_task(client.get(path, params={"wait": "10", "contains": "down", "from": "bot"}))
        await bot.post("sendMessage", data={"chat_id": "612880011", "text": "lain"})
        sent = (await bot.post("sendMessage", data={"chat_id": "612880011", "text": "DOWN core-1"})).json()
        body = (await asyncio.wait_for(waiting, 10)).json()
        assert [m["text"] for m in body["messages"]] == ["DOWN core-1"]
        edit = {"chat_id": "612880011", "message_id": sent["result"]["message_id"], "text": "UP core-1"}
        await bot.post("editMessageText", data=edit)
    again = (await client.get(path, params={"after": body["seq"]})).json()
    assert [(m["text"], m["revisions"]) for m in again["messages"]] == [("UP core-1", ["DOWN core-1"])]


async def test_people_write_in_both_channels_and_the_stream_tells(lab: Lab, client: httpx.AsyncClient):
    before = lab.threads.seq
    for thread in (SARI, HENDRA):
        answer = await client.post(f"/lab/api/chats/{thread}/messages", json={"text": "ping core-1"})
        assert answer.status_code == 200
    assert (await client.post("/lab/api/chats/tg:99/messages", json={"text": "x"})).status_code == 409
    seen: set[str] = set()
    async with (
        asyncio.timeout(10),
        client.stream("GET", f"/lab/api/chats/stream?after={before}") as stream,
    ):
        async for line in stream.aiter_lines():
            if line.startswith("data: "):
                change = json.loads(line.removeprefix("data: "))
                if change["bubble"]:
                    seen.add(change["thread"]["id"])
            if seen >= {SARI, HENDRA}:
                break
    assert lab.telegram.world.bots[lab.addresses("")["telegram"]["token"]].updates[0]["message"]["text"]


async def test_the_internet_goes_away_under_a_waiting_poll_and_comes_back(lab: Lab, client: httpx.AsyncClient):
    token = lab.addresses("")["telegram"]["token"]
    async with httpx.AsyncClient(base_url=f"{lab.telegram.url}/bot{token}/", timeout=20) as bot:
        poll = asyncio.create_task(bot.post("getUpdates", data={"timeout": "30"}))
        await asyncio.wait_for(lab.telegram.updates_of(lab.telegram.world.bots[token]).polling.wait(), 5)
        await do(client, "chat-servers/all/away")
        with pytest.raises(httpx.TransportError):
            await asyncio.wait_for(poll, 5)
        with pytest.raises(httpx.TransportError):
            await bot.post("sendMessage", data={"chat_id": "612880011", "text": "x"})
        lab.desk.send(SARI, "masih di sana?")
        await do(client, "chat-servers/all/heal")
        answer = (await bot.post("getUpdates")).json()
        assert answer["result"][0]["message"]["text"] == "masih di sana?"


async def test_a_whatsapp_webhook_is_set_from_outside(lab: Lab, client: httpx.AsyncClient):
    nobody = {"url": "http://127.0.0.1:9/none", "verify_token": "x"}
    refused = await client.post("/lab/api/chat-servers/whatsapp/webhook", json=nobody)
    assert refused.status_code == 409
    assert "could not be verified" in refused.json()["error"]

    async def verify(request: web.Request) -> web.Response:
        right = request.query["hub.verify_token"] == "kata-sandi"
        return web.Response(text=request.query["hub.challenge"], status=200 if right else 403)

    application = web.Application()
    application.router.add_get("/wa", verify)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/wa"
    try:
        done = await do(client, "chat-servers/whatsapp/webhook", url=url, verify_token="kata-sandi")
    finally:
        await runner.cleanup()
    assert done == f"webhooks go to {url}"
    assert lab.cloud.business.webhooks.url == url


async def test_the_command_runs_is_told_and_leaves_nothing(tmp_path: Path):
    words = ["--state", str(tmp_path), "--hosts", "3", "--subscribers", "6"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "lab", *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(30):
            while b"all of it" not in (line := await process.stdout.readline()):
                assert line, "the lab ended before it was ready"
        where = json.loads((tmp_path / "lab.json").read_text())
        code, said = await told(tmp_path, "cut", "host", "core-1")
        assert (code, said) == (0, "core-1 is cut\n")
        code, said = await told(tmp_path, "reboot", "router", "gw-nowhere")
        assert (code, said) == (1, "there is no router gw-nowhere\n")
        async with httpx.AsyncClient() as client:
            state = (await client.get(where["control"] + "/lab/api/state")).json()
        assert row(state, "hosts", "name", "core-1")["state"] == "cut"
        process.send_signal(signal.SIGTERM)
        rest = await asyncio.wait_for(process.communicate(), 15)
        assert process.returncode == 0, rest
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert not (tmp_path / "lab.json").exists()
    if where["hosts"] == "icmp":
        assert f"ronda-lab-{process.pid}-" not in " ".join(os.listdir("/run/netns"))  # noqa: PTH208
    code, said = await told(tmp_path, "cut", "host", "core-1")
    assert code == 1
    assert "No lab runs here" in said


async def told(state: Path, *words: str) -> tuple[int, str]:
    """What `python -m lab ctl …` says."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "lab",
        "ctl",
        "--state",
        str(state),
        *words,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    return process.returncode, out.decode()
