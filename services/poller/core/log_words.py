"""What a router's log says of sessions that end: reason and counters, matched to the closing shortly before or after.

Lines of RouterOS 6.49 and 7: `NAME (IP): logged out: keepalive timeout` (hotspot); for PPP
`<pppoe-NAME>: terminating... - hungup` and `NAME logged out, SECONDS IN OUT PKTIN PKTOUT from MAC`.
A logging rule may put a prefix such as `->: ` before.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.poller.core.session_facts import Said, Session
from shared.contracts.vocabulary import Service

KEPT_FOR = timedelta(seconds=5)  # a line and its row leave the router within milliseconds of each other
_MOST = 2000  # lines that wait for their closing; a router with more is not one session after the other

_HOTSPOT = re.compile(r"^(?:->: )?(?P<account>.+) \((?P<address>[0-9a-fA-F.:]+)\): logged out: (?P<reason>.+)$")
_LINE = re.compile(r"^(?:->: )?<(?:pppoe|pptp|l2tp|ovpn|sstp)-(?P<account>.+)>: terminating\.\.\. - (?P<reason>.+)$")
_ACCOUNT = re.compile(
    r"^(?:->: )?(?P<account>.+) logged out, (?P<seconds>\d+) (?P<in>\d+) (?P<out>\d+) \d+ \d+ from (?P<mac>\S+)$"
)


@dataclass(frozen=True, slots=True)
class Ending:
    """A line of the log that speaks of a session's end."""

    service: Service
    said: Said


def read_line(message: str) -> Ending | None:
    """The end of a session that a line speaks of; None for all other lines."""
    if "logged out" not in message and "terminating..." not in message:
        return None
    if found := _HOTSPOT.match(message):
        return Ending(Service.HOTSPOT, Said(found["account"], found["address"], reason=found["reason"]))
    if found := _LINE.match(message):
        return Ending(Service.PPP, Said(found["account"], reason=found["reason"]))
    if found := _ACCOUNT.match(message):
        counted = Said(
            found["account"],
            mac=found["mac"],
            duration=timedelta(seconds=int(found["seconds"])),
            bytes_in=int(found["in"]),
            bytes_out=int(found["out"]),
        )
        return Ending(Service.PPP, counted)
    return None


class Endings:
    """What was said lately of ends, until the sessions that ended take it."""

    def __init__(self) -> None:
        self._said: deque[tuple[datetime, Ending]] = deque()

    def heard(self, ending: Ending, now: datetime) -> None:
        """Something was said."""
        self._forget(now)
        self._said.append((now, ending))
        if len(self._said) > _MOST:
            self._said.popleft()

    def take(self, service: Service, session: Session, now: datetime, so_far: Said | None = None) -> Said | None:
        """All that was said of this session's end, added to what is known so far; None if nothing was."""
        self._forget(now)
        left: deque[tuple[datetime, Ending]] = deque()
        for at, ending in self._said:
            if ending.service is service and _speaks_of(ending.said, session, now):
                so_far = merged(so_far, ending.said)
            else:
                left.append((at, ending))
        self._said = left
        return so_far

    def _forget(self, now: datetime) -> None:
        while self._said and now - self._said[0][0] > KEPT_FOR:
            self._said.popleft()


def merged(first: Said | None, second: Said) -> Said:
    """Both together; what the first knows counts."""
    if first is None:
        return second
    return replace(
        first,
        reason=first.reason or second.reason,
        duration=second.duration if first.duration is None else first.duration,
        bytes_in=second.bytes_in if first.bytes_in is None else first.bytes_in,
        bytes_out=second.bytes_out if first.bytes_out is None else first.bytes_out,
    )


def _speaks_of(said: Said, session: Session, now: datetime) -> bool:
    # A second line of the same name is called `<pppoe-NAME-1>`.
    named = said.account == session.account or re.fullmatch(re.escape(session.account) + r"-\d+", said.account)
    if not named:
        return False
    pairs = ((said.address, session.address), (said.mac, session.mac))
    if any(one is not None and other is not None and one.upper() != other.upper() for one, other in pairs):
        return False
    return said.duration is None or now - said.duration + timedelta(seconds=15) >= session.opened_at
