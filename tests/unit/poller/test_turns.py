"""Logins take turns, and one that hangs holds up no other."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import SecretStr

from services.poller.handlers.turns import APART_S, AT_ONCE, InTurn
from shared.errors import Unreachable
from shared.routeros import RouterAddress
from tests.fakes.virtual_time import run_virtually

HUNG, GONE = "10.0.0.66", "10.0.0.77"


class Doors:
    """Notes when who is asked to let somebody in."""

    def __init__(self) -> None:
        self.asked_at: list[float] = []

    async def __call__(self, address: RouterAddress) -> str:
        self.asked_at.append(asyncio.get_running_loop().time())
        if address.host == HUNG:
            await asyncio.Event().wait()
        if address.host == GONE:
            raise Unreachable("connection refused")
        return address.host


def address(host: str) -> RouterAddress:
    return RouterAddress(host=host, username="ronda", password=SecretStr("x"))


def test_a_few_begin_at_once_and_many_in_turn():
    async def plot() -> None:
        doors = Doors()
        connect = InTurn(doors)
        clock = asyncio.get_running_loop().time
        for _ in range(2):
            doors.asked_at.clear()
            began = clock()
            await asyncio.gather(*(connect(address(f"10.0.1.{number}")) for number in range(200)))
            since = [at - began for at in doors.asked_at]
            assert since == pytest.approx([number // AT_ONCE * APART_S for number in range(200)], abs=0.005)
            await asyncio.sleep(5)

    run_virtually(plot())


def test_loop_that_is_late_is_given_no_more_at_once():
    """What would have been due meanwhile does not begin in one go."""

    async def plot() -> None:
        doors = Doors()
        connect = InTurn(doors)
        loop = asyncio.get_running_loop()
        logins = [asyncio.create_task(connect(address(f"10.0.1.{number}"))) for number in range(100)]
        await asyncio.sleep(0.01)
        loop.hold_up(1.0)
        await asyncio.sleep(0.01)
        assert len(doors.asked_at) <= 2 * AT_ONCE
        await asyncio.gather(*logins)

    run_virtually(plot())


def test_one_that_hangs_or_refuses_or_is_given_up_holds_up_no_other():
    async def plot() -> None:
        connect = InTurn(Doors())
        hanging = asyncio.create_task(connect(address(HUNG)))
        refused = asyncio.create_task(connect(address(GONE)))
        given_up = asyncio.create_task(connect(address("10.0.0.2")))
        await asyncio.sleep(0)
        given_up.cancel()
        async with asyncio.timeout(0.1):
            assert await connect(address("10.0.0.3")) == "10.0.0.3"
            with pytest.raises(Unreachable):
                await refused
        hanging.cancel()
        await asyncio.gather(hanging, given_up, return_exceptions=True)

    run_virtually(plot())
