"""Text with styles that belongs to no channel yet: lines of spans, turned into Telegram's HTML or WhatsApp's marks.

Values are never escaped by who writes a message; they are escaped here, once, for the channel at hand. A text that is
too long loses whole lines, so markup is never cut in the middle.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from html import escape

TEXT_LIMIT = 4096  # characters of one message, on Telegram (after parsing) and on WhatsApp
CUT = "…"

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_WHATSAPP_MARK = re.compile(r"[*_~`]")


class Style(StrEnum):
    """How a piece of text looks."""

    PLAIN = "plain"
    BOLD = "bold"
    ITALIC = "italic"
    MONO = "mono"


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of text in one style. `verbatim`: somebody else's text, which no mark may restyle."""

    text: str
    style: Style = Style.PLAIN
    verbatim: bool = False


Piece = Span | str
Line = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A message: lines, the first of which is what a lock screen shows."""

    lines: tuple[Line, ...]

    def __bool__(self) -> bool:
        return bool(self.lines)


def bold(text: object) -> Span:
    """Text that decides."""
    return Span(str(text), Style.BOLD, verbatim=True)


def mono(text: object) -> Span:
    """Addresses, names of interfaces, numbers to copy."""
    return Span(str(text), Style.MONO, verbatim=True)


def italic(text: object) -> Span:
    """Remarks."""
    return Span(str(text), Style.ITALIC, verbatim=True)


def value(text: object) -> Span:
    """A value that looks like the sentence around it."""
    return Span(str(text), verbatim=True)


def line(*pieces: Piece) -> Line:
    """A line of pieces; plain strings are our own words."""
    return tuple(Span(piece) if isinstance(piece, str) else piece for piece in pieces)


def fill(sentence: str, **values: Piece) -> Line:
    """A translated sentence with its `{placeholders}` replaced, each keeping its own style."""
    spans: list[Span] = []
    for index, part in enumerate(_PLACEHOLDER.split(sentence)):
        if index % 2:
            piece = values[part]
            spans.append(piece if isinstance(piece, Span) else value(piece))
        elif part:
            spans.append(Span(part))
    return tuple(spans)


def document(*lines: Line | None) -> Document:
    """A message of the lines that are there."""
    return Document(tuple(one for one in lines if one is not None))


def to_html(text: Document, limit: int = TEXT_LIMIT) -> str:
    """As Telegram's HTML: whole lines within `limit` characters with markup, so surely within them after parsing."""
    return _join(text.lines, _html_span, limit)


def to_whatsapp(text: Document, limit: int = TEXT_LIMIT) -> str:
    """With WhatsApp's marks. There is no escaping: a value that holds a mark itself is put in monospace."""
    return _join(text.lines, _whatsapp_span, limit)


def to_plain(text: Document, limit: int = TEXT_LIMIT) -> str:
    """Without any marks: for templates, logs, and where markup was refused."""
    return _join(text.lines, lambda span: _one_line(span.text), limit)


def _join(lines: Sequence[Line], show: Callable[[Span], str], limit: int) -> str:
    shown: list[str] = []
    left = limit
    for one in lines:
        text = "".join(show(span) for span in one)
        if len(text) + 1 + len(CUT) > left:
            shown.append(text if len(text) <= left and one is lines[-1] else CUT)
            break
        shown.append(text)
        left -= len(text) + 1
    return _cut_line(lines[0], show, limit) if shown == [CUT] else "\n".join(shown)


def _cut_line(one: Line, show: Callable[[Span], str], limit: int) -> str:
    """The bare words of a single line that is too long; cut before they are escaped, never inside an entity."""
    words = "".join(span.text for span in one)[:limit]
    while words and len(show(Span(words, verbatim=True))) + len(CUT) > limit:
        words = words[:-1]
    return show(Span(words, verbatim=True)) + CUT


def _one_line(text: str) -> str:
    return " ".join(text.split("\n"))


def _html_span(span: Span) -> str:
    text = escape(_one_line(span.text), quote=False)
    tag = {Style.BOLD: "b", Style.ITALIC: "i", Style.MONO: "code"}.get(span.style)
    return f"<{tag}>{text}</{tag}>" if tag and text.strip() else text


def _whatsapp_span(span: Span) -> str:
    text = _one_line(span.text)
    if not text.strip():
        return text
    if span.style is Style.MONO or (span.verbatim and _WHATSAPP_MARK.search(text)):
        return "```" + text.replace("`", "'") + "```"
    mark = {Style.BOLD: "*", Style.ITALIC: "_"}.get(span.style, "")
    return f"{mark}{text}{mark}"
