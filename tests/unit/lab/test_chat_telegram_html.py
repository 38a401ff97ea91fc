"""HTML as the Bot API reads it: text, entities in UTF-16 units, and the errors with byte offsets."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.chats.telegram.errors import ApiError
from lab.chats.telegram.html import parse_html, utf16_length

GOOD = [
    pytest.param("<b>DOWN</b> core", "DOWN core", [("bold", 0, 4)], id="bold"),
    pytest.param("🔴 <b>DOWN</b>", "🔴 DOWN", [("bold", 3, 4)], id="utf16 units"),
    pytest.param("<b>a<i>b</i></b>", "ab", [("bold", 0, 2), ("italic", 1, 1)], id="nested"),
    pytest.param("a &lt;b&gt; &amp; &#39;&#x41;", "a <b> & 'A", [], id="references"),
    pytest.param("AT&T &copy; x", "AT&T &copy; x", [], id="unknown reference stays"),
    pytest.param('<a href="http://x.id/?a=1&amp;b=2">x</a>', "x", [("text_link", 0, 1)], id="link"),
    pytest.param('<pre><code class="language-sh">ls</code></pre>', "ls", [("pre", 0, 2)], id="pre code"),
    pytest.param('<span class="tg-spoiler">x</span>', "x", [("spoiler", 0, 1)], id="spoiler"),
    pytest.param("<B>x</>", "x", [("bold", 0, 1)], id="short end tag"),
    pytest.param("<b></b>x", "x", [], id="empty entity vanishes"),
    pytest.param("<blockquote expandable>x</blockquote>", "x", [("expandable_blockquote", 0, 1)], id="expandable"),
]

BAD = [
    pytest.param("<br>", 'Unsupported start tag "br" at byte offset 0', id="br"),
    pytest.param("é <ether1>", 'Unsupported start tag "ether1" at byte offset 3', id="offset in bytes"),
    pytest.param("rtt <5ms", "Unsupported start tag", id="a bare less-than sign"),
    pytest.param("a <b", "Unclosed start tag at byte offset 2", id="cut in the tag"),
    pytest.param("<b>x", 'Can\'t find end tag corresponding to start tag "b"', id="never closed"),
    pytest.param(
        "<b><i>x</b></i>",
        'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"',
        id="crossed",
    ),
    pytest.param("x</b>", "Unexpected end tag at byte offset 1", id="end without start"),
    pytest.param('<span class="red">x</span>', 'Tag "span" must have class "tg-spoiler"', id="span"),
    pytest.param("<a href=http://x>x</a>", "Unexpected end of name token at byte offset 8", id="unquoted"),
]


@pytest.mark.parametrize(("source", "text", "entities"), GOOD)
def test_markup_becomes_text_and_entities(source: str, text: str, entities: list[tuple[str, int, int]]):
    plain, found = parse_html(source)
    assert plain == text
    assert [(e["type"], e["offset"], e["length"]) for e in found] == entities


@pytest.mark.parametrize(("source", "words"), BAD)
def test_broken_markup_is_refused_with_the_servers_words(source: str, words: str):
    with pytest.raises(ApiError) as caught:
        parse_html(source)
    assert caught.value.code == 400
    assert caught.value.description.startswith("Bad Request: can't parse entities: ")
    assert words in caught.value.description.replace('"5ms"', "") or words == "Unsupported start tag"


def test_link_and_language_are_kept():
    assert parse_html('<a href="http://x.id/?a=1&amp;b=2">x</a>')[1][0]["url"] == "http://x.id/?a=1&b=2"
    assert parse_html('<pre><code class="language-sh">ls</code></pre>')[1][0]["language"] == "sh"


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="<&"), max_size=50))
def test_escaped_text_in_a_tag_comes_out_unchanged(value: str):
    plain, found = parse_html(f"<b>{value}</b>")
    assert plain == value
    assert [e["length"] for e in found] == ([utf16_length(value)] if value else [])


@given(st.text(max_size=60))
def test_any_text_is_parsed_or_refused(source: str):
    with contextlib.suppress(ApiError):
        plain, entities = parse_html(source)
        assert all(0 <= e["offset"] < e["offset"] + e["length"] <= utf16_length(plain) for e in entities)
