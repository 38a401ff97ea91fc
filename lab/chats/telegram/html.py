"""`parse_mode=HTML` as the real server reads it, with its errors and byte offsets.

The rules and the sentences follow `do_parse_html` of tdlib/td (td/telegram/MessageEntity.cpp).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from lab.chats.telegram.errors import bad_request

TAGS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "code": "code",
    "pre": "pre",
    "a": "text_link",
    "span": "spoiler",
    "tg-spoiler": "spoiler",
    "blockquote": "blockquote",
    "tg-emoji": "custom_emoji",
    "tg-time": "date_time",
}
_NAMED = {b"lt": "<", b"gt": ">", b"amp": "&", b"quot": '"'}
_REFERENCE = re.compile(rb"&(?:#(?:x([0-9a-fA-F]+)|([0-9]+))|([a-z]+));?")
_SPACE = b" \t\r\n\0\x0b"


@dataclass
class _Open:
    tag: str
    argument: str
    attributes: dict[str, str]
    start: int


def utf16_length(text: str) -> int:
    """Length in UTF-16 code units: the unit of entity offsets and of the 4096 limit's neighbours."""
    return len(text.encode("utf-16-le")) // 2


def parse_html(source: str) -> tuple[str, list[dict[str, Any]]]:
    """Split marked-up text into plain text and entities; raises 400 "can't parse entities: ..."."""
    return _Parser(source.encode()).run()


def _broken(words: str) -> Exception:
    return bad_request(f"can't parse entities: {words}")


