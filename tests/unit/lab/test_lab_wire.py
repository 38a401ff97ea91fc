"""The framing of the API: lengths, words and sentences."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.routers import wire
from lab.routers.errors import WireError


def reader(raw: bytes) -> asyncio.StreamReader:
    stream = asyncio.StreamReader()
    stream.feed_data(raw)
    stream.feed_eof()
    return stream


@pytest.mark.parametrize(
    ("length", "prefix"),
    [
        (0, "00"),
        (0x7F, "7f"),
        (0x80, "8080"),
        (0x3FFF, "bfff"),
        (0x4000, "c04000"),
        (0x1FFFFF, "dfffff"),
        (0x200000, "e0200000"),
        (0xFFFFFFF, "efffffff"),
        (0x10000000, "f010000000"),
        (0xFFFFFFFF, "f0ffffffff"),
    ],
)
def test_lengths_at_the_borders_of_the_five_forms(length, prefix):
    assert wire.encode_length(length).hex() == prefix


def test_length_beyond_32_bits_is_refused():
    with pytest.raises(ValueError, match="does not fit"):
        wire.encode_length(0x100000000)


@given(st.integers(0, 0xFFFFFFFF))
def test_length_comes_back(length):
    raw = wire.encode_length(length)
    more, value = wire.length_shape(raw[0])
    assert more == len(raw) - 1
    for byte in raw[1:]:
        value = value << 8 | byte
    assert value == length


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=8))
def test_any_bytes_come_back_in_sentences(words):
    texts = [word.decode("utf-8", "surrogateescape") for word in words]
    raw = wire.encode_sentence(texts)
    assert raw.endswith(b"\0")

    async def read():
        return await wire.read_sentence(reader(raw))

    again = asyncio.run(read())
    assert [word.encode("utf-8", "surrogateescape") for word in again] == words


@pytest.mark.parametrize("first", [0xF8, 0xFF])
async def test_control_bytes_end_the_connection(first):
    with pytest.raises(WireError):
        await wire.read_word(reader(bytes([first, 0, 0])))


async def test_too_long_a_word_is_refused_before_it_is_read():
    with pytest.raises(WireError, match="longer than"):
        await wire.read_word(reader(wire.encode_length(1000)), longest=999)


async def test_too_many_words_are_refused():
    with pytest.raises(WireError, match="more than 3 words"):
        await wire.read_sentence(reader(wire.encode_sentence(["a"] * 4)), most=3)


async def test_cut_word_is_noticed():
    with pytest.raises(asyncio.IncompleteReadError):
        await wire.read_sentence(reader(wire.encode_sentence(["/login"])[:4]))
