"""Lines that any message may need: that it is late, that it is a repetition."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.notifier.core.markup import Line, Span, fill, italic, line
from services.notifier.core.wording import Wording, is_late


@dataclass(frozen=True, slots=True)
class Sending:
    """The circumstances of one sending: now, and whether the chat may have got this message already."""

    now: datetime
    repeated: bool = False


def late(event_at: datetime, sending: Sending, say: Wording) -> Line | None:
    """`Terlambat 12 menit, dikirim …`: only where event and sending lie apart."""
    if not is_late(event_at, sending.now):
        return None
    _ = say.gettext
    delay = say.duration((sending.now - event_at).total_seconds())
    sentence = _("Late by {delay}, sent {moment}")
    return line("⏱ ", *fill(sentence, delay=italic(delay), moment=italic(say.moment(sending.now))))


def repeated(sending: Sending, say: Wording) -> tuple[Span, ...]:
    """The mark of a message whose first sending has an unknown end."""
    _ = say.gettext
    return (Span(" "), italic(_("(repeat)"))) if sending.repeated else ()
