"""The messages of an incident: the one that rings first and is edited after, and the one that says it is over."""

from __future__ import annotations

from services.notifier.core.incidents import AlertKind, Incident, Status
from services.notifier.core.markup import Document, Line, Span, bold, document, fill, line, mono, value
from services.notifier.core.messages import observed
from services.notifier.core.messages.remarks import Sending, late, repeated
from services.notifier.core.wording import Wording
from shared.contracts.vocabulary import LikelyCause, ProbeFailure, Severity

_ICONS = {Severity.CRITICAL: "🔴", Severity.WARNING: "🟠", Severity.INFO: "🔵"}


def standing(incident: Incident, sending: Sending, say: Wording, *, how_to_ack: bool) -> Document:
    """The incident as it is: open, taken on by somebody, over, or a blip.

    `how_to_ack`: the channel has no buttons, so the message says which words do the same.
    """
    return document(
        _headline(incident, sending, say),
        _what(incident, say),
        *(observed.lines if incident.status is not Status.RESOLVED or incident.notice else observed.last_lines)(
            incident, say
        ),
        _when(incident, say),
        _likely(incident, say) if incident.status is not Status.RESOLVED else None,
        _taken_on(incident, say),
        late(incident.opened_at, sending, say) if incident.status is Status.OPEN or incident.notice else None,
        _reply_with(incident, say) if how_to_ack and incident.status is Status.OPEN else None,
    )


def over(incident: Incident, sending: Sending, say: Wording) -> Document:
    """The message that rings when a problem is over."""
    ended_at = incident.resolved_at or sending.now
    return document(
        _headline(incident, sending, say),
        _what(incident, say) if incident.subject.kind is AlertKind.HOST_DOWN else None,
        *observed.last_lines(incident, say),
        _when(incident, say),
        late(ended_at, sending, say),
    )


def _headline(incident: Incident, sending: Sending, say: Wording) -> Line:
    _ = say.gettext
    words = observed.STATES.get(incident.subject.kind)
    if incident.status is not Status.RESOLVED or incident.notice:
        icon, state = _ICONS[incident.severity], _(words.begun) if words else _("DOWN")
    elif incident.is_blip:
        icon, state = "⚡", _("BLIP {duration}").format(duration=say.duration(incident.outage_s or 0))
    elif incident.details.get("withdrawn"):
        icon, state = "✅", _(observed.WITHDRAWN)
    else:
        icon, state = "✅", _(words.over) if words else _("UP")
    if incident.status is Status.ACKNOWLEDGED:
        icon = "👷"
    subject = incident.subject
    where = (" @ ", value(subject.site_name)) if subject.site_name else ()
    mark = repeated(sending, say)
    return line(f"{icon} ", bold(state), " · ", value(subject.name), *where, f"  #{incident.number}", *mark)


def _what(incident: Incident, say: Wording) -> Line | None:
    _ = say.gettext
    if not incident.subject.address:
        return None
    address = mono(incident.subject.address)
    if incident.subject.kind in observed.STATES:
        return line(address)
    if incident.status is Status.RESOLVED:
        return line(address)
    if incident.subject.kind is AlertKind.ROUTER_UNREACHABLE:
        return line(address, " · ", *fill(_("the router cannot be asked: {words}"), words=incident.words or "?"))
    return line(address, " · ", _failure(incident.failure, say))


def _when(incident: Incident, say: Wording) -> Line:
    _ = say.gettext
    since = value(say.moment(incident.since))
    if incident.notice:
        return line(since)
    if incident.resolved_at is None:
        return fill(_("Since {moment}"), moment=since)
    return fill(
        _("{beginning} to {end}, {duration}"),
        beginning=since,
        end=value(say.moment(incident.resolved_at)),
        duration=bold(say.duration(incident.outage_s or 0)),
    )


def _likely(incident: Incident, say: Wording) -> Line | None:
    _ = say.gettext
    if not incident.likely_causes:
        return None
    causes = ", ".join(_cause(cause, say) for cause in incident.likely_causes)
    return fill(_("Likely: {causes}"), causes=causes)


def _taken_on(incident: Incident, say: Wording) -> Line | None:
    _ = say.gettext
    if incident.acknowledged_by is None or incident.acknowledged_at is None:
        return None
    moment = value(say.moment(incident.acknowledged_at))
    return line("👷 ", *fill(_("Taken on by {name}, {moment}"), name=bold(incident.acknowledged_by), moment=moment))


def _reply_with(incident: Incident, say: Wording) -> Line:
    _ = say.gettext
    return fill(_("Reply: {command}"), command=mono(f"ack {incident.number}"))


def _failure(failure: ProbeFailure | None, say: Wording) -> Span:
    _ = say.gettext
    words = {
        ProbeFailure.TIMEOUT: _("no reply (timeout, loss 100 %)"),
        ProbeFailure.REFUSED: _("connection refused"),
        ProbeFailure.UNREACHABLE: _("no way to the network"),
        ProbeFailure.PROHIBITED: _("a firewall on the way refuses"),
        ProbeFailure.TTL_EXCEEDED: _("the packets run in a circle"),
        ProbeFailure.NAME_NOT_RESOLVED: _("the name cannot be resolved"),
        ProbeFailure.WRONG_STATUS: _("the page answers with an error"),
        ProbeFailure.TEXT_MISSING: _("the page lacks its text"),
        ProbeFailure.TOO_MANY_REDIRECTS: _("the page sends us in a circle"),
        ProbeFailure.CERTIFICATE: _("the certificate is not valid"),
        ProbeFailure.WRONG_ANSWER: _("the name server answers wrongly"),
        ProbeFailure.REPORTED: _("the router's netwatch says so"),
    }
    return value(words[failure] if failure else _("no reply (timeout, loss 100 %)"))


def _cause(cause: LikelyCause, say: Wording) -> str:
    _ = say.gettext
    return {
        LikelyCause.CABLE_CUT: _("cable cut"),
        LikelyCause.INTERNET_DOWN: _("internet down"),
        LikelyCause.DEVICE_ERROR: _("device error"),
        LikelyCause.DEVICE_OFF: _("device switched off"),
        LikelyCause.PARENT_DOWN: _("the device before it is down"),
        LikelyCause.SERVICE_STOPPED: _("the service stopped"),
        LikelyCause.SERVICE_ERROR: _("the service is out of order"),
        LikelyCause.CERTIFICATE: _("the certificate ended or changed"),
        LikelyCause.ROUTING_LOOP: _("a loop in the routing"),
        LikelyCause.FIREWALL: _("a firewall on the way"),
    }[cause]
