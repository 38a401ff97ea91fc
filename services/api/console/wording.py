"""What the console says of states, causes and events, in the reader's language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.api.console.charting import Picture
from services.api.console.event_details import EventDetails, first
from services.api.console.word_tables import (
    AGO,
    CAUSE_WORDS,
    EVENT_SHAPES,
    EVENT_WORDS,
    FOR,
    FOUND_HEADINGS,
    FOUND_LOOKS,
    GRADE_WORDS,
    KEYS,
    PROBE_WORDS,
    REASON_WORDS,
    ROUTER_AS_HOST,
    ROUTER_WORDS,
    SHAPES,
    STATE_WORDS,
    STATUS_WORDS,
)
from services.api.core.account import ApplyState
from services.api.core.availability import Availability
from services.api.core.facts import BoardEvent
from services.api.core.problems import Problem, ProblemKind
from services.api.core.search import Found, FoundKind
from services.api.core.sites import HostCell
from services.api.core.standings import RouterState
from shared.contracts.inventory import HostGroup, ProbePolicy, Router, Site
from shared.contracts.queries import PingReport
from shared.contracts.vocabulary import (
    AccountStatus,
    Grade,
    HostState,
    LikelyCause,
    ProbeKind,
)
from shared.i18n import Translator, format_duration, format_number


@dataclass(frozen=True, slots=True)
class EventLine:
    """One line of the last events. `subject` is a name (monospace), `rest` what else is known."""

    state: str
    shape: str
    subject: str
    what: str
    address: str
    rest: str


class Wording:
    """The words of one language."""

    def __init__(self, translator: Translator) -> None:
        self._t = translator
        self._details = EventDetails(translator)

    def state(self, state: HostState) -> str:
        """The word of a host's state."""
        return self._t.gettext(STATE_WORDS[state])

    def shape(self, state: str) -> str:
        """The shape of a state."""
        return SHAPES.get(state) or EVENT_SHAPES[state]

    def router(self, state: RouterState) -> str:
        """The word of a router's state."""
        return self._t.gettext(ROUTER_WORDS[state])

    def router_look(self, state: RouterState) -> HostState:
        """The shape and colour that a router's state has."""
        return ROUTER_AS_HOST[state]

    def status(self, status: AccountStatus) -> str:
        """The word of an account's status."""
        return self._t.gettext(STATUS_WORDS[status])

    def ago(self, unit: str) -> str:
        """`{n} min ago`."""
        return self._t.gettext(AGO[unit])

    def lasting(self, unit: str) -> str:
        """`{n} min`."""
        return self._t.gettext(FOR[unit])

    def relative(self) -> dict[str, dict[str, str]]:
        """The patterns of relative times, for the page's script."""
        return {"ago": {u: self.ago(u) for u in AGO}, "for": {u: self.lasting(u) for u in FOR}}

    def causes(self, problem: Problem) -> str:
        """The likely causes, as a list to read."""
        return ", ".join(self._t.gettext(CAUSE_WORDS[cause]) for cause in problem.likely_causes)

    def reason(self, problem: Problem) -> str:
        """Why it counts as a problem, in the words that the network used."""
        known = REASON_WORDS.get(problem.reason or "")
        return self._t.gettext(known) if known else problem.reason or ""

    def likely(self, causes: Sequence[LikelyCause]) -> str:
        """Likely causes, as a list to read."""
        return ", ".join(self._t.gettext(CAUSE_WORDS[cause]) for cause in causes if cause in CAUSE_WORDS)

    def probe(self, kind: ProbeKind) -> str:
        """How a host is asked."""
        return self._t.gettext(PROBE_WORDS[kind])

    def probes(self, kinds: Sequence[ProbeKind]) -> list[tuple[str, str]]:
        """The kinds of probes, for a list to choose from."""
        return [(kind, self.probe(kind)) for kind in kinds]

    def same(self, names: Sequence[str]) -> list[tuple[str, str]]:
        """Names that stand for themselves, for a list to choose from."""
        return [(name, name) for name in names]

    def named(self, entries: Sequence[Site | Router | HostGroup]) -> list[tuple[str, str]]:
        """Entries of the inventory, for a list to choose from."""
        return [(entry.id, entry.name) for entry in entries]

    def seconds(self, seconds: float) -> str:
        """`0.5 s`, `10 min`: as short as it can be said."""
        for unit, size in (("h", 3600), ("min", 60)):
            if seconds >= size and seconds % size == 0:
                return self.lasting(unit).format(n=int(seconds // size))
        decimals = 0 if seconds == int(seconds) else 1 if seconds * 10 == int(seconds * 10) else 2
        return self.lasting("s").format(n=format_number(seconds, self._t.language, decimals=decimals))

    def unit(self, name: str) -> str:
        """The unit of a number in a form."""
        return self._t.gettext("bytes") if name == "bytes" else name

    def down_after(self, policy: ProbePolicy) -> str:
        """What it takes until a host is called down."""
        lasts = max(policy.burst_size * policy.burst_spacing_s, policy.ride_out_s)
        return self._t.ngettext(
            "after {count} more lost in {time}",
            "after {count} more lost in {time}",
            policy.burst_size,
            time=self.seconds(round(lasts, 2)),
        )

    def listed(self, names: Sequence[str]) -> str:
        """Names, or the first few of many."""
        first, more = ", ".join(names[:5]), len(names) - 5
        return self._t.gettext("{names} and {n} more", names=first, n=more) if more > 0 else first

    def grade(self, grade: Grade) -> str:
        """The word of a quality."""
        return self._t.gettext(GRADE_WORDS[grade])

    def span(self, name: str) -> str:
        """`24 h`: how long a chart is."""
        unit = "d" if name.endswith("d") else "h"
        return self.lasting(unit).replace("{n}", name[:-1])

    def picture(self, picture: Picture) -> str:
        """What a chart says, in one sentence."""
        if picture.mean_ms is None or picture.slow_ms is None:
            return self._t.gettext("no answer in this time")
        return self._t.gettext(
            "mean {mean} ms, slowest moments {slow} ms, loss {loss} %",
            mean=f"{picture.mean_ms:.1f}",
            slow=f"{picture.slow_ms:.1f}",
            loss=f"{picture.loss_percent:.2f}",
        )

    def sums(self, found: Availability) -> str:
        """`1 outage, down 2 min; unreachable 1 h`: what was not up."""
        parts = [self._t.ngettext("{count} outage", "{count} outages", found.outages)]
        for state, seconds in (
            (HostState.DOWN, found.down_s),
            (HostState.UNREACHABLE, found.unreachable_s),
            (HostState.MAINTENANCE, found.maintenance_s),
            (HostState.UNKNOWN, found.unknown_s),
        ):
            if seconds >= 1:
                parts.append(f"{self.state(state)} {format_duration(seconds, self._t.language)}")
        return " · ".join(parts)

    def tip(self, host: HostCell) -> str:
        """What a segment tells when it is pointed at."""
        rtt = f" · {host.rtt_ms:.1f} ms" if host.rtt_ms is not None and host.state is HostState.UP else ""
        beneath = f" ({self.state(host.beneath)})" if host.beneath is not None else ""
        return f"{host.name} · {host.address} · {self.state(host.state)}{beneath}{rtt}"

    def problem_word(self, problem: Problem) -> str:
        """How bad it is. A router that cannot be asked is not known to be down: it may only refuse us."""
        if problem.kind is ProblemKind.ALERT and problem.alert is not None:
            return self._t.gettext(EVENT_WORDS.get(problem.alert.alert_kind, ("", problem.alert.alert_kind))[1])
        if problem.kind is ProblemKind.ROUTER:
            return self.router(RouterState.UNREACHABLE)
        return self.state(problem.state)

    def problem_name(self, problem: Problem) -> str:
        """What has the problem."""
        if problem.kind is ProblemKind.ACCOUNTS:
            return self._t.ngettext("{count} account refused", "{count} accounts refused", problem.count)
        return problem.name

    def problem_page(self, problem: Problem) -> str:
        """Where more is to be seen."""
        about = problem.alert.object_id if problem.kind is ProblemKind.ALERT and problem.alert else problem.id
        if problem.kind is ProblemKind.HOST or problem.seen.get("host_id") == about:
            return f"/console/hosts/{about}"
        if problem.kind is ProblemKind.ROUTER or problem.seen.get("router_id") == about:
            return f"/console/routers/{about}"
        return ""

    def behind(self, problem: Problem) -> str:
        """`8 hosts, 1 router`: what the problem explains."""
        hosts, routers = len(problem.hosts_behind), len(problem.routers_behind)
        parts = [
            self._t.ngettext("{count} router", "{count} routers", routers) if routers else "",
            self._t.ngettext("{count} host", "{count} hosts", hosts) if hosts else "",
        ]
        return ", ".join(part for part in parts if part)

    def told(self, names: tuple[str, ...]) -> str:
        """Which chats hear of it."""
        if not names:
            return self._t.gettext("nobody: no chat wants alerts of this site")
        first, more = ", ".join(names[:3]), len(names) - 3
        return self._t.gettext("{names} and {n} more", names=first, n=more) if more > 0 else first

    def trend(self, values: tuple[int, ...]) -> str:
        """What a line of the last hour shows, in words."""
        return self._t.gettext(
            "Last hour: from {first} to {last}, most {top}", first=values[0], last=values[-1], top=max(values)
        )

    def ping_look(self, report: PingReport) -> HostState:
        """The shape and colour of a ping's result."""
        if report.received == 0:
            return HostState.DOWN
        return HostState.UP if report.received == report.sent else HostState.DEGRADED

    def ping(self, report: PingReport) -> str:
        """`4 of 4 answered, 1.2 ms`."""
        if report.received == 0 or report.rtt_avg_ms is None:
            return self._t.gettext("no answer to {sent} pings", sent=report.sent)
        return self._t.gettext(
            "{received} of {sent} answered, {rtt} ms",
            received=report.received,
            sent=report.sent,
            rtt=f"{report.rtt_avg_ms:.1f}",
        )

    def keys(self) -> list[tuple[str, str]]:
        """The keys of every page, for the list that `?` shows."""
        return [(keys, self._t.gettext(what)) for keys, what in KEYS]

    def found_heading(self, kind: FoundKind) -> str:
        """The heading over results of a kind."""
        return self._t.gettext(FOUND_HEADINGS[kind])

    def found_look(self, found: Found) -> str:
        """The shape and colour of a result's state."""
        if found.kind is FoundKind.ROUTER:
            return self.router_look(RouterState(found.state))
        if found.kind is FoundKind.HOST:
            return HostState(found.state)
        return FOUND_LOOKS[found.state]

    def found_state(self, found: Found) -> str:
        """The word of a result's state."""
        if found.kind is FoundKind.ROUTER:
            return self.router(RouterState(found.state))
        if found.kind is FoundKind.HOST:
            return self.state(HostState(found.state))
        if found.kind is FoundKind.ACCOUNT:
            return self.status(AccountStatus(found.state))
        return self._t.gettext("online") if found.state == "open" else self._t.gettext("offline")

    def applied(self, apply_state: ApplyState, took_ms: float | None) -> str:
        """How far the router is with an account."""
        if apply_state is ApplyState.PENDING:
            return self._t.gettext("waiting for the router")
        if apply_state is ApplyState.FAILED:
            return self._t.gettext("refused by the router")
        return self._t.gettext("applied in {ms} ms", ms=f"{took_ms or 0:.0f}")

    def event(self, event: BoardEvent) -> EventLine:
        """A line of the last events."""
        state, word = EVENT_WORDS.get(event.type, ("done", event.type))
        body = event.body
        subject = first(body, "account", "host_name", "object_name", "router_name", "name", "address")
        rest = self._details.of(event.type, body)
        address = first(body, "address") if event.type.startswith(("session.", "host.")) else ""
        return EventLine(state, self.shape(state), subject, self._t.gettext(word), address, " · ".join(rest))

    def seen(self, problem: Problem) -> str:
        """What an alert is about: the value and its limit, the link, the threat."""
        kind = problem.alert.alert_kind if problem.alert else ""
        return " · ".join(self._details.of(kind, problem.seen)) if problem.seen else ""
