"""What looks like harm on one router, from its log and its traffic: told once, and once more when it has passed."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import datetime, timedelta
from typing import Any

from services.poller.core.rates import Rates
from services.poller.core.router_records import HabitsRecord, LoginsRecord, ThreatRecord
from services.poller.core.security.changes import ChangeBook
from services.poller.core.security.logins import LoginPlaces
from services.poller.core.security.series import FAILED_LOGINS, FOREIGN_DHCP, Begun, Passed, SeriesBook
from services.poller.core.security.traffic import FLOORS, BecameAbnormal, Habit
from services.poller.core.security.words import ConfigurationChange, FailedLogin, ForeignDhcp, Login, read_word
from services.poller.handlers.followers.post import Post
from services.poller.handlers.log_lines import LogLine
from shared.contracts.events import ThreatPassed, ThreatSuspected
from shared.contracts.vocabulary import Threat
from shared.routeros import Session

_LOOK_EVERY_S = 5.0
_REMEMBER_HABITS_EVERY = timedelta(hours=1)
_MOST_INTERFACES = 32  # whose traffic is compared with its own normal: uplinks and trunks, not every customer's VLAN
_AT_THE_ROUTER = "at the router itself"
_UNITS = {"bps": "bit/s", "pps": "packets/s"}


class SecurityDesk:
    """The suspicions of one router. Lines and rates are handed in; `follow` lets time pass."""

    name = "security"

    def __init__(self, post: Post) -> None:
        self._post = post
        now = post.clock.now()
        self._open = {one.threat_id: one for one in post.notebook.all("threat", ThreatRecord)}
        self._series = {
            threat: SeriesBook(bounds, {one.key: one.since for one in self._open.values() if one.threat is threat}, now)
            for threat, bounds in ((Threat.LOGIN_FAILURES, FAILED_LOGINS), (Threat.ROGUE_DHCP, FOREIGN_DHCP))
        }
        self._changes = ChangeBook(post.router.username)
        logins = post.notebook.one("logins", LoginsRecord)
        self._watched_since = logins.watched_since if logins else now
        self._learned: tuple[str, ...] = logins.sources if logins else ()
        if logins is None:
            self._remember_logins(now)
        self._habits = self._known_habits()
        self._habits_at = now

    # ── the log ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def read(self, line: LogLine) -> None:
        """A line of the router's log."""
        match read_word(line.message):
            case FailedLogin() as failed:
                source = failed.source or _AT_THE_ROUTER
                begun = self._series[Threat.LOGIN_FAILURES].happened(source, line.at)
                self._begin(Threat.LOGIN_FAILURES, begun, user=failed.user, via=failed.via, words=line.message)
            case Login() as login:
                self._logged_in(login, line)
            case ConfigurationChange() as change:
                self._changes.changed(change, line.at)
            case ForeignDhcp() as foreign:
                key = foreign.mac or foreign.address or foreign.interface
                begun = self._series[Threat.ROGUE_DHCP].happened(key, line.at)
                self._begin(Threat.ROGUE_DHCP, begun, via=foreign.interface, words=line.message)

    def _logged_in(self, login: Login, line: LogLine) -> None:
        router = self._post.router
        if login.user == router.username and login.via.startswith("api"):
            return  # ourselves
        places = LoginPlaces(router.known_logins, self._learned, self._watched_since)
        new = places.is_new(login.source, line.at)
        if places.learned != self._learned:
            self._learned = places.learned
            self._remember_logins(line.at)
        if new:
            fields: dict[str, Any] = {
                "source": login.source,
                "user": login.user,
                "via": login.via,
                "words": line.message,
            }
            self._tell(Threat.UNKNOWN_LOGIN, f"{login.source}", line.at, **fields)

    # ── traffic ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def traffic(self, interface: str, rates: Rates) -> None:
        """The rates of an interface, read just now."""
        values = {"bps": max(rates.rx_bps, rates.tx_bps), "pps": max(rates.rx_pps, rates.tx_pps)}
        now = self._post.clock.now()
        for unit, value in values.items():
            key = f"{interface}/{unit}"
            habit = self._habits.get(key)
            if habit is None:
                if len(self._habits) >= _MOST_INTERFACES * len(values):
                    return
                habit = self._habits[key] = Habit()
            fact = habit.take(value, now, floor=FLOORS[unit])
            if isinstance(fact, BecameAbnormal):
                seen = {"source": interface, "value": fact.value, "usual": fact.usual, "unit": _UNITS[unit]}
                self._tell(Threat.TRAFFIC_ABNORMAL, key, fact.since, lasting=True, **seen)
            elif fact is not None:
                self._pass(Threat.TRAFFIC_ABNORMAL, key)

    # ── time ────────────────────────────────────────────────────────────────────────────────────────────────────────

    async def follow(self, session: Session) -> None:  # noqa: ARG002 - the log and the traffic look ask the router
        """Let time pass until the connection ends."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            self.look()

    def look(self) -> None:
        """Tell what has waited long enough and what has passed."""
        now = self._post.clock.now()
        for bunch in self._changes.ripe(now):
            fields: dict[str, Any] = {"user": bunch.user, "source": bunch.source, "via": bunch.via}
            words = ", ".join(bunch.words)
            self._tell(Threat.CONFIGURATION_CHANGED, bunch.user, bunch.since, count=bunch.count, words=words, **fields)
        for threat, series in self._series.items():
            for passed in series.passed(now):
                self._pass(threat, passed.key)
        if now - self._habits_at >= _REMEMBER_HABITS_EVERY:
            self._habits_at = now
            packed = {key: habit.packed() for key, habit in self._habits.items()}
            record = HabitsRecord(order=int(now.timestamp()), habits=packed)
            self._post.notebook.tell("habits", "", None, record)

    # ── telling ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _begin(self, threat: Threat, begun: Begun | Passed | None, **fields: Any) -> None:
        if isinstance(begun, Begun):
            source = None if begun.key == _AT_THE_ROUTER else begun.key
            self._tell(threat, begun.key, begun.since, lasting=True, source=source, count=begun.count, **fields)

    def _tell(self, threat: Threat, key: str, since: datetime, *, lasting: bool = False, **fields: Any) -> None:
        threat_id = _threat_id(self._post.router.id, threat, key, since)
        event = ThreatSuspected(
            **self._post.common(self._post.clock.now()), threat=threat, threat_id=threat_id, since=since, **fields
        )
        record = None
        if lasting:
            order = int(since.timestamp())
            record = ThreatRecord(order=order, threat=threat, threat_id=threat_id, key=key, since=since)
            self._open[threat_id] = record
        self._post.notebook.tell("threat", threat_id, event, record)

    def _pass(self, threat: Threat, key: str) -> None:
        for one in [one for one in self._open.values() if (one.threat, one.key) == (threat, key)]:
            del self._open[one.threat_id]
            event = ThreatPassed(
                **self._post.common(self._post.clock.now()),
                threat=threat,
                threat_id=one.threat_id,
                suspected_since=one.since,
            )
            self._post.notebook.tell("threat", one.threat_id, event, None)

    def _remember_logins(self, now: datetime) -> None:
        order = int(now.timestamp() * 1000)
        record = LoginsRecord(order=order, sources=self._learned, watched_since=self._watched_since)
        self._post.notebook.tell("logins", "", None, record)

    def _known_habits(self) -> dict[str, Habit]:
        record = self._post.notebook.one("habits", HabitsRecord)
        habits: dict[str, Habit] = {}
        for key, text in (record.habits if record else {}).items():
            try:
                habits[key] = Habit.unpacked(text)
            except ValueError:
                continue  # learned anew
        for one in self._open.values():
            if one.threat is Threat.TRAFFIC_ABNORMAL:
                habits.setdefault(one.key, Habit()).told_before(one.since)
        return habits


def _threat_id(router_id: str, threat: Threat, key: str, since: datetime) -> str:
    name = f"{router_id}\x1f{threat}\x1f{key}\x1f{int(since.timestamp())}"
    return hashlib.sha256(name.encode()).hexdigest()[:16]
