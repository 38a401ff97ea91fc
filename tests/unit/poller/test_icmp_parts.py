"""The engine's parts that need no socket: checksums, what errors mean, what was given up, slim entries."""

from __future__ import annotations

import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.poller.adapters.icmp_errors import failure_of
from services.poller.adapters.icmp_flights import Abandoned, Tally
from services.poller.adapters.icmp_packets import EchoRequest, quoted_echo, reply_counter
from services.poller.core.roster import Roster
from shared.contracts.ids import HostId, SiteId
from shared.contracts.inventory import Host
from shared.contracts.vocabulary import ProbeFailure

V4, V6 = socket.AF_INET, socket.AF_INET6
COUNTERS = st.integers(min_value=0, max_value=0xFFFFFFFF)


@given(counter=COUNTERS, identifier=st.integers(1, 0xFFFF), nonce=COUNTERS, zeros=st.integers(0, 20))
def test_the_sum_over_a_request_with_its_checksum_is_all_ones(counter, identifier, nonce, zeros):
    packet = bytes(EchoRequest(V4, identifier, nonce).fill(counter)) + bytes(2 * zeros)
    total = sum(struct.unpack(f"!{len(packet) // 2}H", packet))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    assert total == 0xFFFF


@given(counter=COUNTERS, nonce=COUNTERS)
def test_counter_is_found_in_the_answer_and_in_a_quotation(counter, nonce):
    packet = bytes(EchoRequest(V6, 7, nonce).fill(counter))
    quoted = quoted_echo(packet, 0, V6, "fd00::1", 7, nonce)
    short = quoted_echo(packet[:8], 0, V6, "fd00::1", 7, nonce)
    assert reply_counter(packet, 0, len(packet), nonce) == counter
    assert reply_counter(packet, 0, len(packet), nonce ^ 1) is None
    assert (quoted.counter, quoted.sequence) == (counter, counter & 0xFFFF)
    assert (short.counter, short.sequence) == (None, counter & 0xFFFF)


@pytest.mark.parametrize(
    ("family", "kind", "code", "expected"),
    [
        pytest.param(V4, 3, 0, ProbeFailure.UNREACHABLE, id="network"),
        pytest.param(V4, 3, 1, ProbeFailure.UNREACHABLE, id="host"),
        pytest.param(V4, 3, 4, None, id="too-big-is-no-news-of-the-host"),
        pytest.param(V4, 3, 9, ProbeFailure.PROHIBITED, id="network-prohibited"),
        pytest.param(V4, 3, 10, ProbeFailure.PROHIBITED, id="host-prohibited"),
        pytest.param(V4, 3, 13, ProbeFailure.PROHIBITED, id="communication-prohibited"),
        pytest.param(V4, 11, 0, ProbeFailure.TTL_EXCEEDED, id="ttl"),
        pytest.param(V4, 11, 1, None, id="fragments-were-lost"),
        pytest.param(V4, 12, 0, ProbeFailure.UNREACHABLE, id="parameter"),
        pytest.param(V6, 1, 0, ProbeFailure.UNREACHABLE, id="v6-no-route"),
        pytest.param(V6, 1, 1, ProbeFailure.PROHIBITED, id="v6-prohibited"),
        pytest.param(V6, 1, 5, ProbeFailure.PROHIBITED, id="v6-source-policy"),
        pytest.param(V6, 1, 6, ProbeFailure.PROHIBITED, id="v6-reject"),
        pytest.param(V6, 2, 0, None, id="v6-too-big"),
        pytest.param(V6, 3, 0, ProbeFailure.TTL_EXCEEDED, id="v6-hops"),
        pytest.param(V6, 4, 1, ProbeFailure.UNREACHABLE, id="v6-parameter"),
    ],
)
def test_what_errors_mean(family, kind, code, expected):
    assert failure_of(family, kind, code) is expected


@given(first=COUNTERS, count=st.integers(1, 256), which=st.integers(0, 255))
def test_a_number_that_is_used_anew_is_no_longer_given_up(first, count, which):
    abandoned = Abandoned()
    counter = (first + which) & 0xFFFFFFFF
    abandoned.add(counter)
    assert counter in abandoned
    abandoned.sent(first, count)
    assert (counter in abandoned) is (which >= count)


def test_tallies_add_up():
    assert Tally(late=1, foreign=2) + Tally(late=3, unsent=1) == Tally(late=4, foreign=2, unsent=1)


def test_entries_of_the_roster_share_what_they_have_in_common():
    roster = Roster()
    for number in range(2):
        host = Host(id=HostId(f"h{number}"), site_id=SiteId("waru"), name=f"h {number}", address="10.0.0.1")
        roster.put(host.key(), host.model_dump_json().encode())
    first, second = roster.hosts.values()
    assert first.model_fields_set is second.model_fields_set
    assert first.site_id is second.site_id
    assert (first.name, second.name) == ("h 0", "h 1")
    assert first == Host(id=HostId("h0"), site_id=SiteId("waru"), name="h 0", address="10.0.0.1")
