"""routeros_api, which tags everything and sends words without a second `=`, against the lab's routers."""

from __future__ import annotations

import asyncio

import pytest
import routeros_api
from routeros_api.exceptions import RouterOsApiCommunicationError


def pool_for(router, **more):
    login = {"username": "admin", "password": "rahasia", "port": router.port, "plaintext_login": True} | more
    return routeros_api.RouterOsApiPool("127.0.0.1", **login)


@pytest.mark.parametrize(
    ("version", "plain"), [("6.42.12", False), ("6.49.18", True), ("7.16.2", True), ("7.20.7", True)]
)
async def test_menu_is_edited_through_tagged_commands(start_router, version, plain):
    router = await start_router(version)

    def story():
        pool = pool_for(router, plaintext_login=plain)
        try:
            users = pool.get_api().get_resource("/ip/hotspot/user")
            users.add(name="vc9", password="vc9", profile="1jam", **{"limit-uptime": "90m"})
            (row,) = users.get(name="vc9")
            users.set(id=row["id"], comment="kios")
            (changed,) = users.get(name="vc9")
            users.remove(id=row["id"])
            return row, changed, users.get(name="vc9")
        finally:
            pool.disconnect()

    row, changed, gone = await asyncio.to_thread(story)
    assert (row["limit-uptime"], row["profile"]) == ("1h30m", "1jam")
    assert changed["comment"] == "kios"
    assert gone == []


async def test_refusals_arrive_with_their_text(start_router):
    router = await start_router()

    def story():
        pool = pool_for(router)
        try:
            users = pool.get_api().get_resource("/ip/hotspot/user")
            texts = []
            for wrong in ({}, {"name": "vc1"}, {"name": "y", "profile": "tidak-ada"}, {"name": "y", "umur": "3"}):
                with pytest.raises(RouterOsApiCommunicationError) as refused:
                    users.add(**wrong)
                texts.append(refused.value.original_message.decode())
            return texts
        finally:
            pool.disconnect()

    assert await asyncio.to_thread(story) == [
        "failure: user name is required",
        "failure: already have user with this name for this server",
        "input does not match any value of profile",
        "unknown parameter umur",
    ]


async def test_commands_run_side_by_side_under_their_tags(start_router):
    router = await start_router()
    router.links.up("192.0.2.9")

    def story():
        pool = pool_for(router)
        try:
            api = pool.get_api()
            slow = api.get_binary_resource("/").call_async(
                "ping", {"address": b"192.0.2.9", "count": b"3", "interval": b"50ms"}
            )
            quick = api.get_resource("/system/identity").get()
            return quick, slow.get()
        finally:
            pool.disconnect()

    quick, pings = await asyncio.to_thread(story)
    assert quick == [{"name": "gw-0"}]
    assert [row["seq"] for row in pings] == [b"0", b"1", b"2"]
    assert pings[-1]["packet-loss"] == b"0"


async def test_tls_works_without_verification(start_router):
    router = await start_router()
    await router.stop()
    router.menu("/ip/service").set("api-ssl", certificate="gw.lab")
    await router.start(tls_port=0)

    def story():
        pool = pool_for(router, port=router.tls_port, use_ssl=True, ssl_verify=False, ssl_verify_hostname=False)
        try:
            return pool.get_api().get_resource("/system/identity").get()
        finally:
            pool.disconnect()

    assert await asyncio.to_thread(story) == [{"name": "gw-0"}]
