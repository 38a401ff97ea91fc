"""Streams are made and widened, never narrowed, by any number of services at once."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import nats
import pytest

from shared.bus.nats import NatsBus
from shared.bus.nats.session import Session
from shared.bus.nats.streams import bucket_config, ensure_stream, stream_config, widen
from shared.contracts.streams import BUCKETS, EVENTS, STREAMS, Retention
from shared.errors import Misconfigured


@pytest.fixture
async def session(nats_url):
    session = Session()
    await session.open(nats_url, name="test")
    yield session
    await session.close()


async def config(session: Session, name: str) -> dict:
    return (await session.api(f"STREAM.INFO.{name}"))["config"]


async def test_many_services_starting_at_once_all_find_everything(nats_url, session):
    async def start(number: int) -> None:
        async with NatsBus.connect(nats_url, name=f"s{number}", source="x"):
            pass

    await asyncio.gather(*(start(number) for number in range(8)))
    for wanted in (*map(stream_config, STREAMS), *map(bucket_config, BUCKETS)):
        present = await config(session, wanted["name"])
        assert {key: present.get(key) for key in wanted if wanted[key]} == {
            key: value for key, value in wanted.items() if value
        }


async def test_second_start_changes_nothing(nats_url, session):
    async with NatsBus.connect(nats_url, name="one", source="x"):
        before = [await config(session, spec.name) for spec in STREAMS]
    async with NatsBus.connect(nats_url, name="two", source="x"):
        assert [await config(session, spec.name) for spec in STREAMS] == before


async def test_stream_is_widened_but_keeps_what_it_has_more(session):
    host = ("ronda.v1.evt.host.>",)
    await ensure_stream(session, replace(EVENTS, max_age_s=86400.0, subjects=(*host, "other.>")))
    await ensure_stream(session, replace(EVENTS, max_age_s=7 * 86400.0, subjects=host, message_ttl=True))
    present = await config(session, "EVENTS")
    assert present["max_age"] == 7 * 86400 * 10**9
    assert present["subjects"] == ["ronda.v1.evt.host.>", "other.>"]
    assert present["allow_msg_ttl"] is True
    await ensure_stream(session, replace(EVENTS, max_age_s=3600.0, subjects=host))
    assert await config(session, "EVENTS") == present


def test_other_retention_is_for_a_person_to_solve():
    with pytest.raises(Misconfigured, match="EVENTS"):
        widen(stream_config(replace(EVENTS, retention=Retention.WORK_QUEUE)), stream_config(EVENTS))


async def test_rights_keep_services_apart(shared_nats_server, nats_url):
    """What only the api may say reaches no stream when another says it."""
    async with NatsBus.connect(nats_url, name="operator", source="x"):
        client = await nats.connect(shared_nats_server.url("poller"), inbox_prefix="_INBOX.poller", error_cb=_silent)
        try:
            allowed = await client.request("ronda.v1.evt.host.down.s.h", b"", timeout=5)
            assert json.loads(allowed.data)["stream"] == "EVENTS"
            for forbidden in (
                "ronda.v1.desired.account.r.a",
                "ronda.v1.act.session.disconnect.r",
                "$KV.inventory.router.r",
                "$JS.API.STREAM.DELETE.EVENTS",
                "$JS.API.CONSUMER.CREATE.DESIRED.spy",
            ):
                with pytest.raises(nats.errors.TimeoutError):
                    await client.request(forbidden, b"", timeout=0.2)
        finally:
            await client.close()


async def _silent(error: Exception) -> None:
    """The client's own way to say that it may not."""
