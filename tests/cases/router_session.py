"""What every session must do, whatever is behind it: run on the fake (unit) and over real sockets (integration).

A subclass gives the fixture `session`, connected to a router that has the menus `/ppp/secret` (unique names),
`/ppp/active` and `/system/identity`, all tables empty and the identity `Menara-1`, and has no `/no/such/menu`.
"""

from __future__ import annotations

import asyncio
from itertools import takewhile

import pytest

from shared.errors import Conflict, Invalid, NotFound, Rejected
from shared.routeros import FeatureMissing, RowChanged, RowGone, Session, equals, has, lacks, one_of

SECRETS = "/ppp/secret"


class SessionCases:
    """Cases for anything that satisfies `shared.routeros.Session`."""

    async def test_facts_are_known(self, session: Session):
        assert session.facts.identity == "Menara-1"
        assert session.facts.version.major in {6, 7}
        assert session.dialect.version == session.facts.version
        assert session.is_open

    async def test_an_empty_table_is_an_empty_list(self, session: Session):
        assert await session.print_rows(SECRETS) == []
        assert await session.count(SECRETS) == 0
        assert await session.one_row(SECRETS, equals("name", "budi")) is None

    async def test_added_row_is_printed_with_its_id(self, session: Session):
        item = await session.add(SECRETS, {"name": "budi", "password": "007", "comment": "no"})
        assert item is not None
        assert item.startswith("*")
        row = await session.one_row(SECRETS, equals("name", "budi"))
        assert row is not None
        assert (row[".id"], row["comment"]) == (item, "no")

    async def test_proplist_limits_properties(self, session: Session):
        await session.add(SECRETS, {"name": "budi", "password": "x"})
        assert await session.print_rows(SECRETS, ("name",)) == [{"name": "budi"}]

    async def test_values_survive_unchanged(self, session: Session):
        text = "a=b, sändi \udce9\r\nline two"
        await session.add(SECRETS, {"name": "budi", "comment": text})
        assert await session.print_rows(SECRETS, ("comment",)) == [{"comment": text}]

    async def test_second_row_of_the_same_name_is_a_conflict(self, session: Session):
        await session.add(SECRETS, {"name": "budi"})
        with pytest.raises(Conflict) as refused:
            await session.add(SECRETS, {"name": "budi"})
        assert isinstance(refused.value, Rejected)
        assert refused.value.words == "failure: secret with the same name already exists"

    async def test_set_changes_and_none_clears(self, session: Session):
        item = await session.add(SECRETS, {"name": "budi", "remote-address": "10.0.0.9"})
        await session.set_(SECRETS, item, {"comment": "baru", "remote-address": None})
        row = await session.one_row(SECRETS, equals("name", "budi"))
        assert row is not None
        assert row["comment"] == "baru"
        assert "remote-address" not in row

    async def test_unset_clears(self, session: Session):
        item = await session.add(SECRETS, {"name": "budi", "remote-address": "10.0.0.9"})
        await session.unset(SECRETS, item or "", "remote-address")
        assert await session.count(SECRETS, has("remote-address")) == 0

    async def test_disable_and_enable(self, session: Session):
        items = [await session.add(SECRETS, {"name": name}) or "" for name in ("budi", "sari")]
        await session.disable(SECRETS, *items)
        assert await session.count(SECRETS, equals("disabled", "true")) == 2
        await session.enable(SECRETS, items[0])
        assert await session.print_rows(SECRETS, ("name",), equals("disabled", "true")) == [{"name": "sari"}]

    async def test_remove_of_a_missing_row_is_not_found(self, session: Session):
        with pytest.raises(NotFound):
            await session.remove(SECRETS, "*FFFF")

    async def test_remove_if_there_counts_what_was_there(self, session: Session):
        item = await session.add(SECRETS, {"name": "budi"}) or ""
        assert await session.remove_if_there(SECRETS, item, "*FFFF") == 1
        assert await session.count(SECRETS) == 0

    async def test_remove_of_nothing_sends_nothing(self, session: Session):
        await session.add(SECRETS, {"name": "budi"})
        await session.remove(SECRETS)
        with pytest.raises(Invalid):
            await session.remove(SECRETS, "")
        assert await session.count(SECRETS) == 1

    async def test_queries_combine(self, session: Session):
        for name, comment in (("a", "x"), ("b", None), ("c", "z")):
            await session.add(SECRETS, {"name": name} | ({"comment": comment} if comment else {}))
        either = one_of("name", "a", "b", "c") & ~equals("comment", "z")
        assert [row["name"] for row in await session.print_rows(SECRETS, query=either)] == ["a", "b"]
        assert await session.count(SECRETS, lacks("comment")) == 1
        assert await session.count(SECRETS, equals("name", "a") | equals("name", "c")) == 2

    async def test_a_missing_menu_is_a_missing_feature(self, session: Session):
        with pytest.raises(FeatureMissing):
            await session.print_rows("/no/such/menu")
        assert not await session.offers("/no/such/menu")
        assert await session.offers(SECRETS)
        assert await session.offers("/system/identity")

    async def test_a_singleton_is_set_without_an_id(self, session: Session):
        await session.set_("/system/identity", None, {"name": "Menara-2"})
        assert await session.print_rows("/system/identity") == [{"name": "Menara-2"}]

    async def test_listen_tells_added_changed_and_removed(self, session: Session):
        async with session.listen(SECRETS, (".id", "name", "comment")) as changes:
            item = await session.add(SECRETS, {"name": "budi"}) or ""
            await session.set_(SECRETS, item, {"comment": "baru"})
            await session.remove(SECRETS, item)
            seen = []
            async with asyncio.timeout(5):
                while not seen or not isinstance(seen[-1], RowGone):
                    seen.append(await anext(changes))
        changed = list(takewhile(lambda change: isinstance(change, RowChanged), seen))
        assert changed[0].row == {".id": item, "name": "budi"}
        assert changed[-1].row == {".id": item, "name": "budi", "comment": "baru"}
        assert seen[-1].id == item

    async def test_listen_to_a_missing_menu_is_a_missing_feature(self, session: Session):
        with pytest.raises(FeatureMissing):
            async with session.listen("/no/such/menu"):
                pytest.fail("there is nothing to listen to")

    async def test_many_commands_at_once_keep_their_answers(self, session: Session):
        names = [f"user{number}" for number in range(100)]
        items = await asyncio.gather(*(session.add(SECRETS, {"name": name}) for name in names))
        rows = await asyncio.gather(*(session.one_row(SECRETS, equals("name", name)) for name in names))
        assert [(row or {}).get(".id") for row in rows] == items
        assert await session.count(SECRETS) == 100

    async def test_a_command_needs_a_command_word(self, session: Session):
        with pytest.raises(Invalid):
            await session.run("ppp/secret/print")
