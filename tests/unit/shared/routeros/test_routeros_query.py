"""Queries as words for the router's stack."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.errors import Invalid
from shared.routeros import Query, equals, greater, has, lacks, less, one_of
from tests.fakes.router_session import _holds

# Examples may take long on a busy machine; that says nothing about the code.
untimed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (equals("name", "a=b"), ("?=name=a=b",)),
        (equals("comment", ""), ("?=comment=",)),
        (less("mtu", "1000"), ("?<mtu=1000",)),
        (greater("time", "2026-05-31 00:00:00"), ("?>time=2026-05-31 00:00:00",)),
        (has("comment"), ("?comment",)),
        (lacks("comment"), ("?-comment",)),
        (~has("a"), ("?a", "?#!")),
        (has("a") & has("b") | has("c"), ("?a", "?b", "?#&", "?c", "?#|")),
        (has("a") & (has("b") | has("c")), ("?a", "?b", "?c", "?#|", "?#&")),
        (one_of("n", "x", "y", "z"), ("?=n=x", "?=n=y", "?#|", "?=n=z", "?#|")),
    ],
)
def test_words_in_the_routers_order(query: Query, words: tuple[str, ...]):
    assert query.words == words


def test_no_values_would_mean_every_row():
    with pytest.raises(Invalid):
        one_of("name")


@pytest.mark.parametrize("name", ["", "a=b", "#x", "-x", "?x", "<x", "=x"])
def test_a_name_that_would_change_the_question_is_refused(name: str):
    with pytest.raises(Invalid):
        equals(name, "x")


leaves = st.sampled_from("abc").map(lambda name: (has(name), lambda row, name=name: name in row))
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        inner.map(lambda one: (~one[0], lambda row: not one[1](row))),
        st.tuples(inner, inner).map(lambda two: (two[0][0] & two[1][0], lambda row: two[0][1](row) and two[1][1](row))),
        st.tuples(inner, inner).map(lambda two: (two[0][0] | two[1][0], lambda row: two[0][1](row) or two[1][1](row))),
    ),
)


@untimed
@given(trees, st.sets(st.sampled_from("abc")))
def test_any_combination_means_on_the_stack_what_it_says(tree, present):
    query, meaning = tree
    row = dict.fromkeys(present, "x")
    assert _holds(query.words, row) == meaning(row)
