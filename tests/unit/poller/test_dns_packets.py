"""Whatever a name server sends is understood or refused, and nothing else happens."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.poller.core.dns_packets import RECORDS, answer_to, question
from shared.errors import Invalid

ASKED = question(0x1234, "isp.test", "A")
HEAD = b"\x12\x34\x81\x80\0\1\0\1\0\0\0\0" + ASKED[12:]


@given(st.binary(max_size=80), st.sampled_from(sorted(RECORDS)))
@example(b"\xc0\x22" * 4, "A")
def test_any_packet_is_understood_or_refused(rest, record):
    asked = question(0x1234, "isp.test", record)
    packet = b"\x12\x34\x81\x80\0\1\0\2\0\0\0\0" + asked[12:] + rest
    with contextlib.suppress(Invalid):
        answer_to(asked, packet)


@given(st.binary(max_size=120))
def test_noise_is_no_answer(noise):
    try:
        assert answer_to(ASKED, noise) is None or noise[:2] == ASKED[:2]
    except Invalid:
        assert noise[:2] == ASKED[:2]


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(b"\x43\x21" + HEAD[2:], id="another-number"),
        pytest.param(ASKED, id="the-question-itself"),
        pytest.param(HEAD.replace(b"isp", b"usp"), id="another-name"),
        pytest.param(HEAD[:-4] + b"\0\x1c\0\1", id="another-record"),
    ],
)
def test_answer_to_something_else_is_passed_over(packet):
    assert answer_to(ASKED, packet) is None


def test_name_that_points_at_itself_ends():
    with pytest.raises(Invalid):
        answer_to(ASKED, HEAD + bytes((0xC0, len(HEAD))) + b"\0" * 12)


@pytest.mark.parametrize("name", ["a..b", "x" * 64 + ".test", ".".join(["abcdefgh"] * 40)])
def test_wrong_name_cannot_be_asked(name):
    with pytest.raises(Invalid):
        question(1, name, "A")
