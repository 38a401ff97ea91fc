"""Who does the work: the desks of all routers, and the return of a router, which lays its backlog on its desk."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from contextvars import Context
from dataclasses import replace

import structlog

from services.provisioner.core.desk import Desk, Order
from services.provisioner.faults import RouterAway
from services.provisioner.ports import DesiredStates, Routers
from shared.bus.context import handling
from shared.bus.handling import retry_delay
from shared.contracts.desired import DesiredAccount
from shared.contracts.envelope import Envelope
from shared.contracts.ids import AccountId, RouterId
from shared.errors import RondaError, Temporary

log = structlog.get_logger(__name__)

_AGAIN_S = 2.0

CarryOut = Callable[[DesiredAccount], Awaitable[None]]
Pause = Callable[[float], Awaitable[None]]


class RouterDesks:
    """A desk per router, each with places of its own: one that is slow or fails takes nothing from the others.

    An order that fails is tried again with growing pauses until it succeeds or a newer one takes its place. Only one
    whose router is away is dropped: it comes back from the stream when the router does.
    """

    def __init__(self, carry_out: CarryOut, *, places: int, pause: Pause = asyncio.sleep) -> None:
        self._carry_out = carry_out
        self._places = places
        self._pause = pause
        self._desks: dict[RouterId, Desk] = {}
        self._group: asyncio.TaskGroup | None = None
        self._pausing: dict[tuple[RouterId, AccountId], asyncio.Task[None]] = {}

    def hand_over(self, desired: DesiredAccount, envelope: Envelope | None, *, backlog: bool = False) -> None:
        """Have a desired state brought about, soon."""
        self._put(Order(desired, envelope), backlog=backlog)

    async def work(self) -> None:
        """Work off the desks until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                for desk in self._desks.values():
                    self._fill(desk)
                await asyncio.Event().wait()
            finally:
                self._group = None

    def _put(self, order: Order, *, backlog: bool = False) -> None:
        desk = self._desks.setdefault(order.desired.router_id, Desk(self._places))
        desk.put(order, backlog=backlog)
        self._fill(desk)

    def _fill(self, desk: Desk) -> None:
        while self._group is not None and (order := desk.take()) is not None:
            # A context of its own: whatever happened to start this order is not what it follows from.
            self._group.create_task(self._serve(desk, order), name=f"account {order.account_id}", context=Context())

    async def _serve(self, desk: Desk, order: Order) -> None:
        problem: Exception | None = None
        try:
            with handling(order.envelope) if order.envelope else nullcontext():
                await self._carry_out(order.desired)
        except RouterAway as away:
            log.debug("the router is away, the account waits", router=order.desired.router_id, reason=str(away))
        except Exception as error:  # noqa: BLE001 the edge where our bugs end
            problem = error
        finally:
            desk.done(order)
            self._fill(desk)
        if problem is not None:
            await self._try_again(order, problem)

    async def _try_again(self, order: Order, problem: Exception) -> None:
        delay_s = retry_delay(order.failures + 1)
        fields = {"router": order.desired.router_id, "account": order.account_id, "retry_in_s": round(delay_s, 3)}
        if isinstance(problem, RondaError):
            log.warning("an account is tried again", reason=str(problem), **fields)
        else:
            log.error("a bug stands in an account's way, trying again", exc_info=problem, **fields)
        await self._pause_once(order, delay_s)
        self._put(replace(order, failures=order.failures + 1), backlog=True)

    async def _pause_once(self, order: Order, delay_s: float) -> None:
        """Pause; a later failure of the same account ends an earlier one's pause, so there is one next try."""
        key = (order.desired.router_id, order.account_id)
        if earlier := self._pausing.pop(key, None):
            earlier.cancel()
        if (this := asyncio.current_task()) is not None:
            self._pausing[key] = this
        try:
            await self._pause(delay_s)
        finally:
            if self._pausing.get(key) is this:
                del self._pausing[key]


async def mind_returns(routers: Routers, states: DesiredStates, desks: RouterDesks) -> None:
    """Lay the backlog of every router that returns on its desk, each router on its own, until cancelled."""
    running: dict[RouterId, asyncio.Task[None]] = {}
    async with asyncio.TaskGroup() as group:
        async for router_id in routers.returned():
            if earlier := running.get(router_id):
                earlier.cancel()  # harmless once it is done
            running[router_id] = group.create_task(_lay_out_backlog(router_id, states, desks))


async def _lay_out_backlog(router_id: RouterId, states: DesiredStates, desks: RouterDesks) -> None:
    while True:
        try:
            async for desired, envelope in states.of_router(router_id):
                desks.hand_over(desired, envelope, backlog=True)
        except Temporary as problem:
            log.warning("the backlog cannot be read, trying again", router=router_id, reason=str(problem))
            await asyncio.sleep(_AGAIN_S)
        else:
            return
