"""What the console draws and reads by rules of its own."""

from __future__ import annotations

import pytest

from services.api.console.sparkline import HEIGHT, WIDTH, points
from services.api.core.search import SearchWish, mac_digits


def line(values: tuple[int, ...]) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in points(values).split())]


def test_line_goes_from_edge_to_edge_and_more_is_higher() -> None:
    drawn = line((10, 30, 20))
    assert [x for x, _ in drawn] == [0.0, WIDTH / 2, WIDTH]
    assert drawn[1][1] < drawn[2][1] < drawn[0][1]
    assert all(0 <= y <= HEIGHT for _, y in drawn)


def test_level_line_lies_in_the_middle_and_one_session_is_no_cliff() -> None:
    assert {y for _, y in line((7, 7, 7))} == {HEIGHT / 2}
    low, high = line((7, 8))
    assert low[1] - high[1] < HEIGHT / 3


def test_nothing_is_drawn_of_a_single_value() -> None:
    assert points((7,)) == ""


@pytest.mark.parametrize(
    ("typed", "digits"),
    [
        ("A4:5E:60:11:22:33", "a45e60112233"),
        ("a4-5e", "a45e"),
        ("a45e", "a45e"),
        ("a4:", None),
        ("10.20.0.1", None),
        ("budi", None),
        ("a45e601122334", None),
    ],
)
def test_parts_of_mac_addresses_however_written(typed: str, digits: str | None) -> None:
    assert mac_digits(typed) == digits


def test_what_sql_reads_as_a_wildcard_is_meant_literally() -> None:
    wish = SearchWish.of(r" 50%_\ ")
    assert wish is not None
    assert wish.pattern == r"%50\%\_\\%"
    assert SearchWish.of("x ") is None
