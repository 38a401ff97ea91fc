from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.subjects import Kind, escape_token, every, subject, unescape_token


@given(st.text())
def test_escaping_can_be_undone(text):
    assert unescape_token(escape_token(text)) == text


@given(st.text())
def test_escaped_text_is_one_token_that_nats_allows(text):
    token = escape_token(text)
    assert token
    assert token.isascii()
    assert not set(token) & set(".*> \t\r\n")


@given(st.text(), st.text())
def test_different_texts_never_share_a_token(one, other):
    assert (escape_token(one) == escape_token(other)) == (one == other)


def test_subject_escapes_every_part_of_the_scope():
    assert subject(Kind.EVENT, "session.opened", "r1", "budi@paket 10") == (
        "ronda.v1.evt.session.opened.r1.budi=40paket=2010"
    )


def test_a_name_cannot_widen_a_subject():
    assert subject(Kind.DESIRED, "account", "r1.>", "*").count(".") == 5


def test_filters_keep_their_wildcards():
    assert every(Kind.DESIRED, "account", "r1") == "ronda.v1.desired.account.r1.>"
