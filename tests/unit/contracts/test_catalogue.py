import jsonschema
import pytest

from shared.contracts.catalogue import BY_TYPE, parse
from shared.contracts.envelope import Envelope
from shared.contracts.events import HostDown
from shared.contracts.ids import new_id
from shared.contracts.queries import Query
from shared.contracts.streams import STREAMS
from shared.contracts.subjects import Kind
from shared.errors import Invalid

STORED = {Kind.EVENT, Kind.DESIRED, Kind.ACTION, Kind.NOTIFY}
EVERY_TYPE = pytest.mark.parametrize("message_type", BY_TYPE.values(), ids=BY_TYPE.keys())


def envelope_of(type_name: str) -> Envelope:
    return Envelope(id="1", type=type_name, source="t", time=HostDown.example().at, correlation_id="1")


@EVERY_TYPE
def test_example_survives_the_wire(message_type):
    example = message_type.example()
    assert parse(envelope_of(message_type.type_name()), example.model_dump_json().encode()) == example


@EVERY_TYPE
def test_example_fits_the_published_schema(message_type):
    jsonschema.validate(message_type.example().model_dump(mode="json"), message_type.model_json_schema())


@EVERY_TYPE
def test_class_says_what_it_is(message_type):
    assert message_type.__doc__


@EVERY_TYPE
def test_stored_kinds_have_exactly_one_stream(message_type):
    prefix = f"ronda.v1.{message_type.KIND}."
    streams = [stream.name for stream in STREAMS if any(s.startswith(prefix) for s in stream.subjects)]
    assert len(streams) == (1 if message_type.KIND in STORED else 0)


@EVERY_TYPE
def test_a_newer_senders_extra_field_is_ignored(message_type):
    body = message_type.example().model_dump_json()
    extended = body[:-1] + (', "since_next_version": 1}' if len(body) > 2 else '"since_next_version": 1}')
    assert parse(envelope_of(message_type.type_name()), extended.encode()) == message_type.example()


def test_every_query_names_its_answer():
    assert all(cls.ANSWER.__doc__ for cls in BY_TYPE.values() if issubclass(cls, Query))


def test_unknown_type_is_invalid():
    with pytest.raises(Invalid, match=r"ronda\.v1\.evt\.cow\.jumped"):
        parse(envelope_of("ronda.v1.evt.cow.jumped"), b"{}")


def test_body_that_does_not_fit_is_invalid():
    with pytest.raises(Invalid, match="HostDown"):
        parse(envelope_of(HostDown.type_name()), b'{"host_id": 3}')


def test_ids_are_unique_and_grow_with_time():
    ids = [new_id() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert {len(i) for i in ids} == {26}
    assert ids[0][:8] <= ids[-1][:8]