class _Parser:
    def __init__(self, source: bytes) -> None:
        self.source = source
        self.at = 0
        self.plain = bytearray()
        self.units = 0
        self.open: list[_Open] = []
        self.entities: list[dict[str, Any]] = []

    def run(self) -> tuple[str, list[dict[str, Any]]]:
        while self.at < len(self.source):
            byte = self.source[self.at : self.at + 1]
            if byte == b"<":
                self._tag()
            elif byte == b"&" and (character := self._reference()):
                self._put(character)
            else:
                self._plain_run()
        if self.open:
            raise _broken(f'Can\'t find end tag corresponding to start tag "{self.open[-1].tag}"')
        return self.plain.decode("utf-8", "replace"), sorted(self.entities, key=lambda e: (e["offset"], -e["length"]))

    def _plain_run(self) -> None:
        end = self.at + 1
        while end < len(self.source) and self.source[end] not in b"<&":
            end += 1
        self._put(self.source[self.at : end].decode("utf-8", "replace"))
        self.at = end

    def _put(self, text: str) -> None:
        self.plain += text.encode()
        self.units += utf16_length(text)

    def _reference(self) -> str:
        """The character of `&lt;`, `&#38;`, `&#x26;` here, or "" (then the ampersand is text)."""
        match = _REFERENCE.match(self.source, self.at)
        if match is None:
            return ""
        hexadecimal, decimal, name = match.groups()
        if name is not None:
            character = _NAMED.get(name, "")
        else:
            number = int(hexadecimal, 16) if hexadecimal else int(decimal)
            character = chr(number) if 0 < number < 0x10FFFF and not 0xD800 <= number < 0xE000 else ""
        if character:
            self.at = match.end()
        return character

    def _peek(self) -> bytes:
        return self.source[self.at : self.at + 1]

    def _skip(self, stop: bytes) -> bytes:
        """Go on to the first of `stop`; what was passed."""
        begin = self.at
        while self.at < len(self.source) and self.source[self.at] not in stop:
            self.at += 1
        return self.source[begin : self.at]

    def _skip_space(self) -> None:
        while self.at < len(self.source) and self.source[self.at] in _SPACE:
            self.at += 1

    def _tag(self) -> None:
        begin = self.at
        self.at += 1
        if self._peek() == b"/":
            self._end_tag(begin)
        else:
            self._start_tag(begin)

    def _start_tag(self, begin: int) -> None:
        name = self._skip(_SPACE + b">").decode("utf-8", "replace").lower()
        if not self._peek():
            raise _broken(f"Unclosed start tag at byte offset {begin}")
        if name not in TAGS:
            raise _broken(f'Unsupported start tag "{name}" at byte offset {begin}')
        attributes: dict[str, str] = {}
        while True:
            self._skip_space()
            if self._peek() == b">":
                break
            key, value = self._attribute(name, begin)
            attributes[key] = value
        self.at += 1
        if name == "span" and attributes.get("class") != "tg-spoiler":
            raise _broken(f'Tag "span" must have class "tg-spoiler" at byte offset {begin}')
        self.open.append(_Open(name, attributes.get("href", ""), attributes, self.units))

    def _attribute(self, tag: str, begin: int) -> tuple[str, str]:
        key = self._skip(_SPACE + b"=>/\"'").decode("utf-8", "replace")
        if not key:
            if not self._peek():
                raise _broken(f"Unclosed start tag at byte offset {begin}")
            raise _broken(f'Empty attribute name in the tag "{tag}" at byte offset {begin}')
        self._skip_space()
        if self._peek() != b"=":
            if not self._peek():
                raise _broken(f'Unclosed start tag "{tag}" at byte offset {begin}')
            return key, ""
        self.at += 1
        self._skip_space()
        value = self._quoted() if self._peek() in {b"'", b'"'} else self._bare()
        if not self._peek():
            raise _broken(f'Unclosed start tag "{tag}" at byte offset {begin}')
        return key, value

    def _bare(self) -> str:
        begin = self.at
        while self._peek().isalnum() or self._peek() in {b".", b"-"}:
            self.at += 1
        if self._peek() and self._peek() not in b" \t\r\n>":
            raise _broken(f"Unexpected end of name token at byte offset {begin}")
        return self.source[begin : self.at].decode().lower()

    def _quoted(self) -> str:
        quote = self._peek()
        self.at += 1
        value = ""
        while self._peek() and self._peek() != quote:
            if self._peek() == b"&" and (character := self._reference()):
                value += character
                continue
            begin = self.at
            self.at += 1
            self._skip(quote + b"&")
            value += self.source[begin : self.at].decode("utf-8", "replace")
        self.at += 1 if self._peek() else 0
        return value

    def _end_tag(self, begin: int) -> None:
        if not self.open:
            raise _broken(f"Unexpected end tag at byte offset {begin}")
        self.at += 1
        name = self._skip(_SPACE + b">").decode("utf-8", "replace")
        self._skip_space()
        if self._peek() != b">":
            raise _broken(f"Unclosed end tag at byte offset {begin}")
        expected = self.open[-1].tag
        if name and name != expected:
            raise _broken(f'Unmatched end tag at byte offset {begin}, expected "</{expected}>", found "</{name}>"')
        self.at += 1
        self._close(self.open.pop())

    def _close(self, opened: _Open) -> None:
        length = self.units - opened.start
        if not length:
            return
        entity: dict[str, Any] = {"type": TAGS[opened.tag], "offset": opened.start, "length": length}
        if opened.tag == "a":
            text = self.plain.decode("utf-8", "replace").encode("utf-16-le")[opened.start * 2 :]
            entity["url"] = opened.argument or text.decode("utf-16-le")
            if "://" not in entity["url"] and not entity["url"].startswith(("tg:", "mailto:", "tel:")):
                if "." not in entity["url"]:
                    return
                entity["url"] = f"http://{entity['url']}"
        if opened.tag == "blockquote" and "expandable" in opened.attributes:
            entity["type"] = "expandable_blockquote"
        if opened.tag == "code" and self.open and self.open[-1].tag == "pre":
            language = opened.attributes.get("class", "").removeprefix("language-")
            self.open[-1].attributes["language"] = language
            return
        if opened.tag == "pre" and opened.attributes.get("language"):
            entity["language"] = opened.attributes["language"]
        self.entities.append(entity)
