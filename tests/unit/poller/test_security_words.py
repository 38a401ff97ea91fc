"""Lines of routers' logs, as 6.49 and 7 write them, and what they say of people."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.poller.core.security.words import ConfigurationChange, FailedLogin, ForeignDhcp, Login, Word, read_word

LINES: list[tuple[str, Word | None]] = [
    ("login failure for user admin from 203.0.113.99 via winbox", FailedLogin("admin", "203.0.113.99", "winbox")),
    ("login failure for user from from 2001:db8::7 via ssh", FailedLogin("from", "2001:db8::7", "ssh")),
    ("login failure for user  from 203.0.113.99 via telnet", FailedLogin("", "203.0.113.99", "telnet")),
    ("login failure for user root via local", FailedLogin("root", None, "local")),
    ("user admin logged in from 10.0.0.5 via api", Login("admin", "10.0.0.5", "api")),
    ("user admin logged in from 4C:5E:0C:11:22:33 via winbox", Login("admin", "4C:5E:0C:11:22:33", "winbox")),
    ("user admin logged in via local", Login("admin", None, "local")),
    ("user admin logged out from 10.0.0.5 via api", None),
    ("mangle rule changed by admin", ConfigurationChange("admin", "mangle rule", "changed")),
    ("item added by budi", ConfigurationChange("budi", "item", "added")),
    (
        "filter rule changed by tcp-msg(winbox):admin@10.0.0.9 (/ip firewall filter set *5 disabled=yes)",
        ConfigurationChange("admin", "filter rule", "changed", "10.0.0.9", "tcp-msg(winbox)"),
    ),
    (
        'changed script settings by tcp-msg(winbox):admin@192.168.2.250 (/system script set aviso source=":log info")',
        ConfigurationChange("admin", "script settings", "changed", "192.168.2.250", "tcp-msg(winbox)"),
    ),
    (
        "dhcp alert on Public: discovered unknown dhcp server, mac 00:02:29:60:36:E7, ip 10.5.8.236",
        ForeignDhcp("Public", "00:02:29:60:36:E7", "10.5.8.236"),
    ),
    ("dhcp alert on bridge-lan: discovered unknown dhcp server", ForeignDhcp("bridge-lan", None, None)),
    ("<pppoe-budi>: connected", None),
    ("ether1 link down", None),
    ("", None),
]


@pytest.mark.parametrize(("line", "word"), LINES, ids=[line[:40] for line, _ in LINES])
def test_a_line_is_read(line: str, word: Word | None) -> None:
    assert read_word(line) == word


def test_a_password_in_the_command_goes_no_further() -> None:
    line = "ppp secret added by tcp-msg(winbox):admin@10.0.0.9 (/ppp secret add name=budi password=rahasia)"
    assert "rahasia" not in repr(read_word(line))


@given(st.text())
def test_no_line_breaks_the_reader(line: str) -> None:
    read_word(line)
