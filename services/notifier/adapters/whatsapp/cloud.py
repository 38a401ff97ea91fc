"""Meta's WhatsApp Cloud API: free text within 24 hours of the person's last message, a template outside of them.

Codes and shapes: "WhatsApp Business Platform", Meta for Developers, 2026. `accepted` is not delivered: failures
may come later as a status by webhook.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

from services.notifier.adapters.pace import Pace
from services.notifier.adapters.whatsapp.http import translated
from services.notifier.adapters.whatsapp.text_only import TextOnly
from services.notifier.core.compose import Button
from services.notifier.core.markup import Document, to_plain, to_whatsapp
from services.notifier.core.numbers import international
from services.notifier.core.pacing import Rate
from services.notifier.core.recipients import Abilities
from services.notifier.ports import ChatGone, Urgency
from shared.clock import Clock
from shared.errors import Busy, DeadlineExceeded, Invalid, NotAllowed, Rejected, RondaError, Unreachable

WHO = "the WhatsApp Cloud API"
WINDOW = timedelta(hours=24)
PARAMETER_LIMIT = 900  # characters; a template's body has 1024 in all
SENDING = Rate(per_s=80.0, burst=80.0)  # messages a second per number, Meta's default

_OUTSIDE_WINDOW = 131047
_NOT_ALLOWED = frozenset({0, 3, 10, 190, 368, 131031, 131042, 131005, 133010, *range(200, 300)})
_SLOW_DOWN = {4: 60.0, 80007: 60.0, 130429: 2.0, 131056: 16.0, 131048: 300.0, 133016: 600.0}
_CHAT_GONE = frozenset({131026, 131030, 130472, 130497, 131021})
_LATER = frozenset({1, 2, 131000, 131016, 131057, 135000})

LastHeard = Callable[[str], Awaitable[datetime | None]]
"""When this number wrote to us last."""


class OutsideWindow(Rejected):
    """More than 24 hours since the person wrote."""

    code = "outside_window"


@dataclass(frozen=True, slots=True)
class Templates:
    """Approved templates with two parameters each: the first line and the rest."""

    alert: str  # for what asks to be taken on; it may have buttons of its own
    notice: str  # for what only tells
    language: str


class CloudMessenger(TextOnly):
    """What `services.notifier.ports.Messenger` promises."""

    def __init__(  # one argument per setting
        self,
        client: httpx.AsyncClient,
        *,
        url: str,
        version: str,
        phone_id: str,
        templates: Templates,
        last_heard: LastHeard,
        clock: Clock,
    ) -> None:
        """`client` carries the token."""
        self._client = client
        self._messages = f"{url.rstrip('/')}/{version}/{phone_id}/messages"
        self._templates = templates
        self._last_heard = last_heard
        self._clock = clock
        self._pace = Pace(lambda _: (("number", SENDING),), clock)

    @property
    def abilities(self) -> Abilities:
        return Abilities(reply=True)

    async def send(
        self,
        to: str,
        text: Document,
        *,
        reply_to: str | None = None,
        buttons: Sequence[Button] = (),
        urgency: Urgency = Urgency.DELIVERY,
    ) -> str:
        number = international(to)
        if number is None:
            raise Invalid(f"{to} is no telephone number")
        await self._pace.turn(number, urgency)
        if await self._window_is_open(number):
            try:
                return await self._post(number, self._free(text, reply_to))
            except OutsideWindow:
                pass  # Meta's clock decides
        return await self._post(number, self._templated(text, asks=bool(buttons)))

    async def _window_is_open(self, number: str) -> bool:
        heard = await self._last_heard(number)
        return heard is not None and self._clock.now() - heard < WINDOW

    def _free(self, text: Document, reply_to: str | None) -> dict[str, Any]:
        body: dict[str, Any] = {"type": "text", "text": {"body": to_whatsapp(text), "preview_url": False}}
        return {**body, "context": {"message_id": reply_to}} if reply_to else body

    def _templated(self, text: Document, *, asks: bool) -> dict[str, Any]:
        first, *rest = to_plain(text).split("\n")
        values = [_parameter(first), _parameter(" · ".join(rest)) or "-"]
        parameters = [{"type": "text", "text": one} for one in values]
        return {
            "type": "template",
            "template": {
                "name": self._templates.alert if asks else self._templates.notice,
                "language": {"code": self._templates.language},
                "components": [{"type": "body", "parameters": parameters}],
            },
        }

    async def _post(self, number: str, content: dict[str, Any]) -> str:
        body = {"messaging_product": "whatsapp", "recipient_type": "individual", "to": number, **content}
        with translated(WHO):
            response = await self._client.post(self._messages, json=body)
        try:
            answer = response.json()
        except ValueError as unreadable:
            raise DeadlineExceeded(f"{WHO} answered {response.status_code} without its own words") from unreadable
        if response.is_success:
            return str(answer["messages"][0]["id"])
        error = _ours(answer.get("error") or {}, response.status_code)
        if isinstance(error, Busy) and error.retry_after is not None:
            self._pace.hold(number, error.retry_after)
        raise error


def _parameter(text: str) -> str:
    """A template's parameter holds no line ends, tabs or rows of spaces."""
    flat = " ".join(text.split())
    return flat if len(flat) <= PARAMETER_LIMIT else flat[: PARAMETER_LIMIT - 1] + "…"


def _ours(error: dict[str, Any], status: int) -> RondaError:
    """Decided by the code alone: titles and HTTP statuses vary."""
    code = int(error.get("code") or 0)
    details = (error.get("error_data") or {}).get("details") or error.get("message") or f"HTTP {status}"
    words = f"({code}) {details}"
    if code == _OUTSIDE_WINDOW:
        return OutsideWindow(words)
    if code in _SLOW_DOWN:
        return Busy(words, retry_after=_SLOW_DOWN[code])
    if code in _CHAT_GONE:
        return ChatGone("WhatsApp cannot deliver to this number", words=words)
    if code in _LATER or (not error and status >= httpx.codes.INTERNAL_SERVER_ERROR):
        return Unreachable(words)
    if code in _NOT_ALLOWED:
        return NotAllowed(words)
    return Rejected("WhatsApp refuses the message", words=words)
