"""Lines of a router's log that speak of a session's end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.poller.core.log_words import Endings, read_line
from services.poller.core.session_facts import Session
from shared.contracts.vocabulary import Service

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
MAC = "A4:5E:60:11:22:33"
SITI = Session("80000001", 1, "siti", NOW - timedelta(seconds=3857), "10.6.0.9", MAC)


@pytest.mark.parametrize(
    ("line", "service", "account", "reason"),
    [
        ("budi (10.5.0.17): logged out: keepalive timeout", Service.HOTSPOT, "budi", "keepalive timeout"),
        ("->: budi (10.5.0.17): logged out: user request", Service.HOTSPOT, "budi", "user request"),
        ("a b (x) (10.5.0.17): logged out: session timeout", Service.HOTSPOT, "a b (x)", "session timeout"),
        ("<pppoe-siti>: terminating... - hungup", Service.PPP, "siti", "hungup"),
        ("<l2tp-siti>: terminating... - peer is not responding", Service.PPP, "siti", "peer is not responding"),
        ("siti logged out, 3857 38105527 466624487 42339 518471 from A4:5E:60:11:22:33", Service.PPP, "siti", None),
    ],
)
def test_line_names_who_and_why(line, service, account, reason):
    ending = read_line(line)
    assert (ending.service, ending.said.account, ending.said.reason) == (service, account, reason)


@pytest.mark.parametrize(
    "line",
    [
        "user admin logged out from 10.0.0.5 via api",
        "budi (10.5.0.17): logged in",
        "budi (10.5.0.17): login failed: invalid username or password",
        "<pppoe-siti>: connected",
        "siti logged out",
        "",
    ],
)
def test_other_lines_say_nothing(line):
    assert read_line(line) is None


def test_lines_of_one_session_are_put_together_and_others_are_left():
    endings = Endings()
    for line in (
        "<pppoe-siti>: terminating... - hungup",
        "siti logged out, 3857 100 200 1 2 from A4:5E:60:11:22:33",
        "<pppoe-andi>: terminating... - user request",
    ):
        endings.heard(read_line(line), NOW)
    said = endings.take(Service.PPP, SITI, NOW)
    assert (said.reason, said.bytes_in, said.bytes_out, said.duration) == ("hungup", 100, 200, timedelta(seconds=3857))
    assert endings.take(Service.PPP, SITI, NOW) is None, "taken once"
    andi = Session("80000002", 2, "andi", NOW - timedelta(seconds=60))
    assert endings.take(Service.PPP, andi, NOW).reason == "user request"


def test_second_line_of_a_subscriber_is_theirs_too():
    endings = Endings()
    endings.heard(read_line("<pppoe-siti-3>: terminating... - hungup"), NOW)
    assert endings.take(Service.PPP, SITI, NOW).reason == "hungup"


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("siti logged out, 5 1 2 1 2 from A4:5E:60:99:99:99", id="another-device"),
        pytest.param("siti logged out, 9999 1 2 1 2 from A4:5E:60:11:22:33", id="an-earlier-session"),
    ],
)
def test_line_of_another_session_of_the_same_subscriber_is_not_taken(line):
    endings = Endings()
    endings.heard(read_line(line), NOW)
    assert endings.take(Service.PPP, SITI, NOW) is None


def test_old_lines_are_forgotten():
    endings = Endings()
    endings.heard(read_line("<pppoe-siti>: terminating... - hungup"), NOW)
    assert endings.take(Service.PPP, SITI, NOW + timedelta(seconds=6)) is None
