"""The message of a login or logout, to the administrator and to the subscriber."""

from __future__ import annotations

from services.notifier.core.greeting import PartOfDay, part_of_day
from services.notifier.core.markup import Document, Line, bold, document, fill, italic, line, mono, value
from services.notifier.core.messages.remarks import Sending, late, repeated
from services.notifier.core.recipients import Recipient
from services.notifier.core.sessions import SessionChange
from services.notifier.core.wording import Wording
from shared.contracts.vocabulary import Service

_SERVICES = {Service.HOTSPOT: "Hotspot", Service.PPP: "PPPoE"}


def session(change: SessionChange, to: Recipient, sending: Sending, say: Wording) -> Document:
    """Greeting, date and time, address, user, status; at the end of a session its length."""
    _ = say.gettext
    icon, status = ("🟢", _("ONLINE")) if change.online else ("⚪", _("OFFLINE"))
    return document(
        line(f"{icon} ", bold(status), " · ", value(change.account), *repeated(sending, say)),
        _greeting(change, to, sending, say),
        fill(_("User: {name}"), name=bold(change.account)),
        fill(_("Time: {moment}"), moment=value(say.moment(change.at))),
        fill(_("IP address: {address}"), address=mono(change.address)) if change.address else None,
        fill(_("Network: {service}, {router}"), service=_SERVICES[change.service], router=value(change.router_name)),
        _length(change, say),
        line(italic(_("Found by comparison: the exact time is not known."))) if change.inferred else None,
        late(change.at, sending, say),
    )


def _greeting(change: SessionChange, to: Recipient, sending: Sending, say: Wording) -> Line:
    _ = say.gettext
    words = {
        PartOfDay.MORNING: _("Good morning"),
        PartOfDay.NOON: _("Good day"),
        PartOfDay.AFTERNOON: _("Good afternoon"),
        PartOfDay.NIGHT: _("Good evening"),
    }[part_of_day(say.local(sending.now))]
    named = to.is_subscriber and to.name != change.account
    return line(words, ", ", value(to.name), ".") if named else line(words, ".")


def _length(change: SessionChange, say: Wording) -> Line | None:
    _ = say.gettext
    if change.online or change.duration_s is None:
        return None
    return fill(_("On line for {duration}"), duration=value(say.duration(change.duration_s)))
