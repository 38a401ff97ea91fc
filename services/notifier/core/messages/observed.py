"""What a message says of everything that is not simply up or down: one row of words per kind, one function per line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from services.notifier.core.incidents import AlertKind, Detail, Incident
from services.notifier.core.markup import Line, bold, fill, italic, line, mono, value
from services.notifier.core.wording import Wording
from shared.contracts.vocabulary import DropCause, QualityFault, RouterResource, Threat, WitnessKind
from shared.i18n import N_


@dataclass(frozen=True, slots=True)
class StateWords:
    """What the headline says while it lasts and when it is over. Notices have no end."""

    begun: str
    over: str = ""


STATES: Mapping[AlertKind, StateWords] = {
    AlertKind.HOST_FLAPPING: StateWords(N_("FLAPPING"), N_("STEADY")),
    AlertKind.HOST_DEGRADED: StateWords(N_("DEGRADED"), N_("GOOD AGAIN")),
    AlertKind.HOST_SILENT: StateWords(N_("ANSWERS NO PROBES"), N_("ANSWERS PROBES")),
    AlertKind.OUTAGE: StateWords(N_("OUTAGE"), N_("OUTAGE OVER")),
    AlertKind.POLLER_BLIND: StateWords(N_("POLLER BLIND"), N_("POLLER SEES")),
    AlertKind.POLLER_RETURNED: StateWords(N_("POLLER BACK")),
    AlertKind.ROUTER_STRESSED: StateWords(N_("BEYOND LIMIT"), N_("NORMAL")),
    AlertKind.ROUTER_REBOOTED: StateWords(N_("REBOOTED")),
    AlertKind.ROUTER_UPGRADED: StateWords(N_("NEW VERSION")),
    AlertKind.INTERFACE_DOWN: StateWords(N_("LINK DOWN"), N_("LINK UP")),
    AlertKind.NEIGHBOR_SEEN: StateWords(N_("NEW NEIGHBOUR")),
    AlertKind.THREAT: StateWords(N_("SECURITY"), N_("SECURITY: OVER")),
    AlertKind.SESSIONS_DROPPED: StateWords(N_("MASS DROP"), N_("SESSIONS BACK")),
}

WITHDRAWN = N_("NOT WATCHED ANY MORE")
"""In place of `over`, where it ended because somebody no longer wants to know."""

RESOURCES: Mapping[str, str] = {
    RouterResource.CPU: N_("CPU"),
    RouterResource.MEMORY: N_("memory"),
    RouterResource.DISK: N_("disk"),
    RouterResource.TEMPERATURE: N_("temperature"),
    RouterResource.VOLTAGE: N_("voltage"),
    RouterResource.POOL: N_("address pool"),
    RouterResource.CLOCK: N_("clock"),
}
FAULTS: Mapping[str, str] = {
    QualityFault.LOSS: N_("packets are lost"),
    QualityFault.DELAY: N_("answers are slow"),
    QualityFault.JITTER: N_("answers come unevenly"),
}
WITNESSES: Mapping[str, str] = {
    WitnessKind.POLLER: N_("another poller"),
    WitnessKind.SESSION: N_("a session that moves bytes"),
    WitnessKind.NETWATCH: N_("a router's netwatch"),
    WitnessKind.ROUTER: N_("a ping from its router"),
}
THREATS: Mapping[str, str] = {
    Threat.LOGIN_FAILURES: N_("many failed log-ins"),
    Threat.UNKNOWN_LOGIN: N_("log-in from an unknown address"),
    Threat.CONFIGURATION_CHANGED: N_("configuration changed by hand"),
    Threat.ROGUE_DHCP: N_("a foreign DHCP server"),
    Threat.TRAFFIC_ABNORMAL: N_("traffic far from its normal"),
}
CAUSES: Mapping[str, str] = {
    DropCause.ROUTER: N_("router"),
    DropCause.INTERFACE: N_("interface"),
    DropCause.VLAN: N_("VLAN"),
    DropCause.POOL: N_("address pool"),
}

Details = Mapping[str, Detail]


def lines(incident: Incident, say: Wording) -> Iterable[Line]:
    """What is wrong, while it is."""
    teller = _LINES.get(incident.subject.kind)
    yield from teller(incident.details, say) if teller else ()
    if incident.words and incident.subject.kind in STATES:
        yield line(italic(incident.words))


def last_lines(incident: Incident, say: Wording) -> Iterable[Line]:
    """What the end has to say besides that it is the end."""
    _ = say.gettext
    details = incident.details
    if incident.subject.kind in _NAMED_AGAIN:
        yield from _LINES[incident.subject.kind](details, say)
    if incident.subject.kind is AlertKind.OUTAGE and details.get("still_down"):
        yield fill(_("{count} hosts are still down."), count=_number(details, "still_down", say))
    if incident.subject.kind is AlertKind.SESSIONS_DROPPED:
        yield fill(
            _("{back} of {lost} sessions are back."),
            back=_number(details, "back", say),
            lost=_number(details, "lost", say),
        )


def _flapping(details: Details, say: Wording) -> Iterable[Line]:
    sentence = say.gettext("{count} changes in {duration}")
    window = say.duration(float(details.get("window_s") or 0))
    yield fill(sentence, count=_number(details, "changes", say), duration=value(window))


def _degraded(details: Details, say: Wording) -> Iterable[Line]:
    _ = say.gettext
    faults = [_(FAULTS[fault]) for fault in str(details.get("faults") or "").split(",") if fault in FAULTS]
    if faults:
        yield line(bold(", ".join(faults)))
    yield fill(
        _("loss {loss} % · delay {delay} ms · jitter {jitter} ms"),
        loss=_number(details, "loss_percent", say, 1),
        delay=_number(details, "delay_ms", say, 1),
        jitter=_number(details, "jitter_ms", say, 1),
    )
    if details.get("usual_ms") is not None:
        yield fill(_("usually {delay} ms"), delay=_number(details, "usual_ms", say, 1))


def _silent(details: Details, say: Wording) -> Iterable[Line]:
    _ = say.gettext
    witness = _(WITNESSES.get(str(details.get("witness")), "?"))
    seen_by = mono(str(details.get("seen_by") or "?"))
    yield fill(_("It lives: seen by {witness} ({who}). Something stops the probes."), witness=witness, who=seen_by)


def _outage(details: Details, say: Wording) -> Iterable[Line]:
    sentence = say.gettext("{count} of {total} hosts fell silent together")
    yield fill(sentence, count=_number(details, "hosts", say), total=_number(details, "of", say))


def _blind(details: Details, say: Wording) -> Iterable[Line]:
    sentence = say.gettext("None of its sentinels answers ({addresses}). Its hosts are not judged meanwhile.")
    yield fill(sentence, addresses=mono(str(details.get("sentinels") or "?")))


def _returned(details: Details, say: Wording) -> Iterable[Line]:
    _ = say.gettext
    yield fill(_("It was cut off and has told {count} changes late."), count=_number(details, "facts", say))
    if details.get("down"):
        yield fill(_("{count} hosts are down now."), count=_number(details, "down", say))


def _stressed(details: Details, say: Wording) -> Iterable[Line]:
    resource = say.gettext(RESOURCES.get(str(details.get("resource")), "?"))
    part = f" {details['part']}" if details.get("part") else ""
    unit = value(str(details.get("unit") or ""))
    yield fill(
        say.gettext("{what}: {value} {unit}, limit {limit} {unit}"),
        what=bold(resource + part),
        value=_number(details, "value", say, 1),
        limit=_number(details, "limit", say, 1),
        unit=unit,
    )


def _rebooted(details: Details, say: Wording) -> Iterable[Line]:
    before = details.get("uptime_before_s")
    if before is not None:
        yield fill(say.gettext("It had run for {duration}."), duration=value(say.duration(float(before))))


def _upgraded(details: Details, say: Wording) -> Iterable[Line]:  # noqa: ARG001
    yield line(mono(str(details.get("version_before") or "?")), " → ", mono(str(details.get("version") or "?")))


def _interface(details: Details, say: Wording) -> Iterable[Line]:  # noqa: ARG001 - one signature for all lines
    comment = (" · ", value(str(details["comment"]))) if details.get("comment") else ()
    yield line(mono(str(details.get("interface") or "?")), *comment)


def _threat(details: Details, say: Wording) -> Iterable[Line]:
    _ = say.gettext
    count = f" ({details['count']} ×)" if details.get("count") else ""
    yield line(bold(_(THREATS.get(str(details.get("threat")), "?"))), count)
    if details.get("source"):
        yield fill(_("From {source}"), source=mono(str(details["source"])))
    if details.get("user"):
        via = f" ({details['via']})" if details.get("via") else ""
        yield fill(_("As {user}"), user=mono(f"{details['user']}{via}"))
    if details.get("value") is not None:
        yield fill(
            _("now {value} {unit}, usually {usual} {unit}"),
            value=_number(details, "value", say),
            usual=_number(details, "usual", say),
            unit=value(str(details.get("unit") or "")),
        )


def _dropped(details: Details, say: Wording) -> Iterable[Line]:
    cause = say.gettext(CAUSES.get(str(details.get("cause")), "?"))
    yield fill(
        say.gettext("{cause} {name} lost {lost} of {of} sessions"),
        cause=cause,
        name=mono(str(details.get("cause_name") or "?")),
        lost=_number(details, "lost", say),
        of=_number(details, "of", say),
    )


_LINES: Mapping[AlertKind, Callable[[Details, Wording], Iterable[Line]]] = {
    AlertKind.HOST_FLAPPING: _flapping,
    AlertKind.HOST_DEGRADED: _degraded,
    AlertKind.HOST_SILENT: _silent,
    AlertKind.OUTAGE: _outage,
    AlertKind.POLLER_BLIND: _blind,
    AlertKind.POLLER_RETURNED: _returned,
    AlertKind.ROUTER_STRESSED: _stressed,
    AlertKind.ROUTER_REBOOTED: _rebooted,
    AlertKind.ROUTER_UPGRADED: _upgraded,
    AlertKind.INTERFACE_DOWN: _interface,
    AlertKind.THREAT: _threat,
    AlertKind.SESSIONS_DROPPED: _dropped,
}


# One of several of its kind at the same router: the end says, too, which one it is.
_NAMED_AGAIN = frozenset({AlertKind.INTERFACE_DOWN, AlertKind.ROUTER_STRESSED})


def _number(details: Details, name: str, say: Wording, digits: int = 0) -> str:
    found = details.get(name)
    return say.number(float(found), digits) if isinstance(found, int | float) else "?"
