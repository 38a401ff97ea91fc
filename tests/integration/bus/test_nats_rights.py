"""Every service may do what the table says that it does, with its own user."""

from __future__ import annotations

import pytest

from deploy.local.nats_rights import LEAF, RIGHTS
from shared.bus.nats import NatsBus
from shared.bus.ports import ConsumerSpec
from shared.contracts.events import AlertOpened
from shared.contracts.message import Message, message_types
from shared.contracts.queries import Query
from shared.contracts.samples import HostSlices
from shared.contracts.streams import STREAMS, Retention
from shared.contracts.subjects import Kind
from shared.errors import NotFound, Unreachable
from tests.cases.bus import Seen, running, until
from tests.cases.bus_cases.hearing import heard

SERVICES = [pytest.param(rights, id=rights.user) for rights in RIGHTS if rights.reads]


@pytest.fixture(params=SERVICES)
def rights(request):
    return request.param


@pytest.fixture
async def bus(rights, shared_nats_server, nats_url):
    async with NatsBus.connect(shared_nats_server.url(rights.user), name=rights.user, source=rights.user) as bus:
        yield bus


def said_by(rights) -> list[type[Message]]:
    stored = {Kind.EVENT, Kind.DESIRED, Kind.ACTION, Kind.NOTIFY}
    return [
        one
        for one in message_types()
        if one.__module__.startswith("shared.")
        and one.KIND in stored
        and any(
            one.type_name().startswith(said.removesuffix(">")) or said.startswith(one.type_name())
            for said in rights.says
        )
        and not any(one.type_name().startswith(never.removesuffix(">")) for never in rights.never_says)
    ]


async def test_publishes_what_it_says(rights, bus):
    assert said_by(rights)
    for message_type in said_by(rights):
        await bus.publish(message_type.example())


async def test_far_site_says_nothing_in_the_name_of_another_service(shared_nats_server, nats_url):
    async with NatsBus.connect(shared_nats_server.url(LEAF), name="leaf", source="leaf", wait_s=1.0) as bus:
        with pytest.raises(Unreachable):
            await bus.publish(AlertOpened.example())


async def test_consumes_and_reads_what_it_reads(rights, bus):
    for stream in rights.reads:
        spec = ConsumerSpec(f"{rights.user}-test", stream, stream.subjects)
        async with running(bus.consume(spec, {})) as consuming:
            if stream.retention is Retention.LIMITS:
                said = [one async for one in bus.read(stream, after_sequence=0, follow=False)]
                assert said == [None]
            assert not consuming.done()


async def test_uses_its_buckets(rights, bus):
    for bucket_spec in rights.writes:
        bucket = await bus.bucket(bucket_spec)
        revision = await bucket.create("test", b"1")
        await bucket.delete("test", revision=revision)
    for bucket_spec in (*rights.writes, *rights.looks_into):
        bucket = await bus.bucket(bucket_spec)
        assert await bucket.get("test") is None
        assert await bucket.keys() == []


async def test_answers_its_queries(rights, bus, nats_url):
    queries = [one for one in message_types(Query) if one.type_name().startswith(f"ronda.v1.rpc.{rights.user}.")]

    async def answer(query):
        raise NotFound("heard")

    async with NatsBus.connect(nats_url, name="asker", source="x") as asker:
        for query_type in queries:
            async with running(bus.serve(query_type, answer, queue=rights.user)):

                async def heard(query_type=query_type) -> bool:
                    try:
                        await asker.request(query_type.example())
                    except NotFound:
                        return True
                    except Exception:  # noqa: BLE001 not yet there
                        return False
                    return False

                await until(heard)


def test_every_stream_is_read_by_somebody():
    read = {stream.name for rights in RIGHTS for stream in rights.reads}
    assert read == {stream.name for stream in STREAMS}


def test_only_the_api_and_the_operator_say_desired_states():
    saying = {
        rights.user
        for rights in RIGHTS
        if any(one.startswith(("ronda.v1.desired", "ronda.v1.>")) for one in rights.says)
    }
    assert saying == {"api", "operator"}


async def test_hears_the_samples_it_records(shared_nats_server, nats_url):
    seen = Seen()
    poller = NatsBus.connect(shared_nats_server.url("poller"), name="poller", source="ronda/poller")
    async with (
        NatsBus.connect(shared_nats_server.url("api"), name="api", source="ronda/api") as api,
        poller as saying,
        running(api.hear((HostSlices,), seen, queue="api-recorder")),
    ):
        await heard(saying, seen)
