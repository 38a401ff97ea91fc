"""What people write and what it means: commands, targets, numbers, greetings."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from services.notifier.core.commands import Command, CommandName, NotUnderstood, incident_number, parse, parse_button
from services.notifier.core.greeting import PartOfDay, part_of_day
from services.notifier.core.numbers import international
from services.notifier.core.targets import Ambiguous, Target, Unknown, resolve
from shared.contracts.ids import HostId, RouterId, SiteId
from shared.contracts.inventory import Host, Router

PING = CommandName.PING


@pytest.mark.parametrize(
    ("text", "in_group", "expected"),
    [
        pytest.param("/ping core-1", False, Command(PING, ("core-1",)), id="slash"),
        pytest.param("ping core-1 10", False, Command(PING, ("core-1", "10")), id="plain-words"),
        pytest.param("PING core-1", False, Command(PING, ("core-1",)), id="capitals"),
        pytest.param("/ping@ronda_bot core-1", True, Command(PING, ("core-1",)), id="named-in-group"),
        pytest.param("/ping@RONDA_bot core-1", True, Command(PING, ("core-1",)), id="named-in-other-case"),
        pytest.param("/ping@other_bot core-1", True, None, id="another-bot"),
        pytest.param("ping core-1", True, None, id="chatter-of-a-group"),
        pytest.param("ack 4821", True, Command(CommandName.ACK, ("4821",)), id="ack-in-group"),
        pytest.param("ack dulu ya", True, None, id="chatter-that-begins-like-ack"),
        pytest.param("bantuan", False, Command(CommandName.HELP), id="indonesian-word"),
        pytest.param("/pnig core-1", False, NotUnderstood("pnig", PING), id="typo"),
        pytest.param("/xyzzy", False, NotUnderstood("xyzzy", None), id="nothing-near"),
        pytest.param("   ", False, None, id="blank"),
    ],
)
def test_words_become_commands(text: str, in_group: bool, expected: object) -> None:
    assert parse(text, in_group=in_group, bot_name="ronda_bot") == expected


def test_buttons_carry_the_number() -> None:
    assert parse_button("a:4821") == Command(CommandName.ACK, ("4821",))
    assert parse_button("z:1") is None


@pytest.mark.parametrize(
    ("arguments", "number"),
    [(("4821",), 4821), (("#4821",), 4821), (("x",), None), ((), None), (("²",), None), (("9" * 40,), None)],
)
def test_incident_numbers(arguments: tuple[str, ...], number: int | None) -> None:
    assert incident_number(arguments) == number


WARU, KEDIRI = SiteId("waru"), SiteId("kediri")
HOSTS = [
    Host(id=HostId("h1"), site_id=WARU, name="core-1", address="10.20.0.1"),
    Host(id=HostId("h2"), site_id=WARU, name="core-10", address="10.20.0.10"),
    Host(id=HostId("h3"), site_id=KEDIRI, name="AP-Masjid", address="10.30.0.9"),
]
ROUTERS = [
    Router(id=RouterId("r1"), site_id=WARU, name="waru-gw", host="203.0.113.7", username="x", sealed_password="x")
]


@pytest.mark.parametrize(
    ("written", "sites", "expected"),
    [
        pytest.param("core-1", frozenset(), Target("core-1", "10.20.0.1", HostId("h1")), id="exact-beats-prefix"),
        pytest.param("core", frozenset(), Ambiguous(("core-1", "core-10")), id="several"),
        pytest.param("ap", frozenset(), Target("AP-Masjid", "10.30.0.9", HostId("h3")), id="prefix-any-case"),
        pytest.param("ap", frozenset({WARU}), Unknown(()), id="not-of-this-chats-sites"),
        pytest.param("WARU-GW", frozenset(), Target("waru-gw", "203.0.113.7"), id="router"),
        pytest.param("8.8.8.8", frozenset(), Target("8.8.8.8", "8.8.8.8"), id="address"),
        pytest.param("2001:db8::1", frozenset(), Target("2001:db8::1", "2001:db8::1"), id="ipv6"),
        pytest.param("10.20.0.1", frozenset(), Target("core-1", "10.20.0.1", HostId("h1")), id="address-of-a-host"),
        pytest.param("example.net", frozenset(), Target("example.net", "example.net"), id="dns-name"),
        pytest.param("cor-1", frozenset(), Unknown(("core-1", "core-10")), id="typo"),
        pytest.param("-c", frozenset(), Unknown(()), id="option-of-a-program"),
    ],
)
def test_targets(written: str, sites: frozenset[SiteId], expected: object) -> None:
    assert resolve(written, HOSTS, ROUTERS, sites) == expected


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("0857-1234-5678", "6285712345678"),
        ("+62 857 1234 5678", "6285712345678"),
        ("6285712345678", "6285712345678"),
        ("85712345678", "6285712345678"),
        ("+1 202 555 0123", "12025550123"),
        ("0062 857 1234 5678", "6285712345678"),
        ("12345", None),
        ("", None),
        ("08571234567890123", None),
    ],
)
def test_phone_numbers(written: str, number: str | None) -> None:
    assert international(written) == number


@pytest.mark.parametrize(
    ("hour", "part"),
    [
        (3, PartOfDay.NIGHT),
        (4, PartOfDay.MORNING),
        (10, PartOfDay.MORNING),
        (11, PartOfDay.NOON),
        (15, PartOfDay.AFTERNOON),
        (18, PartOfDay.NIGHT),
        (0, PartOfDay.NIGHT),
    ],
)
def test_greetings(hour: int, part: PartOfDay) -> None:
    assert part_of_day(datetime(2026, 11, 20, hour, 59, tzinfo=UTC)) is part
