from datetime import UTC, datetime, timedelta, timezone

import pytest

from shared.contracts.envelope import Envelope
from shared.contracts.events import HostDown, HostUp
from shared.errors import Invalid

NOW = datetime(2026, 11, 20, 14, 4, 17, 250_000, tzinfo=UTC)


def test_headers_read_back_to_the_same_envelope():
    envelope = Envelope.around(HostDown.example(), source="poller/1", now=NOW)
    assert Envelope.from_headers(envelope.headers()) == envelope


def test_the_same_fact_gets_the_same_id():
    first = Envelope.around(HostDown.example(), source="poller/1", now=NOW)
    again = Envelope.around(HostDown.example(), source="poller/2", now=NOW + timedelta(seconds=9))
    assert first.headers()["Nats-Msg-Id"] == again.headers()["Nats-Msg-Id"] == first.id


def test_what_follows_keeps_the_story():
    cause = Envelope.around(HostDown.example(), source="poller/1", now=NOW)
    effect = Envelope.around(HostUp.example(), source="notifier/1", now=NOW, cause=cause)
    assert effect.correlation_id == cause.correlation_id
    assert effect.causation_id == cause.id
    assert effect.traceparent == cause.traceparent


def test_time_is_written_in_utc():
    jakarta = NOW.astimezone(timezone(timedelta(hours=7)))
    headers = Envelope.around(HostDown.example(), source="poller/1", now=jakarta).headers()
    assert headers["ce-time"] == "2026-11-20T14:04:17.250000Z"


@pytest.mark.parametrize("missing", ["ce-id", "ce-type", "ce-source", "ce-time"])
def test_a_missing_attribute_is_named(missing):
    headers = Envelope.around(HostDown.example(), source="poller/1", now=NOW).headers()
    del headers[missing]
    with pytest.raises(Invalid, match=missing):
        Envelope.from_headers(headers)


def test_no_headers_at_all_is_invalid():
    with pytest.raises(Invalid):
        Envelope.from_headers(None)
