"""Query words of print: a small stack machine over the properties of one row."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from lab.routers.durations import parse_duration

Test = Callable[[Mapping[str, str], list[bool]], None]
Query = Callable[[Mapping[str, str]], bool]

NUMBER = re.compile("-?[0-9]+")
TRUE_WORDS = {"true": "true", "yes": "true", "false": "false", "no": "false"}


def compile_query(words: list[str]) -> Query:
    """A predicate for rows. Words are those after `?`, in their order; without words every row matches."""
    tests = [_test(word) for word in words]

    def matches(row: Mapping[str, str]) -> bool:
        stack: list[bool] = []
        for test in tests:
            test(row, stack)
        return all(stack)

    return matches


def _test(word: str) -> Test:
    if word.startswith("#"):
        return _operators(word[1:])
    if word.startswith("-"):
        name = word[1:]
        return lambda row, stack: stack.append(name not in row)
    if word.startswith(("<", ">")):
        return _compare(word[0], word[1:])
    name, equals, wanted = word.removeprefix("=").partition("=")
    if equals:
        return lambda row, stack: stack.append(same(row.get(name), wanted))
    return lambda row, stack: stack.append(name in row)


def _compare(sign: str, rest: str) -> Test:
    name, _, wanted = rest.partition("=")

    def test(row: Mapping[str, str], stack: list[bool]) -> None:
        have = row.get(name)
        if have is None:
            stack.append(False)
            return
        order = compare(have, wanted)
        stack.append(order < 0 if sign == "<" else order > 0)

    return test


def same(have: str | None, wanted: str) -> bool:
    """Equality as the router sees it: a boolean matches in either spelling, everything else as text."""
    if have is None:
        return False
    if have == wanted:
        return True
    return have in {"true", "false"} and TRUE_WORDS.get(wanted) == have


def compare(have: str, wanted: str) -> int:
    """Below, at or above zero: as numbers if both are, as durations if both are, else as text."""
    if NUMBER.fullmatch(have) and NUMBER.fullmatch(wanted):
        return int(have) - int(wanted)
    one, other = parse_duration(have), parse_duration(wanted)
    if one is not None and other is not None:
        return (one > other) - (one < other)
    return (have > wanted) - (have < wanted)


def _operators(signs: str) -> Test:
    """`!`, `&`, `|`, an index (copies that element; at the end of the word it replaces the stack), `.`
    copies the top."""

    def test(_row: Mapping[str, str], stack: list[bool]) -> None:
        digits = ""
        for sign in signs:
            if sign.isdigit():
                digits += sign
                continue
            if digits:
                stack.append(_element(stack, int(digits)))
                digits = ""
            if sign == ".":
                stack.append(_top(stack))
            elif sign in OPERATORS:
                OPERATORS[sign](stack)
        if digits:
            stack[:] = [_element(stack, int(digits))]

    return test


def _top(stack: list[bool]) -> bool:
    """An empty stack holds endless true values."""
    return stack[-1] if stack else True


def _pop(stack: list[bool]) -> bool:
    return stack.pop() if stack else True


def _element(stack: list[bool], index: int) -> bool:
    return stack[index] if index < len(stack) else True


def _not(stack: list[bool]) -> None:
    stack.append(not _pop(stack))


def _and(stack: list[bool]) -> None:
    right, left = _pop(stack), _pop(stack)
    stack.append(left and right)


def _or(stack: list[bool]) -> None:
    right, left = _pop(stack), _pop(stack)
    stack.append(left or right)


OPERATORS: dict[str, Callable[[list[bool]], None]] = {"!": _not, "&": _and, "|": _or}
