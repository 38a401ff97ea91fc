"""From the arguments of a call to the text and entities that are stored.

Parsing, trimming, limits, and the links, commands and mentions that the server finds by itself.
"""

from __future__ import annotations

import re
from typing import Any

from lab.chats.telegram.arguments import MAX_TEXT_BYTES, Arguments
from lab.chats.telegram.errors import bad_request
from lab.chats.telegram.html import parse_html, utf16_length

MAX_TEXT = 4096
MAX_CAPTION = 1024
_FOUND = re.compile(
    r"(?P<url>https?://[^\s<>\"]+)|(?<!\w)(?P<bot_command>/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?)(?!\w|/)"
    r"|(?<!\w)(?P<mention>@[A-Za-z][A-Za-z0-9_]{3,31})"
)
_RESERVED = "_*[]()~`>#+-=|{}.!"


def formatted(arguments: Arguments, name: str) -> tuple[str, list[dict[str, Any]]]:
    """Text and entities of `text` or `caption`; raises the real server's 400s."""
    raw = arguments.text(name)
    limit, entities_name = (MAX_TEXT, "entities") if name == "text" else (MAX_CAPTION, "caption_entities")
    if len(raw.encode()) > MAX_TEXT_BYTES:
        raise (bad_request("message is too long") if name == "text" else bad_request("message caption is too long"))
    mode = arguments.text("parse_mode").strip().lower()
    if mode == "html":
        text, entities = parse_html(raw)
    elif mode in {"markdown", "markdownv2"}:
        text, entities = _check_markdown(raw, mode), []
    elif mode in {"", "none"}:
        text, entities = raw, _given_entities(arguments.json(entities_name))
    else:
        raise bad_request("unsupported parse_mode")
    text, entities = trimmed(text, entities)
    if name == "text" and not text:
        raise bad_request("message text is empty")
    if len(text) > limit:
        raise bad_request("message is too long" if name == "text" else "message caption is too long")
    return text, entities + found_entities(text, entities)


def _check_markdown(raw: str, mode: str) -> str:
    """The lab shows Markdown as it was sent, but refuses what is not escaped (the product speaks HTML)."""
    if mode == "markdownv2":
        plain = re.sub(r"\\.", "", raw)
        for character in _RESERVED[8:]:
            if character in plain:
                raise bad_request(
                    f"can't parse entities: Character '{character}' is reserved and must be escaped with the "
                    "preceding '\\'"
                )
    return raw


def _given_entities(value: Any) -> list[dict[str, Any]]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise bad_request("can't parse entities: expected an Array")
    return [dict(item) for item in value]


def trimmed(text: str, entities: list[dict[str, Any]]) -> tuple[str, list[dict[str, Any]]]:
    """Text without space around it, entities moved and cut to fit."""
    stripped = text.strip()
    shift = utf16_length(text[: len(text) - len(text.lstrip())]) if stripped else 0
    total = utf16_length(stripped)
    kept: list[dict[str, Any]] = []
    for entity in entities:
        start = max(0, int(entity.get("offset", 0)) - shift)
        end = min(total, int(entity.get("offset", 0)) - shift + int(entity.get("length", 0)))
        if end > start:
            kept.append({**entity, "offset": start, "length": end - start})
    return stripped, kept


def found_entities(text: str, known: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Links, commands and mentions that the server finds by itself, outside code and links."""
    closed = [e for e in known if e["type"] in {"code", "pre", "text_link"}]
    answer: list[dict[str, Any]] = []
    for match in _FOUND.finditer(text):
        start, length = utf16_length(text[: match.start()]), utf16_length(match.group())
        if any(e["offset"] < start + length and start < e["offset"] + e["length"] for e in closed):
            continue
        answer.append({"type": match.lastgroup, "offset": start, "length": length})
    return answer


def markup_of(arguments: Arguments) -> dict[str, Any] | None:
    """The checked `reply_markup`, or None; raises 400 for what a real keyboard may not hold."""
    markup = arguments.json("reply_markup")
    if markup is None:
        return None
    if not isinstance(markup, dict):
        raise bad_request("object expected as reply markup")
    rows = markup.get("inline_keyboard")
    if rows is None:
        return markup
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad_request('can\'t parse inline keyboard: field "inline_keyboard" must be an Array of Arrays')
    kept = [[_checked_button(button) for button in row] for row in rows if row]
    if sum(len(row) for row in kept) > 100:
        raise bad_request("reply markup is too long")
    return {"inline_keyboard": kept} if kept else None


def _checked_button(button: Any) -> dict[str, Any]:
    prefix = "can't parse inline keyboard button: "
    if not isinstance(button, dict) or not isinstance(button.get("text"), str):
        raise bad_request(prefix + 'Can\'t find field "text"')
    actions = [key for key in ("callback_data", "url", "copy_text", "web_app", "switch_inline_query") if key in button]
    if not actions or not button["text"]:
        raise bad_request(prefix + "Text buttons are unallowed in the inline keyboard")
    if "callback_data" in button and not 1 <= len(str(button["callback_data"]).encode()) <= 64:
        raise bad_request("BUTTON_DATA_INVALID")
    if "url" in button and not re.match(r"(https?|tg)://", str(button["url"])):
        raise bad_request(f"inline keyboard button URL '{button['url']}' is invalid: Wrong HTTP URL")
    if button.get("style") not in {None, "danger", "success", "primary"}:
        raise bad_request(prefix + "invalid button style specified")
    return dict(button)
