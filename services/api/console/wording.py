"""What the console says of states, causes and events, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.api.core.account import ApplyState
from services.api.core.board import Board, BoardEvent, HostCell, Problem, ProblemKind, RouterState
from shared.contracts.vocabulary import AccountStatus, HostState, LikelyCause, ProbeFailure
from shared.i18n import Translator

LANGUAGES = {"id": "Bahasa Indonesia", "en": "English"}


def _(text: str) -> str:
    """Marks a text for the catalogues; it is translated where it is used."""
    return text


SHAPES: dict[str, str] = {
    HostState.UP: "●",
    HostState.SUSPECT: "◐",
    HostState.DEGRADED: "◐",
    HostState.FLAPPING: "◐",
    HostState.DOWN: "■",
    HostState.UNREACHABLE: "▨",
    HostState.UNKNOWN: "○",
    HostState.MAINTENANCE: "▨",
}
STATE_WORDS: dict[str, str] = {
    HostState.UP: _("up"),
    HostState.SUSPECT: _("suspect"),
    HostState.DOWN: _("down"),
    HostState.UNREACHABLE: _("unreachable"),
    HostState.DEGRADED: _("degraded"),
    HostState.FLAPPING: _("flapping"),
    HostState.UNKNOWN: _("unknown"),
    HostState.MAINTENANCE: _("maintenance"),
}
ROUTER_WORDS = {
    RouterState.REACHABLE: _("reachable"),
    RouterState.UNREACHABLE: _("unreachable"),
    RouterState.UNKNOWN: _("unknown"),
}
ROUTER_AS_HOST = {
    RouterState.REACHABLE: HostState.UP,
    RouterState.UNREACHABLE: HostState.DOWN,
    RouterState.UNKNOWN: HostState.UNKNOWN,
}
CAUSE_WORDS = {
    LikelyCause.CABLE_CUT: _("cable cut"),
    LikelyCause.INTERNET_DOWN: _("internet down"),
    LikelyCause.DEVICE_ERROR: _("device error"),
    LikelyCause.DEVICE_OFF: _("device off"),
    LikelyCause.PARENT_DOWN: _("the device before it is down"),
    LikelyCause.SERVICE_STOPPED: _("service stopped"),
}
REASON_WORDS: dict[str, str] = {
    ProbeFailure.TIMEOUT: _("no answer"),
    ProbeFailure.REFUSED: _("connection refused"),
    ProbeFailure.UNREACHABLE: _("no way to it"),
    ProbeFailure.NAME_NOT_RESOLVED: _("name not resolved"),
}
STATUS_WORDS = {
    AccountStatus.ACTIVE: _("active"),
    AccountStatus.DISABLED: _("isolated"),
    AccountStatus.DELETED: _("deleted"),
}
AGO = {"s": _("%d s ago"), "min": _("%d min ago"), "h": _("%d h ago"), "d": _("%d d ago")}
FOR = {"s": _("%d s"), "min": _("%d min"), "h": _("%d h"), "d": _("%d d")}
# type → state that colours the line, what happened
EVENT_WORDS: dict[str, tuple[str, str]] = {
    "host.down": (HostState.DOWN, _("down")),
    "host.up": (HostState.UP, _("up")),
    "host.unknown": (HostState.UNKNOWN, _("unknown")),
    "router.reachable": (HostState.UP, _("reachable")),
    "router.unreachable": (HostState.DOWN, _("unreachable")),
    "session.opened": ("on", _("online")),
    "session.closed": ("off", _("offline")),
    "account.applied": ("done", _("applied")),
    "account.failed": (HostState.DEGRADED, _("refused by the router")),
    "alert.opened": ("alert", _("alert")),
    "alert.acknowledged": ("done", _("taken on")),
    "alert.resolved": ("done", _("resolved")),
    "chat.refused": ("off", _("stranger refused")),
    "chat.unusable": (HostState.DEGRADED, _("chat cannot be reached")),
}
EVENT_SHAPES = {"on": "↗", "off": "↘", "done": "✓", "alert": "!"}


@dataclass(frozen=True, slots=True)
class EventLine:
    """One line of the last events. `subject` is a name (monospace), `rest` what else is known."""

    state: str
    shape: str
    subject: str
    what: str
    rest: str


class Wording:
    """The words of one language."""

    def __init__(self, translator: Translator) -> None:
        self._t = translator

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
        """`%d min ago`."""
        return self._t.gettext(AGO[unit])

    def lasting(self, unit: str) -> str:
        """`%d min`."""
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

    def tip(self, host: HostCell) -> str:
        """What a segment tells when it is pointed at."""
        rtt = f" · {host.rtt_ms:.1f} ms" if host.rtt_ms is not None and host.state is HostState.UP else ""
        return f"{host.name} · {host.address} · {self.state(host.state)}{rtt}"

    def problem_name(self, problem: Problem) -> str:
        """What has the problem."""
        if problem.kind is ProblemKind.ACCOUNTS:
            count = problem.count
            return self._t.ngettext("%(n)d account refused", "%(n)d accounts refused", count) % {"n": count}
        return problem.name

    def counts(self, board: Board) -> str:
        """`312 hosts, 3 routers, 1,204 sessions` without the separators of thousands, for the page's title."""
        return " · ".join(self.problem_name(problem) for problem in board.problems[:3])

    def applied(self, apply_state: ApplyState, took_ms: float | None) -> str:
        """How far the router is with an account."""
        if apply_state is ApplyState.PENDING:
            return self._t.gettext(_("waiting for the router"))
        if apply_state is ApplyState.FAILED:
            return self._t.gettext(_("refused by the router"))
        return self._t.gettext(_("applied in %(ms)s ms")) % {"ms": f"{took_ms or 0:.0f}"}

    def event(self, event: BoardEvent) -> EventLine:
        """A line of the last events."""
        state, word = EVENT_WORDS.get(event.type, ("done", event.type))
        body = event.body
        subject = _first(body, "account", "host_name", "object_name", "router_name", "name", "address")
        rest = [part for part in self._details(event.type, body) if part]
        return EventLine(state, self.shape(state), subject, self._t.gettext(word), " · ".join(rest))

    def _details(self, kind: str, body: Mapping[str, object]) -> list[str]:
        if kind.startswith("session."):
            return [_first(body, "address"), _first(body, "router_name")]
        if kind.startswith("host."):
            return [_first(body, "address"), _first(body, "site_name"), self._outage(body)]
        if kind == "account.failed":
            return [_first(body, "router_words")]
        if kind == "account.applied":
            return [f"{float(str(body['took_ms'])):.0f} ms"]
        if kind == "alert.acknowledged":
            return [_first(body, "by")]
        return [_first(body, "reason", "version")]

    def _outage(self, body: Mapping[str, object]) -> str:
        seconds = body.get("outage_s")
        if not isinstance(seconds, int | float):
            return ""
        unit, size = next(((u, s) for u, s in (("d", 86400), ("h", 3600), ("min", 60)) if seconds >= s), ("s", 1))
        return self._t.gettext(_("after %(time)s")) % {"time": self.lasting(unit) % int(seconds // size)}


def _first(body: Mapping[str, object], *names: str) -> str:
    return next((str(body[name]) for name in names if body.get(name)), "")
