"""Cursors, the throttle, rights."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.core.cursor import PageWish, cut_page, decode_cursor, encode_cursor
from services.api.core.faults import Faulty
from services.api.core.rights import Scope, effective_scopes
from services.api.core.throttle import LoginThrottle
from shared.contracts.vocabulary import Role


@given(st.text(), st.text())
def test_cursor_gives_the_key_back(first: str, second: str) -> None:
    assert decode_cursor(encode_cursor((first, second))) == (first, second)


@pytest.mark.parametrize("cursor", ["x", "bm8", "W10", "WzEsMl0", "é"])
def test_foreign_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(Faulty):
        decode_cursor(cursor)


def test_last_page_has_no_cursor() -> None:
    keys = [(name, name) for name in "abc"]
    assert cut_page("abc", PageWish(limit=3), keys).next_cursor is None
    page = cut_page("abc", PageWish(limit=2), keys)
    assert page.items == ("a", "b")
    assert page.next_cursor is not None
    assert decode_cursor(page.next_cursor) == ("b", "b")


def test_fifth_failure_makes_wait_until_the_window_has_passed() -> None:
    throttle = LoginThrottle()
    for second in range(5):
        assert throttle.wait_s(["login:budi"], second) == 0
        throttle.failed(["login:budi", "address:x"], second)
    assert throttle.wait_s(["login:budi"], 5.0) == 295.0
    assert throttle.wait_s(["address:x", "login:other"], 5.0) == 295.0
    assert throttle.wait_s(["login:budi"], 301.0) == 0


def test_success_forgets() -> None:
    throttle = LoginThrottle()
    for _ in range(5):
        throttle.failed(["login:budi"], 0.0)
    throttle.succeeded(["login:budi"])
    assert throttle.wait_s(["login:budi"], 1.0) == 0


def test_token_never_outgrows_its_persons_role() -> None:
    assert effective_scopes(Role.VIEWER, frozenset(Scope)) == {Scope.READ}
    assert effective_scopes(Role.OWNER, frozenset({Scope.READ})) == {Scope.READ}
    assert effective_scopes(Role.RESELLER, None) == frozenset()
