"""A WhatsApp gateway in the style of ngekoding/whatsapp-api: `POST /send-message` with `number` and `message`.

It is unofficial and its number can be banned: messages leave with random gaps (six to ten seconds unless set
otherwise), and a number that WhatsApp has put under restriction is never tried again for the same message.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import httpx

from services.notifier.adapters.pace import Pace
from services.notifier.adapters.whatsapp.http import translated
from services.notifier.adapters.whatsapp.text_only import TextOnly
from services.notifier.core.compose import Button
from services.notifier.core.markup import Document, to_whatsapp
from services.notifier.core.numbers import international
from services.notifier.core.pacing import Rate
from services.notifier.core.recipients import Abilities
from services.notifier.ports import ChatGone, Urgency
from shared.clock import Clock
from shared.contracts.ids import new_id
from shared.errors import Busy, DeadlineExceeded, Invalid, NotAllowed, Rejected, Unreachable

WHO = "the WhatsApp gateway"
LONGEST_GAP = 10 / 6  # of the shortest one
_RESTRICTED = ("463", "timelock", "restrict_all_companions")


class GatewayMessenger(TextOnly):
    """What `services.notifier.ports.Messenger` promises, with text alone."""

    def __init__(self, client: httpx.AsyncClient, url: str, *, gap_s: float, as_json: bool, clock: Clock) -> None:
        """`url` with or without the path; `gap_s` 0: no gaps."""
        self._client = client
        self._url = url.rstrip("/").removesuffix("/send-message")
        self._as_json = as_json
        self._gap_s = gap_s
        self._pace = Pace(self._rates, clock)

    @property
    def abilities(self) -> Abilities:
        return Abilities()

    async def send(
        self,
        to: str,
        text: Document,
        *,
        reply_to: str | None = None,  # noqa: ARG002 - the gateway cannot quote
        buttons: Sequence[Button] = (),  # noqa: ARG002 - nor show buttons
        urgency: Urgency = Urgency.DELIVERY,
    ) -> str:
        path, fields = _addressed(to)
        await self._pace.turn(to, urgency)
        body = {**fields, "message": to_whatsapp(text)}
        with translated(WHO):
            if self._as_json:
                response = await self._client.post(self._url + path, json=body)
            else:
                response = await self._client.post(self._url + path, data=body)
        return _accepted(response)

    def _rates(self, address: str) -> Sequence[tuple[str, Rate]]:  # noqa: ARG002 - one number sends for all chats
        if not self._gap_s:
            return ()
        gap_s = self._gap_s * random.uniform(1.0, LONGEST_GAP)  # noqa: S311 - nothing to guess, only to look human
        return (("gateway", Rate(per_s=1 / gap_s, burst=1.0)),)


def _addressed(to: str) -> tuple[str, dict[str, str]]:
    if to.endswith("@g.us"):
        return "/send-group-message", {"id": to}
    number = international(to)
    if number is None:
        raise Invalid(f"{to} is no telephone number")
    return "/send-message", {"number": number}


def _accepted(response: httpx.Response) -> str:
    """The gateway's id of the message. Success is `status` true, whatever the HTTP status says beside it."""
    body = _body(response)
    if response.is_success and body.get("status") is True:
        return _message_id(body.get("response"))
    words = _words(body)
    if response.status_code in (401, 403, 404):
        raise NotAllowed(f"{WHO} answers {response.status_code}")
    if "not registered" in words.lower():
        raise ChatGone("this number is not on WhatsApp", words=words)
    if any(word in words.lower() for word in _RESTRICTED):
        raise Rejected("WhatsApp restricts the gateway's number", words=words)
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        raise Busy(f"{WHO} asks to slow down")
    if response.status_code in (502, 504) or not body:
        raise DeadlineExceeded(f"{WHO} answered {response.status_code} without its own words")
    if response.is_server_error:
        raise Unreachable(f"{WHO} could not send: {words}")
    raise Rejected(f"{WHO} refuses the message", words=words)


def _body(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _words(body: dict[str, Any]) -> str:
    return str(body.get("message") or body.get("response") or "")[:300]


def _message_id(message: Any) -> str:
    """Forks differ; a message without an id gets one of ours, for the log alone."""
    identity = message.get("id") if isinstance(message, dict) else None
    if isinstance(identity, dict):
        identity = identity.get("_serialized") or identity.get("id")
    return str(identity) if identity else f"gw-{new_id()}"
