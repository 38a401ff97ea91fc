"""Styled text on both channels: nothing a value holds can become markup, nothing is cut inside it."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from services.notifier.core.markup import bold, document, fill, line, mono, to_html, to_plain, to_whatsapp, value

MESSAGE = document(line("🔴 ", bold("DOWN"), " · ", value("core-1")), line(mono("10.20.0.1"), " · ping"))


def test_both_channels() -> None:
    assert to_html(MESSAGE) == "🔴 <b>DOWN</b> · core-1\n<code>10.20.0.1</code> · ping"
    assert to_whatsapp(MESSAGE) == "🔴 *DOWN* · core-1\n```10.20.0.1``` · ping"
    assert to_plain(MESSAGE) == "🔴 DOWN · core-1\n10.20.0.1 · ping"


def test_value_with_marks_is_put_in_monospace_on_whatsapp() -> None:
    assert to_whatsapp(document(line(value("vlan_10_*"), " ", bold("a`b")))) == "```vlan_10_*``` ```a'b```"


def test_sentence_keeps_the_style_of_its_values() -> None:
    assert to_html(document(fill("{name} & {ip}", name=bold("<x>"), ip="1"))) == "<b>&lt;x&gt;</b> &amp; 1"


@given(st.lists(st.text(max_size=60), max_size=40), st.integers(20, 400))
def test_cut_text_fits_and_its_tags_are_balanced(values: list[str], limit: int) -> None:
    text = to_html(document(*(line(bold(one), " ", mono(one)) for one in values)), limit)
    assert len(text) <= limit
    assert text.count("<b>") == text.count("</b>")
    assert text.count("<code>") == text.count("</code>")
    rest = re.sub(r"</?(b|code)>", "", text)
    assert "<" not in rest
    assert ">" not in rest
    assert not re.search(r"&(?!amp;|lt;|gt;)", rest)
