"""librouteros, as the product uses it, against the lab's routers."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from functools import partial

import librouteros
import pytest
from librouteros.exceptions import FatalError, MultiTrapError, TrapError
from librouteros.login import async_token, token
from librouteros.query import And, Key, Or

VERSIONS = ("6.49.18", "7.9.2", "7.16.2", "7.20.7")


def connect(router, **more):
    login = {"username": "admin", "password": "rahasia", "port": router.port, "timeout": 5} | more
    return librouteros.connect("127.0.0.1", **login)


async def async_connect(router, **more):
    login = {"username": "admin", "password": "rahasia", "port": router.port, "timeout": 5} | more
    return await librouteros.async_connect("127.0.0.1", **login)


@pytest.mark.parametrize("version", VERSIONS)
async def test_sync_client_adds_reads_changes_and_removes(start_router, version):
    router = await start_router(version)

    def story():
        api = connect(router)
        try:
            secrets = api.path("ppp", "secret")
            row_id = secrets.add(name="tono", password="p", profile="10M")
            secrets.update(**{".id": row_id, "disabled": True, "comment": "nunggak = 2 bulan"})
            (row,) = secrets.select(*map(Key, ("name", "disabled", "comment"))).where(Key("name") == "tono")
            secrets.remove(row_id)
            return row, [r["name"] for r in secrets]
        finally:
            api.close()

    row, left = await asyncio.to_thread(story)
    assert row == {"name": "tono", "disabled": True, "comment": "nunggak = 2 bulan"}
    assert left == ["budi", "sari"]


@pytest.mark.parametrize("version", VERSIONS)
async def test_async_client_gets_the_routers_words(start_router, version):
    router = await start_router(version)
    api = await async_connect(router)
    try:
        with pytest.raises(TrapError) as refused:
            await api.path("ppp", "secret").add(name="x", profile="tidak-ada")
        assert str(refused.value) == "input does not match any value of profile"
        with pytest.raises(MultiTrapError) as missing:
            [row async for row in api("/wifi/print")]
        assert str(missing.value) == "no such command or directory (wifi), no such command prefix"
        assert [row async for row in api("/ip/firewall/address-list/print")] == []
        (count,) = [row async for row in api("/ppp/secret/print", **{"count-only": ""})]
        assert count == {"ret": 2}
    finally:
        await api.close()


async def test_async_queries_combine(start_router):
    router = await start_router()
    api = await async_connect(router)
    try:
        name, disabled = Key("name"), Key("disabled")
        both = api.path("ppp", "secret").select(name).where(Or(name == "budi", name == "sari"))
        assert [row["name"] async for row in both] == ["budi", "sari"]
        none = api.path("ppp", "secret").select(name).where(And(name == "budi", disabled == True))  # noqa: E712
        assert [row async for row in none] == []
        other = api.path("ppp", "secret").select(name).where(name != "budi")
        assert [row["name"] async for row in other] == ["sari"]
        within = api.path("ppp", "secret").select(name).where(name.In("budi", "joko"))
        assert [row["name"] async for row in within] == ["budi"]
    finally:
        await api.close()


async def test_wrong_password_is_refused_in_the_routers_words(start_router):
    router = await start_router()
    with pytest.raises(TrapError, match=r"^invalid user name or password \(6\)$"):
        await asyncio.to_thread(connect, router, password="salah")
    assert router.menu("/log").rows()[-1]["message"] == "login failure for user admin from 127.0.0.1 via api"


async def test_old_router_ignores_the_plain_login_and_takes_the_challenge(start_router):
    router = await start_router("6.42.12")

    def story():
        api = connect(router)
        try:
            with pytest.raises(FatalError, match="not logged in"):
                tuple(api("/system/identity/print"))
        finally:
            api.close()
        api = connect(router, login_method=token)
        try:
            return tuple(api("/system/identity/print"))
        finally:
            api.close()

    assert await asyncio.to_thread(story) == ({"name": "gw-0"},)
    api = await async_connect(router, login_method=async_token)
    await api.close()


async def test_new_router_hands_out_a_challenge_and_refuses_the_answer(start_router):
    router = await start_router("7.16.2")
    with pytest.raises(TrapError, match="invalid user name or password"):
        await asyncio.to_thread(connect, router, login_method=token)


async def test_tls_without_certificate_is_anonymous(start_router):
    router = await start_router(tls=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ADH:@SECLEVEL=0")

    def story():
        api = connect(router, port=router.tls_port, ssl_wrapper=context.wrap_socket)
        try:
            return tuple(api("/system/identity/print"))
        finally:
            api.close()

    assert await asyncio.to_thread(story) == ({"name": "gw-0"},)


async def test_tls_with_certificate_verifies(start_router):
    from lab.routers.certificates import self_signed

    router = await start_router()
    await router.stop()
    router.menu("/ip/service").set("api-ssl", certificate="gw.lab")
    await router.start(tls_port=0)
    context = ssl.create_default_context(cadata=self_signed("gw.lab")[0].decode())
    wrap = partial(context.wrap_socket, server_hostname="gw.lab")

    def story():
        api = connect(router, port=router.tls_port, ssl_wrapper=wrap)
        try:
            return tuple(api("/system/identity/print"))
        finally:
            api.close()

    assert await asyncio.to_thread(story) == ({"name": "gw-0"},)


async def test_reboot_ends_the_connection_without_a_reply(start_router):
    router = await start_router()
    gone = (ConnectionError, librouteros.exceptions.ConnectionClosed)
    api = await async_connect(router)
    try:
        with pytest.raises(gone):
            [row async for row in api("/system/reboot")]
    finally:
        with contextlib.suppress(*gone):
            await api.close()
    again = await async_connect(router)
    await again.close()
