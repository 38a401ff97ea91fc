"""What WhatsApp tells us: Meta's signed webhook, and the plain one of gateways, as `Incoming`."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from services.notifier.core.numbers import international
from services.notifier.ports import Incoming
from shared.contracts.ids import new_id
from shared.contracts.vocabulary import Channel
from shared.errors import Invalid

_GROUP = "@g.us"


@dataclass(frozen=True, slots=True)
class Failed:
    """A message that was accepted and then not delivered."""

    message_id: str
    words: str


def is_signed(raw: bytes, header: str, app_secret: str) -> bool:
    """Whether `X-Hub-Signature-256` is the HMAC-SHA256 of the raw body with the app's secret."""
    wanted = "sha256=" + hmac.new(app_secret.encode(), raw, hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted.encode(), header.encode())


def read_cloud(raw: bytes) -> tuple[list[Incoming], list[Failed]]:
    """Messages and failures in a webhook of Meta. Raises Invalid if it is none; unknown kinds are left out."""
    try:
        values = list(_values(json.loads(raw)))
        incoming = [one for value in values for message in value.get("messages", ()) if (one := _cloud(message, value))]
        failed = [_failed(status) for value in values for status in value.get("statuses", ()) if _is_failure(status)]
    except (ValueError, TypeError, AttributeError, KeyError, IndexError) as wrong:
        raise Invalid("this is no WhatsApp webhook") from wrong
    return incoming, failed


def read_gateway(fields: Mapping[str, Any]) -> Incoming | None:
    """A message that a gateway hands over; forks name the fields differently. None: nothing that asks for an answer."""
    sender = _first(fields, "from", "number", "sender", "phone", "chatId")
    text = _first(fields, "message", "text", "body")
    if not sender or not text or str(fields.get("fromMe", "")).lower() in ("true", "1"):
        return None
    in_group = sender.endswith(_GROUP)
    address = sender if in_group else sender.partition("@")[0]
    return Incoming(
        channel=Channel.WHATSAPP,
        key=_first(fields, "id", "message_id", "messageId") or f"gw-{new_id()}",
        address=address if in_group else international(address) or address,
        sender_name=_first(fields, "name", "pushName", "pushname", "notifyName") or address,
        text=text,
        in_group=in_group,
        reply_to=_first(fields, "quoted_id", "quotedId") or None,
    )


def _values(body: Any) -> Iterator[dict[str, Any]]:
    for entry in body.get("entry", ()):
        for change in entry.get("changes", ()):
            if change.get("field") == "messages":
                yield change["value"]


def _cloud(message: dict[str, Any], value: dict[str, Any]) -> Incoming | None:
    number = message.get("from")
    text, button = _said(message)
    if not number or (not text and button is None):
        return None
    names = {contact.get("wa_id"): contact.get("profile", {}).get("name") for contact in value.get("contacts", ())}
    return Incoming(
        channel=Channel.WHATSAPP,
        key=message["id"],
        address=international(f"+{number}") or number,
        sender_name=names.get(number) or number,
        text=text,
        button=button,
        message_id=message["id"],
        reply_to=message.get("context", {}).get("id"),
    )


def _said(message: dict[str, Any]) -> tuple[str, str | None]:
    match message.get("type"):
        case "text":
            return message["text"]["body"], None
        case "interactive":
            chosen = message["interactive"]
            return "", chosen[chosen["type"]]["id"]
        case "button":
            return "", message["button"]["payload"]
        case _:
            return "", None


def _is_failure(status: dict[str, Any]) -> bool:
    return status.get("status") == "failed"


def _failed(status: dict[str, Any]) -> Failed:
    errors = status.get("errors") or [{}]
    details = (errors[0].get("error_data") or {}).get("details") or errors[0].get("title") or "failed"
    return Failed(status["id"], f"({errors[0].get('code', '?')}) {details}")


def _first(fields: Mapping[str, Any], *names: str) -> str:
    return next((str(fields[name]) for name in names if fields.get(name) not in (None, "")), "")
