"""Query words: the table of forms, and the stack against a second reading of its rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.routers.query import compile_query

ROW = {
    "name": "budi",
    "disabled": "false",
    "mtu": "1480",
    "uptime": "1h30m",
    "comment": "nunggak=2",
    "empty": "",
    "time": "2026-05-31 10:00:00",
}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], True),
        (["name"], True),
        (["profile"], False),
        (["-profile"], True),
        (["-name"], False),
        (["name=budi"], True),
        (["=name=budi"], True),
        (["name=bud"], False),
        (["comment=nunggak=2"], True),
        (["empty"], True),
        (["empty="], True),
        ([">empty="], False),
        ([">comment="], True),
        (["disabled=no"], True),
        (["disabled=false"], True),
        (["=disabled=yes"], False),
        ([">mtu=200"], True),
        (["<mtu=1480"], False),
        ([">uptime=59m"], True),
        (["<uptime=3w"], True),
        ([">time=2026-05-31 00:00:00"], True),
        ([">time=2026-05-31 10:00:00"], False),
        ([">missing=1"], False),
        (["name=budi", "mtu=1480"], True),
        (["name=budi", "mtu=9"], False),
        (["name=x", "#!"], True),
        (["name=x", "name=budi", "#|"], True),
        (["name=x", "name=budi", "#&"], False),
        (["name=x", "name=budi", "mtu=9", "#|#|"], True),
        (["name=budi", "name=x", "#&!"], True),
        (["name=x", "name=y", "mtu=1480", "#||"], True),
        (["name=budi", "mtu=1480", "mtu=9", "#!&&"], True),
        (["name=x", "name=budi", "#1"], True),
        (["name=x", "name=budi", "#0"], False),
        (["name=budi", "#.&"], True),
        (["#&"], True),
        (["#!"], False),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_forms(words, expected):
    assert compile_query(words)(ROW) is expected


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(["", "#!", "#&", "#|", "#.", "#!&", "#|!"])), max_size=12))
def test_stack_agrees_with_the_rules(steps):
    """An empty stack holds endless true values; what is left is ANDed."""
    words: list[str] = []
    stack: list[bool] = []

    def pop() -> bool:
        return stack.pop() if stack else True

    for value, signs in steps:
        words += ["name" if value else "absent"]
        stack.append(value)
        if signs:
            words.append(signs)
        for sign in signs[1:]:
            if sign == "!":
                stack.append(not pop())
            elif sign == ".":
                stack.append(stack[-1] if stack else True)
            else:
                right, left = pop(), pop()
                stack.append(left and right if sign == "&" else left or right)
    assert compile_query(words)(ROW) is all(stack)
