"""The fake behaves like a session."""

from __future__ import annotations

import pytest

from shared.errors import DeadlineExceeded, Rejected, Unreachable
from shared.routeros import Session
from tests.cases.router_session import SessionCases
from tests.fakes.router_session import FakeRouter


class TestFakeRouterSession(SessionCases):
    @pytest.fixture
    async def session(self) -> Session:
        return FakeRouter().session()


async def test_refused_silenced_and_vanished():
    router = FakeRouter()
    session = router.session()
    router.refuse("/ppp/secret/add", "failure: something")
    with pytest.raises(Rejected, match="something"):
        await session.add("/ppp/secret", {"name": "budi"})
    router.silence("/ppp/secret/print")
    with pytest.raises(DeadlineExceeded):
        await session.print_rows("/ppp/secret")
    async with session.listen("/ppp/active") as changes:
        router.put("/ppp/active", {"name": "budi"})
        assert (await anext(changes)).row["name"] == "budi"
        router.vanish()
        with pytest.raises(Unreachable):
            await anext(changes)
    assert not session.is_open
    with pytest.raises(Unreachable):
        await session.count("/ppp/secret")
    router.come_back()
    assert await router.session().count("/ppp/active") == 1


async def test_policies_are_those_of_our_own_group():
    router = FakeRouter()
    router.put("/user", {"name": "ronda", "group": "watch"})
    router.put("/user/group", {"name": "watch", "policy": "api,read,test,!write,!policy"})
    assert await router.session().policies() == {"api", "read", "test"}


async def test_policies_that_cannot_be_read_are_unknown():
    router = FakeRouter()
    assert await router.session().policies() is None
    router.put("/user", {"name": "ronda", "group": "watch"})
    router.silence("/user/group/print")
    assert await router.session().policies() is None
    router.refuse("/user/print", "not enough permissions (9)")
    assert await router.session().policies() is None
