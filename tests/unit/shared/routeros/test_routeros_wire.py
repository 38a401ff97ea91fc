"""Bytes to sentences and back, in any pieces."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from librouteros.exceptions import ProtocolError
from librouteros.protocol import encode_sentence as by_librouteros

from shared.errors import Invalid
from shared.routeros.reply import printable
from shared.routeros.wire import LONGEST_WORD, SentenceDecoder, encode_sentence

# Examples may take long on a busy machine; that says nothing about the code.
untimed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

raw_words = st.binary(min_size=1, max_size=140)
texts = raw_words.map(lambda raw: raw.decode("utf-8", "surrogateescape"))
sentences = st.lists(st.lists(texts, min_size=1, max_size=5), min_size=1, max_size=4)


@untimed
@given(sentences, st.lists(st.integers(1, 50), max_size=30))
def test_any_bytes_in_any_pieces_come_back(expected: list[list[str]], sizes: list[int]):
    stream = b"".join(encode_sentence(words) for words in expected)
    decoder, seen, position = SentenceDecoder(), [], 0
    for size in [*sizes, len(stream)]:
        seen += decoder.feed(stream[position : position + size])
        position += size
    assert seen == expected
    assert not decoder.halfway


@untimed
@given(raw_words)
def test_every_byte_survives_the_round_trip(raw: bytes):
    decoded = SentenceDecoder().feed(encode_sentence(["x"])[:-1] + encode_sentence([raw.decode("latin-1")]))
    assert decoded  # two words, one sentence
    text = raw.decode("utf-8", "surrogateescape")
    assert encode_sentence([text])[-len(raw) - 1 : -1] == raw


@untimed
@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=1))
def test_clean_text_is_encoded_as_librouteros_does(words: list[str]):
    assert encode_sentence(words) == by_librouteros(*words, encoding="utf-8")


@pytest.mark.parametrize("size", [0x7F, 0x80, 0x3FFF, 0x4000, 0x1FFFFF, 0x200000])
def test_lengths_at_every_border(size: int):
    word = "x" * size
    decoder = SentenceDecoder()
    stream = encode_sentence([word])
    assert decoder.feed(stream[:1]) == []
    assert decoder.halfway
    assert decoder.feed(stream[1:]) == [[word]]


@pytest.mark.parametrize(
    "noise",
    [b"\xf0\x10\x00\x00\x00", b"\xf8", b"\xff", (LONGEST_WORD + 1 | 0xE0000000).to_bytes(4, "big")],
    ids=["five bytes", "control", "control end", "too long"],
)
def test_noise_is_refused(noise: bytes):
    with pytest.raises(ProtocolError):
        SentenceDecoder().feed(noise)


def test_half_a_character_is_invalid():
    with pytest.raises(Invalid):
        encode_sentence(["=name=\ud83d"])


@untimed
@given(st.binary())
def test_printable_text_is_always_storable(raw: bytes):
    shown = printable(raw.decode("utf-8", "surrogateescape"))
    shown.encode("utf-8")


def test_printable_reads_strays_as_latin_1_and_leaves_the_rest():
    assert printable(b"caf\xe9 \xc3\xa9".decode("utf-8", "surrogateescape")) == "café é"
