"""Takes secrets out of what is about to be logged: by the name of the field, by the type, and by how the text looks.

A last line of defence. Code does not log secrets; libraries and tracebacks do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic import SecretBytes, SecretStr

from shared.security.secret import MASK, Secret

_NAMES: Final = (
    r"pass(?:word|wd|phrase)?|secret|token|api[-_]?key|seal[-_]?keys?|private[-_]?key|authorization|cookie"
    r"|credentials?|kata[-_]?sandi"
)
# `host_password`, `RONDA_TELEGRAM_TOKEN`, `X-Api-Key`; not `passed`, `tokens_left` or `bypass`.
_FIELD: Final = re.compile(rf"(?:^|.*[^a-z])(?:{_NAMES})s?$", re.IGNORECASE)
_SHAPES: Final = (
    # password=geheim, =password=geheim (RouterOS), "password": "geheim", token: geheim
    (
        re.compile(
            rf"(?i)((?:\b|[_=-])(?:{_NAMES})[\"']?\s*[=:]\s*)(?:\"[^\"]*\"|'[^']*'|(?:bearer|basic)\s+\S+|[^\s,;&\"'}}\])]+)"
        ),
        rf"\g<1>{MASK}",
    ),
    (re.compile(r"(?i)\b(bearer|basic)\s+[a-z0-9._~+/=-]{8,}"), rf"\g<1> {MASK}"),
    (re.compile(r"(\w://[^\s:/@]*):[^\s/]+@"), rf"\g<1>:{MASK}@"),  # nats://ronda:geheim@host
    (re.compile(r"(?<!\d)\d{6,}:[A-Za-z0-9_-]{30,}"), MASK),  # a Telegram bot's token, also inside its address
)


def redact_field(name: str, value: Any) -> Any:
    """A field's value as it may be written."""
    if _FIELD.match(name) and value is not None and not isinstance(value, bool):
        return MASK
    return redact(value)


def redact(value: Any) -> Any:
    """A value without secrets; texts, mappings and sequences are looked through."""
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, Secret | SecretStr | SecretBytes):
        return MASK
    if isinstance(value, Mapping):
        return {key: redact_field(str(key), each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(each) for each in value]
    if isinstance(value, bytes):
        return redact_text(value.decode(errors="backslashreplace"))
    if isinstance(value, BaseException):
        return redact_text(f"{type(value).__name__}: {value}")
    return value


def redact_text(text: str) -> str:
    """A text without what looks like a secret."""
    for shape, replacement in _SHAPES:
        text = shape.sub(replacement, text)
    return text
