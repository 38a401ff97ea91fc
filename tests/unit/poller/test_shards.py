"""Who holds what: every part at one poller, few moves, and no part in two hands whatever the order of steps."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.poller.core.shards import (
    NOBODY,
    PARTS,
    SHARDS,
    Member,
    Table,
    checked,
    part_of,
    part_of_site,
    pinned,
    released,
    should_hold,
    taken,
    to_release,
    to_take,
)
from services.poller.core.share_records import TableRecord, read_table
from shared.contracts.ids import SiteId

LERENG = SiteId("lereng")
NAMES = st.sets(st.text("abcdefgh", min_size=1, max_size=6), min_size=1, max_size=6)


def members(*names: str, sites: frozenset[SiteId] | None = None) -> dict[str, Member]:
    return {name: Member(name, name, sites) for name in names}


def holders(crew: dict[str, Member]) -> dict[str, str]:
    return {part: should_hold(part, crew.values()) for part in PARTS}


@given(NAMES)
def test_every_shard_belongs_to_somebody_who_lives(names):
    assert set(holders(members(*names)).values()) <= names


@given(NAMES, st.text("xyz", min_size=1, max_size=4))
def test_a_poller_that_comes_moves_only_what_it_gets(names, newcomer):
    before, after = holders(members(*names)), holders(members(*names, newcomer))
    assert all(after[part] in (before[part], newcomer) for part in PARTS)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_the_work_is_shared_about_evenly(count):
    share = Counter(holders(members(*(f"poller-{number}.aa" for number in range(count)))).values())
    assert len(share) == count
    assert max(share.values()) <= 2 * SHARDS / count


def test_where_a_host_belongs_never_changes():
    """Numbers that were told in one part must not be counted by the holder of another after an upgrade."""
    assert [part_of(name, None, ()) for name in ("01h0st", "core-1", "web-1")] == ["20", "02", "40"]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["join", "die", "step"])), max_size=60))
def test_no_step_takes_a_part_from_one_who_lives(story):
    table, alive = Table(), {}
    for name, what in story:
        if what == "join":
            alive |= members(name)
        elif what == "die":
            alive.pop(name, None)
        elif name in alive:
            before = table
            table = released(table, to_release(table, alive, name), name)
            wanted = to_take(table, alive, name)
            assert all(before.hold(part).holder not in alive.keys() - {name} for part in wanted)
            table = taken(table, wanted, name)
            assert all(table.hold(part).epoch == before.hold(part).epoch + 1 for part in wanted)
    for _ in range(2):  # everybody lets go, then everybody takes
        for name in alive:
            table = released(table, to_release(table, alive, name), name)
            table = taken(table, to_take(table, alive, name), name)
    if alive:
        assert {table.hold(part).holder for part in PARTS} <= alive.keys()
        assert all(table.hold(part).holder == should_hold(part, alive.values()) for part in PARTS)


def test_the_dead_keep_their_parts_while_nobody_may_rob():
    table = taken(Table(), PARTS, "dead")
    assert not to_take(table, members("a"), "a", robbing=False)
    assert to_take(table, members("a"), "a") == set(PARTS)


class TestPins:
    def test_pinned_site_is_its_pollers_alone(self):
        crew = members("a", "b") | members("p", sites=frozenset({LERENG}))
        table = pinned(Table(), "p", frozenset({LERENG}))
        part = part_of_site(LERENG)
        assert part_of("any", LERENG, table.pins) == part
        assert to_take(table, crew, "p") == {part}
        assert part not in to_take(table, crew, "a") | to_take(table, crew, "b")

    def test_nobody_takes_it_while_its_poller_is_away(self):
        table = taken(pinned(Table(), "p", frozenset({LERENG})), [part_of_site(LERENG)], "p")
        assert should_hold(part_of_site(LERENG), members("a").values()) == NOBODY
        assert part_of_site(LERENG) not in to_take(table, members("a"), "a")

    def test_second_pinned_poller_takes_over_from_the_first(self):
        table = taken(pinned(Table(), "p", frozenset({LERENG})), [part_of_site(LERENG)], "p")
        assert to_take(table, members("q", sites=frozenset({LERENG})), "q") == {part_of_site(LERENG)}

    def test_withdrawn_wish_gives_the_site_back_to_all(self):
        table = taken(pinned(Table(), "p", frozenset({LERENG})), [part_of_site(LERENG)], "p")
        table = pinned(table, "p", frozenset())
        assert (dict(table.pins), dict(table.holds)) == ({}, {})
        assert part_of("any", LERENG, table.pins) in PARTS

    def test_same_wish_again_changes_nothing(self):
        table = pinned(Table(), "p", frozenset({LERENG}))
        assert pinned(table, "p", frozenset({LERENG})) is table


def test_table_survives_the_way_over_the_bus():
    table = checked(taken(pinned(Table(), "p", frozenset({LERENG})), PARTS, "a"))
    assert read_table(TableRecord.of(table).model_dump_json().encode()) == table


def test_table_that_cannot_be_read_is_empty():
    assert read_table(b"{") == Table()
