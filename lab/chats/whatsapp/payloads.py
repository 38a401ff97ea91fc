"""Strict reading of `POST /messages`: each kind of message to the bubble it makes, or the error it earns."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from lab.chats.threads import Button
from lab.chats.whatsapp.errors import CloudError, invalid, missing

MAX_BODY = 4096


@dataclass(frozen=True)
class Template:
    """A message that Meta has approved; `{{1}}` and so on are its parameters."""

    name: str
    language: str
    body: str
    buttons: tuple[str, ...] = ()
    header: str = ""
    status: str = "APPROVED"
    category: str = "UTILITY"

    @property
    def parameters(self) -> int:
        """How many parameters the body wants."""
        return len(set(re.findall(r"\{\{(\d+)\}\}", self.body)))


@dataclass(frozen=True)
class Content:
    """What a valid payload shows on the phone."""

    text: str
    buttons: tuple[Button, ...] = ()
    header: str = ""
    footer: str = ""
    photo: str = ""
    file_name: str = ""
    free_form: bool = True
    """Only allowed inside the window."""
    extra: dict[str, Any] = field(default_factory=dict)


def read_content(body: dict[str, Any], templates: dict[tuple[str, str], Template], media: dict[str, Any]) -> Content:
    """The content of a message payload; raises CloudError."""
    kind = body.get("type", "text")
    if kind == "text":
        return _text(_object(body, "text"))
    if kind == "interactive":
        return _interactive(_object(body, "interactive"))
    if kind == "template":
        return _template(_object(body, "template"), templates)
    if kind in {"image", "document"}:
        return _media(kind, _object(body, kind), media)
    if kind in {"audio", "video", "sticker", "location", "contacts", "reaction"}:
        raise CloudError(131051, f"The lab shows no {kind} messages.")
    raise CloudError(
        100,
        "Param type must be one of {AUDIO, CONTACTS, DOCUMENT, IMAGE, INTERACTIVE, LOCATION, REACTION, "
        "STICKER, TEMPLATE, TEXT, VIDEO} - got " + repr(kind),
    )


def _object(body: dict[str, Any], name: str, path: str = "") -> dict[str, Any]:
    value = body.get(name)
    if value is None:
        raise missing(f"{path}['{name}']" if path else name)
    if not isinstance(value, dict):
        raise CloudError(100, f"Param {name} must be a JSON object.")
    return value


def _string(body: dict[str, Any], name: str, limit: int, path: str) -> str:
    value = body.get(name)
    if value is None or value == "":
        raise missing(f"{path}['{name}']")
    if not isinstance(value, str):
        raise CloudError(100, f"Param {path}['{name}'] must be a string.")
    if len(value) > limit:
        raise CloudError(100, f"Param {path}['{name}'] must be at most {limit} characters long.")
    return value


def _text(text: dict[str, Any]) -> Content:
    unknown = set(text) - {"body", "preview_url"}
    if unknown:
        raise CloudError(100, f'Unexpected key "{min(unknown)}" on param "text".')
    if not isinstance(text.get("preview_url", False), bool):
        raise CloudError(100, "Param text['preview_url'] must be a boolean.")
    return Content(_string(text, "body", MAX_BODY, "text"))


def _interactive(interactive: dict[str, Any]) -> Content:
    kind = interactive.get("type")
    body = _string(_object(interactive, "body", "interactive"), "text", 1024, "interactive['body']")
    header = footer = ""
    if "header" in interactive:
        part = _object(interactive, "header")
        if part.get("type") != "text":
            raise invalid("The lab takes only text headers.")
        header = _string(part, "text", 60, "interactive['header']")
    if "footer" in interactive:
        footer = _string(_object(interactive, "footer"), "text", 60, "interactive['footer']")
    action = _object(interactive, "action", "interactive")
    if kind == "button":
        return Content(body, _reply_buttons(action), header, footer)
    if kind == "list":
        return Content(body, _list_rows(action), header, footer)
    raise CloudError(100, f"Param interactive['type'] has no such value: {kind!r}.")


def _reply_buttons(action: dict[str, Any]) -> tuple[Button, ...]:
    given = action.get("buttons")
    if not isinstance(given, list) or not 1 <= len(given) <= 3:
        raise invalid("Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: 3")
    found: list[Button] = []
    for number, item in enumerate(given):
        path = f"action['buttons'][{number}]"
        if not isinstance(item, dict) or item.get("type") != "reply":
            raise invalid(f"{path}['type'] must be reply.")
        reply = _object(item, "reply", path)
        title = _string(reply, "title", 20, f"{path}['reply']")
        found.append(Button(title, "reply", _string(reply, "id", 256, f"{path}['reply']"), number))
    if len({b.value for b in found}) < len(found) or len({b.text for b in found}) < len(found):
        raise invalid("Duplicated button ids or titles.")
    return tuple(found)


def _list_rows(action: dict[str, Any]) -> tuple[Button, ...]:
    _string(action, "button", 20, "action")
    sections = action.get("sections")
    if not isinstance(sections, list) or not 1 <= len(sections) <= 10:
        raise invalid("action['sections'] must hold 1 to 10 sections.")
    found: list[Button] = []
    for section in sections:
        if not isinstance(section, dict):
            raise invalid("A section must be a JSON object.")
        if len(sections) > 1:
            _string(section, "title", 24, "section")
        for row in section.get("rows") or []:
            title = _string(row, "title", 24, "row")
            if len(str(row.get("description", ""))) > 72:
                raise invalid("row['description'] must be at most 72 characters long.")
            found.append(Button(title, "row", _string(row, "id", 200, "row"), len(found)))
    if not 1 <= len(found) <= 10:
        raise invalid("Total row count exceed max allowed count: 10")
    return tuple(found)


def _template(given: dict[str, Any], templates: dict[tuple[str, str], Template]) -> Content:
    name = _string(given, "name", 512, "template")
    language = _string(_object(given, "language", "template"), "code", 12, "template['language']")
    template = templates.get((name, language))
    if template is None or template.status != "APPROVED":
        raise CloudError(132001, f"template name ({name}) does not exist in {language}")
    values: list[str] = []
    payloads: dict[int, str] = {}
    for component in given.get("components") or []:
        kind = str(component.get("type", "")).lower()
        if kind == "body":
            values = [_parameter(p) for p in component.get("parameters") or []]
        elif kind == "button" and str(component.get("sub_type", "")).lower() == "quick_reply":
            parameters = component.get("parameters") or [{}]
            payloads[int(component.get("index", 0))] = str(parameters[0].get("payload", ""))
    if len(values) != template.parameters:
        raise CloudError(
            132000,
            f"body: number of localizable_params ({len(values)}) does not match the expected number of params "
            f"({template.parameters})",
        )
    if payloads and max(payloads) >= len(template.buttons):
        raise CloudError(132012, "buttons: Button at index does not exist in the template")
    text = re.sub(r"\{\{(\d+)\}\}", lambda m: values[int(m.group(1)) - 1], template.body)
    buttons = tuple(
        Button(title, "template", payloads.get(number, title), number) for number, title in enumerate(template.buttons)
    )
    return Content(text, buttons, template.header, free_form=False, extra={"category": template.category})


def _parameter(parameter: Any) -> str:
    if not isinstance(parameter, dict) or parameter.get("type") != "text":
        raise CloudError(132012, "The lab takes only text parameters.")
    text = parameter.get("text")
    if not isinstance(text, str) or not text:
        raise missing("template['components']['parameters']['text']")
    if re.search(r"[\n\t\r]| {5,}", text):
        raise CloudError(100, "Param text cannot have new-line/tab characters or more than 4 consecutive spaces")
    return text


def _media(kind: str, given: dict[str, Any], media: dict[str, Any]) -> Content:
    caption = str(given.get("caption") or "")
    if len(caption) > 1024:
        raise CloudError(100, f"Param {kind}['caption'] must be at most 1024 characters long.")
    media_id = given.get("id")
    if media_id is None:
        if not str(given.get("link", "")).startswith(("http://", "https://")):
            raise missing(f"{kind}['id'] or {kind}['link']")
        return Content(caption, file_name=str(given["link"]))
    if str(media_id) not in media:
        raise CloudError(131009, f"{media_id} is not a valid WhatsApp business account media attachment ID")
    if kind == "image":
        return Content(caption, photo=str(media_id))
    return Content(caption, file_name=str(given.get("filename") or "document"))
