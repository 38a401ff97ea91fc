"""After the storm: what happened, what was told and what routers have, compared with what was done."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from tests.support.provider import DAVID, HENDRA, NOC_GROUP, SARI, Provider, Row
from tests.support.waiting import until
from tests.support.workload import PATIENCE_S, Wanted, Workload, stubborn

TOLD_OF_HOSTS = (NOC_GROUP, SARI, DAVID, HENDRA)
_MARK = re.compile(r" \((ulangan|repeat)\)")
_ALERT = re.compile(r"(DOWN|UP|BLIP)\b.* · (\S+) @ ")
_SESSION = re.compile(r"(ONLINE|OFFLINE) · (\S+)")


@dataclass
class Heard:
    """What one chat was told: each saying with how often it came unmarked, and how often marked as a repeat."""

    unmarked: Counter[str] = field(default_factory=Counter)
    marked: Counter[str] = field(default_factory=Counter)

    @property
    def sayings(self) -> set[str]:
        """Everything that was said at least once."""
        return {*self.unmarked, *self.marked}


async def heard(provider: Provider, chat: str, since: datetime) -> Heard:
    """What came to a chat since then: a message that was edited counts by how it first came."""
    told = Heard()
    for bubble in await provider.phone(chat).messages():
        if bubble["at"] < since.timestamp():  # its status may have changed since, so the journal's number would not do
            continue
        first = (bubble["revisions"] or [bubble["text"]])[0].splitlines()[0]
        found = _ALERT.search(first) or _SESSION.search(first)
        if found:
            (told.marked if _MARK.search(first) else told.unmarked)[f"{found[1]} {_MARK.sub('', found[2])}"] += 1
    return told


def expected_sayings(work: Workload, chat: str) -> set[str]:
    """What a chat must have been told: alerts everybody, sessions who asked for them or whose they are."""
    hosts = {f"{state} {host['name']}" for host in work.hosts for state in ("DOWN", "UP")}
    users = {person["user"] for person, _ in work.sessions if chat in (HENDRA, _own(work.provider, person))}
    return (hosts if chat in TOLD_OF_HOSTS else set()) | {f"{s} {u}" for u in users for s in ("ONLINE", "OFFLINE")}


def chats(work: Workload) -> list[str]:
    """Every chat that has to be told something."""
    return list(dict.fromkeys([*TOLD_OF_HOSTS, *(_own(work.provider, person) for person, _ in work.sessions)]))


def _own(provider: Provider, person: Row) -> str:
    return provider.subscribers_phone(person).chat


async def everything_told(work: Workload, since: datetime) -> None:
    """Wait until nothing is missing in any chat."""
    for chat in chats(work):

        async def missing(chat: str = chat) -> set[str]:
            return expected_sayings(work, chat) - (await heard(work.provider, chat, since)).sayings

        async def complete() -> bool:
            return not await missing()

        try:
            await until(complete, PATIENCE_S)
        except TimeoutError:
            raise AssertionError(f"{chat} was never told: {sorted(await missing())}") from None


async def nothing_told_twice(work: Workload, since: datetime, kills: int) -> None:
    """No unmarked duplicate, and at most one marked repeat per chat and kill; nothing that did not happen."""
    for chat in chats(work):
        told = await heard(work.provider, chat, since)
        assert [saying for saying, count in told.unmarked.items() if count > 1] == [], (chat, told)
        assert told.marked.total() <= kills, (chat, told)
        assert told.sayings - expected_sayings(work, chat) == set(), (chat, told)


async def every_alert_once(work: Workload, since: datetime) -> None:
    """Each outage is one down, one alert, one up and one end of the alert, in a row of transitions without a gap."""
    provider = work.provider
    for host in work.hosts:
        transitions = await provider.events("host.down,host.up,host.unknown", host_id=host["id"])
        numbers = [event["body"]["transition"] for event in transitions]
        assert all(later - earlier == 1 for earlier, later in pairwise(sorted(numbers))), (host["name"], numbers)
        kinds = [event["type"] for event in transitions if _after(event, since)]
        assert kinds == ["host.down", "host.up"], (host["name"], kinds)
    alerts = await provider.events("alert.opened,alert.resolved")
    for host in work.hosts:
        of_host = [event["type"] for event in alerts if event["body"]["object_id"] == host["id"]]
        assert of_host == ["alert.opened", "alert.resolved"], (host["name"], of_host)


async def every_session_once(work: Workload, since: datetime) -> None:
    """Each log-in and each log-out is one event."""
    events = await work.provider.events("session.opened,session.closed")
    for person, session_id in work.sessions:
        kinds = [event["type"] for event in events if event["body"]["session_id"] == session_id]
        assert kinds == ["session.opened", "session.closed"], (person["user"], kinds)
    users = {person["user"] for person, _ in work.sessions}
    ids = {session_id for _, session_id in work.sessions}
    strange = [e for e in events if e["account"] in users and e["body"]["session_id"] not in ids and _after(e, since)]
    assert strange == []


def _after(event: Row, moment: datetime) -> bool:
    return datetime.fromisoformat(event["at"]) > moment


async def every_account_as_wanted(work: Workload) -> None:
    """The newest wish is on the router, reported once; no generation is reported twice and none after a newer one."""
    for wanted in work.accounts.values():
        await _applied(work.provider, wanted)
        async with work.provider.asked(wanted.router) as router:
            row = await router.account(wanted.service, wanted.name)
        assert row is not None, wanted
        assert (row["password"], row["profile"]) == (wanted.password, wanted.profile), wanted
        reports = await work.provider.events("account.applied,account.failed", account=wanted.name)
        generations = [event["body"]["generation"] for event in reports]
        assert generations == sorted(set(generations)), (wanted, generations)
        assert generations[-1] == wanted.generation, (wanted, generations)
        assert {event["type"] for event in reports} == {"account.applied"}, wanted


async def _applied(provider: Provider, wanted: Wanted) -> None:
    async def reported() -> bool:
        row = await stubborn(lambda: provider.get(f"accounts/{wanted.id}"))
        assert row["generation"] == wanted.generation
        return bool(row["applied_generation"] == wanted.generation and row["apply_state"] == "applied")

    await until(reported, PATIENCE_S)
