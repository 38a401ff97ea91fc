"""From a planned delivery to what is sent: the text for this reader, now, and the buttons under it."""

from __future__ import annotations

from dataclasses import dataclass

from services.notifier.core.commands import ALLOWED, CommandName, ack_payload
from services.notifier.core.incidents import Incident, Status
from services.notifier.core.markup import Document
from services.notifier.core.messages import alerts, sessions
from services.notifier.core.messages.remarks import Sending
from services.notifier.core.plan import Delivery
from services.notifier.core.reasons import Form
from services.notifier.core.recipients import Abilities
from services.notifier.core.wording import Wording


@dataclass(frozen=True, slots=True)
class Button:
    """Something to press under a message. `payload` is at most 64 bytes."""

    label: str
    payload: str


@dataclass(frozen=True, slots=True)
class Composed:
    """A message ready for its channel."""

    text: Document
    buttons: tuple[Button, ...] = ()


def compose(delivery: Delivery, abilities: Abilities, sending: Sending, say: Wording) -> Composed:
    """What this delivery says. The one place that knows which message belongs to which fact."""
    fact = delivery.fact
    if not isinstance(fact, Incident):
        return Composed(sessions.session(fact, delivery.recipient, sending, say))
    if delivery.form is Form.REPLY:
        return Composed(alerts.over(fact, sending, say))
    may_ack = delivery.recipient.role in ALLOWED[CommandName.ACK]
    text = alerts.standing(fact, sending, say, how_to_ack=may_ack and not abilities.buttons)
    return Composed(text, _buttons(fact, say) if may_ack and abilities.buttons else ())


def _buttons(incident: Incident, say: Wording) -> tuple[Button, ...]:
    _ = say.gettext
    if incident.status is not Status.OPEN:
        return ()
    return (Button("👷 " + _("Take on"), ack_payload(incident.number)),)
