"""What fields accept, and the form in which the router keeps it."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.routers import Trap
from lab.routers.behaviour.hotspot_devices import address_id
from lab.routers.behaviour.pools import addresses
from lab.routers.behaviour.sessions import parse_rate_limit
from lab.routers.durations import format_datetime, format_duration, format_log_time, parse_duration
from lab.routers.tables import Field
from lab.routers.values import normalise


def keep(kind: str, text: str, name: str = "f") -> str:
    return normalise(Field(name, kind), text, lambda _name, value: value)


@pytest.mark.parametrize(
    ("kind", "given", "kept"),
    [
        ("duration", "90m", "1h30m"),
        ("duration", "3600", "1h"),
        ("duration", "1:00:00", "1h"),
        ("duration", "00:05:00", "5m"),
        ("duration", "1d 00:00:00", "1d"),
        ("duration", "30d", "4w2d"),
        ("duration", "0", "0s"),
        ("duration", "998ms", "998ms"),
        ("duration|none", "none", "none"),
        ("bool", "yes", "true"),
        ("bool", "false", "false"),
        ("mac", "aa:bb:cc:00:11:22", "AA:BB:CC:00:11:22"),
        ("ipv4/prefix", "192.168.88.1/24", "192.168.88.1/24"),
        ("ipv4/prefix", "192.168.88.1", "192.168.88.1/32"),
        ("list of ip-prefix|interface-name", "10.5.0.9", "10.5.0.9/32"),
        ("list of ip-range", "10.0.0.2-10.0.0.9,10.1.0.0/24", "10.0.0.2-10.0.0.9,10.1.0.0/24"),
        ("pair of bits/s", "25M/5M", "25000000/5000000"),
        ("pair of bits/s", "512k", "512000/512000"),
        ("integer|unlimited", "unlimited", "unlimited"),
        ("integer|unlimited", "007", "7"),
        ("enum:any|pppoe|pptp|ppp", "pppoe", "pppoe"),
        ("enum:any|pppoe|pptp", "a", "any"),
        ("set:mac,cookie,http-chap", "http-chap,cookie", "cookie,http-chap"),
        ("bytes", "6M", "6000000B"),
    ],
)
def test_accepted_values_take_their_normal_form(kind, given, kept):
    assert keep(kind, given) == kept


@pytest.mark.parametrize(
    ("kind", "given", "text"),
    [
        ("duration", "besok", "invalid value for argument f"),
        ("bool", "ya", "invalid value for argument f"),
        ("mac", "AA:BB", "invalid value for argument f"),
        ("ipv4", "10.0.0.256", "invalid value for argument f"),
        ("ipv4/prefix", "10.0.0.1/33", "invalid value for argument f"),
        ("list of ip-range", "10.0.0.9-10.0.0.2", "invalid value for argument f"),
        ("pair of bits/s", "cepat/lambat", "invalid value for argument f"),
        ("integer", "-1", "invalid value for argument f"),
        ("integer", "\u0663", "invalid value for argument f"),
        ("enum:pppoe|pptp", "p", "ambiguous value of f, more than one possible value matches input"),
        ("enum:pppoe|pptp", "ssh", "input does not match any value of f"),
        ("set:pap,chap", "pap,wep", "input does not match any value of f"),
    ],
)
def test_refused_values_get_the_routers_words(kind, given, text):
    with pytest.raises(Trap) as refused:
        keep(kind, given)
    assert refused.value.message == text


def test_ports_have_a_range():
    with pytest.raises(Trap, match=r"value out of range \(1..65535\)"):
        keep("integer", "70000", "coa-port")


@given(st.integers(0, 10**10))
def test_duration_comes_back(seconds):
    assert parse_duration(format_duration(seconds)) == seconds


@given(st.text(max_size=12))
def test_no_text_breaks_the_duration_parser(text):
    parsed = parse_duration(text)
    assert parsed is None or parsed >= 0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (1780743, "2w6d14h39m3s"), (0.000453, "453us"), (1.03, "1s30ms"), (0.012408, "12ms408us")],
)
def test_durations_are_written_in_parts(seconds, text):
    assert format_duration(seconds) == text


def test_dates_change_form_at_7_10():
    when = datetime(2023, 7, 14, 9, 5, 1)  # noqa: DTZ001 - a wall clock has no zone
    assert format_datetime(when, iso=False) == "jul/14/2023 09:05:01"
    assert format_datetime(when, iso=True) == "2023-07-14 09:05:01"


@pytest.mark.parametrize(
    ("now", "text"),
    [
        (datetime(2023, 7, 14, 23), "09:05:01"),  # noqa: DTZ001
        (datetime(2023, 8, 1), "jul/14 09:05:01"),  # noqa: DTZ001
        (datetime(2024, 1, 1), "jul/14/2023 09:05:01"),  # noqa: DTZ001
    ],
)
def test_old_log_times_are_shortened(now, text):
    when = datetime(2023, 7, 14, 9, 5, 1)  # noqa: DTZ001
    assert format_log_time(when, now, iso=False) == text


def test_hotspot_ids_are_addresses_backwards():
    assert address_id("10.10.8.211") == "*D3080A0A"


@pytest.mark.parametrize(
    ("text", "rates"),
    [
        ("5M/10M", (5e6, 10e6)),
        ("512k", (512e3, 512e3)),
        ("1M/2M 2M/4M 1M/2M 8/8", (1e6, 2e6)),
        ("0/0", (float("inf"), float("inf"))),
        ("", None),
    ],
)
def test_rate_limits_are_upload_then_download(text, rates):
    assert parse_rate_limit(text) == rates


def test_pool_ranges_are_walked_in_order():
    assert list(addresses("10.0.0.2-10.0.0.4,10.9.0.0/30")) == [
        "10.0.0.2",
        "10.0.0.3",
        "10.0.0.4",
        "10.9.0.1",
        "10.9.0.2",
    ]
