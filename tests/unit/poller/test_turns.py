"""Logins take turns, and one that hangs holds up no other."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import SecretStr

from services.poller.handlers.turns import InTurn
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


def test_many_begin_one_after_the_other_and_a_single_one_at_once():
    async def plot() -> None:
        doors = Doors()
        connect = InTurn(doors, per_s=100)
        clock = asyncio.get_running_loop().time
        began = clock()
        await connect(address("10.0.0.1"))
        assert clock() == began
        await asyncio.sleep(5)
        doors.asked_at.clear()
        began = clock()
        await asyncio.gather(*(connect(address(f"10.0.1.{number}")) for number in range(200)))
        since = [at - began for at in doors.asked_at]
        assert since == pytest.approx([number / 100 for number in range(200)], abs=0.005)

    run_virtually(plot())


def test_one_that_hangs_or_refuses_or_is_given_up_holds_up_no_other():
    async def plot() -> None:
        connect = InTurn(Doors(), per_s=100)
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
