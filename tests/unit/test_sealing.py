"""Sealed texts open with the right key and purpose, and with nothing else."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Invalid, Misconfigured, NotAllowed
from shared.security.sealing import ACCOUNT_PASSWORD, ROUTER_PASSWORD, KeyRing, generate_key
from shared.security.secret import Secret

OLD, NEW = generate_key("k1"), generate_key("k2")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@given(TEXTS, st.text(max_size=20))
def test_what_was_sealed_opens(plain: str, purpose: str):
    ring = KeyRing.parse(NEW)
    assert ring.open(ring.seal(plain, purpose=purpose), purpose=purpose).reveal() == plain


@given(st.data())
def test_altering_any_character_is_refused(data: st.DataObject):
    ring = KeyRing.parse(NEW)
    sealed = ring.seal("rahasia", purpose=ROUTER_PASSWORD)
    place = data.draw(st.integers(0, len(sealed) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda char: char != sealed[place]))
    with pytest.raises((NotAllowed, Invalid)) as refusal:
        ring.open(sealed[:place] + other + sealed[place + 1 :], purpose=ROUTER_PASSWORD)
    assert "rahasia" not in str(refusal.value)


@given(st.text(max_size=80))
def test_any_other_text_is_refused(text: str):
    with pytest.raises((NotAllowed, Invalid)):
        KeyRing.parse(NEW).open(text, purpose=ROUTER_PASSWORD)


def test_another_purpose_does_not_open():
    ring = KeyRing.parse(NEW)
    sealed = ring.seal("rahasia", purpose=ROUTER_PASSWORD)
    with pytest.raises(NotAllowed, match=ACCOUNT_PASSWORD):
        ring.open(sealed, purpose=ACCOUNT_PASSWORD)


def test_same_id_with_another_key_does_not_open():
    sealed = KeyRing.parse(generate_key("k1")).seal("rahasia", purpose=ROUTER_PASSWORD)
    with pytest.raises(NotAllowed, match="does not open"):
        KeyRing.parse(OLD).open(sealed, purpose=ROUTER_PASSWORD)


def test_rotation_first_key_seals_and_old_one_still_opens():
    sealed_before = KeyRing.parse(OLD).seal("rahasia", purpose=ROUTER_PASSWORD)
    rotated = KeyRing.parse(f"{NEW},\n{OLD}\n")
    assert rotated.open(sealed_before, purpose=ROUTER_PASSWORD) == Secret("rahasia")
    assert rotated.needs_resealing(sealed_before)
    sealed_after = rotated.seal("rahasia", purpose=ROUTER_PASSWORD)
    assert sealed_after.startswith("k2.")
    assert not rotated.needs_resealing(sealed_after)
    with pytest.raises(NotAllowed, match="'k2'"):
        KeyRing.parse(OLD).open(sealed_after, purpose=ROUTER_PASSWORD)


def test_two_seals_of_one_text_differ():
    ring = KeyRing.parse(NEW)
    assert ring.seal("x", purpose="p") != ring.seal("x", purpose="p")


@pytest.mark.parametrize(
    "text",
    ["", "  ", "k1", "k1:short", f"{OLD},{OLD}", "k 1:" + OLD[3:], "k1:!!" + OLD[3:], "." + OLD],
    ids=["empty", "blank", "no colon", "short", "twice", "space in id", "not base64", "dot in id"],
)
def test_wrong_key_text_is_a_clear_error_without_the_key(text: str):
    with pytest.raises(Misconfigured) as refusal:
        KeyRing.parse(text)
    assert OLD[6:] not in str(refusal.value)


def test_secret_shows_itself_only_when_asked():
    secret = Secret("rahasia")
    assert "rahasia" not in f"{secret} {secret!r} {secret!s} {[secret]} {secret:>10}"
    assert secret.reveal() == "rahasia"
    assert secret == Secret("rahasia") != Secret("lain")
    assert secret != "rahasia"
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_key_ring_shows_ids_only():
    assert repr(KeyRing.parse(f"{NEW},{OLD}")) == "KeyRing(k2, k1)"
