"""The RouterOS API framing: words with a length in front, sentences ended by a word of no length.

Text is bytes on the wire and the router never looks at its encoding, so it is decoded as UTF-8 with
escapes for everything else and comes back byte for byte.
"""

from __future__ import annotations

import asyncio

from lab.routers.errors import WireError

LONGEST_WORD = 64 * 1024 * 1024
CONTROL_FLOOR = 0xF8
"""First bytes from here on are reserved for control words; none is defined."""


def encode_length(length: int) -> bytes:
    """The prefix of a word of `length` bytes, in the shortest of the five forms. Raises ValueError beyond
    32 bits."""
    if length < 0x80:
        return length.to_bytes(1, "big")
    if length < 0x4000:
        return (length | 0x8000).to_bytes(2, "big")
    if length < 0x200000:
        return (length | 0xC00000).to_bytes(3, "big")
    if length < 0x10000000:
        return (length | 0xE0000000).to_bytes(4, "big")
    if length <= 0xFFFFFFFF:
        return b"\xf0" + length.to_bytes(4, "big")
    raise ValueError(f"a word of {length} bytes does not fit the protocol")


def length_shape(first: int) -> tuple[int, int]:
    """How many more length bytes follow `first`, and the bits of `first` that count. Raises WireError if
    reserved."""
    if first < 0x80:
        return 0, first
    if first < 0xC0:
        return 1, first & 0x3F
    if first < 0xE0:
        return 2, first & 0x1F
    if first < 0xF0:
        return 3, first & 0x0F
    if first < CONTROL_FLOOR:
        return 4, 0
    raise WireError(f"control byte {first:#04x}")


def encode_word(word: str) -> bytes:
    """One word with its length."""
    raw = word.encode("utf-8", "surrogateescape")
    length = len(raw)
    if length < 0x80:
        return bytes((length,)) + raw
    return encode_length(length) + raw


def encode_sentence(words: list[str]) -> bytes:
    """A whole sentence, ended by the empty word."""
    return b"".join(map(encode_word, words)) + b"\x00"


async def read_word(reader: asyncio.StreamReader, longest: int = LONGEST_WORD) -> str:
    """The next word; empty at the end of a sentence. Raises WireError if it is longer than `longest`
    bytes."""
    first = (await reader.readexactly(1))[0]
    more, length = length_shape(first)
    if more:
        for byte in await reader.readexactly(more):
            length = length << 8 | byte
    if length > longest:
        raise WireError(f"a word of {length} bytes is longer than {longest}")
    if not length:
        return ""
    return (await reader.readexactly(length)).decode("utf-8", "surrogateescape")


async def read_sentence(reader: asyncio.StreamReader, longest: int = LONGEST_WORD, most: int = 100_000) -> list[str]:
    """The next sentence, possibly without words. Raises WireError past `most` words, IncompleteReadError
    at the end."""
    words: list[str] = []
    while word := await read_word(reader, longest):
        words.append(word)
        if len(words) > most:
            raise WireError(f"a sentence of more than {most} words")
    return words
