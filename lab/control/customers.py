"""Customers who come and go: they log in, use the line, leave, and dial again when they were thrown out."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from lab.provider import Subscriber
from lab.routers import LoginRefused, VirtualRouter
from lab.routers.behaviour.hotspot import HotspotSession
from lab.routers.behaviour.ppp import PppSession

ONLINE_SECONDS = 45 * 60.0
OFFLINE_SECONDS = 12 * 60.0
REDIAL_SECONDS = (3.0, 20.0)
"""A modem dials again by itself within this time after its session ended under it."""
REFUSED_SECONDS = 60.0
TRAFFIC_SECONDS = 5.0
ONLINE_SHARE = 0.75


@dataclass
class Customer:
    """One subscriber's line now."""

    plan: Subscriber
    router: VirtualRouter
    wants: bool = False
    """Whether the person wants to be online: a lost session is dialled again."""
    since: float = 0.0
    refused: str = ""
    mood: float = 0.5
    session: PppSession | HotspotSession | None = None

    @property
    def online(self) -> bool:
        """Whether the router still has this customer's session."""
        return self.session is not None and not self.session.ended

    async def login(self) -> bool:
        """Log in now; False with `refused` set when the router does not want this customer."""
        self.wants = True
        if self.online:
            return True
        plan = self.plan
        try:
            if plan.service == "pppoe":
                self.session = await self.router.pppoe_dial(user=plan.user, password=plan.password, mac=plan.mac)
            else:
                self.session = await self.router.hotspot_login(
                    user=plan.user, password=plan.password, mac=plan.mac, ip=plan.address
                )
        except LoginRefused as refusal:
            self.refused = str(refusal)
            return False
        self.refused, self.since = "", time.time()
        return True

    def logout(self) -> None:
        """Leave, and stay away until something makes this person come back."""
        self.wants = False
        if self.plan.service == "pppoe":
            self.router.pppoe_hangup(self.plan.user)
        else:
            self.router.hotspot_logout(self.plan.user)


class Customers:
    """All customers. `pace` 1 is a normal day, 10 ten times as lively, 0 nobody moves unless told."""

    def __init__(self, customers: list[Customer], pace: float, seed: int, changed: Callable[[], None]) -> None:
        self.all = {customer.plan.user: customer for customer in customers}
        self.pace = pace
        self._dice = random.Random(seed)  # noqa: S311 - a game, repeatable by seed
        self._changed = changed
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Let the first ones log in, then let everybody live."""
        for customer in self.all.values():
            if self._dice.random() < ONLINE_SHARE:
                await customer.login()
                customer.since -= self._dice.uniform(0, ONLINE_SECONDS)
        self._tasks = [asyncio.create_task(self._live(c)) for c in self.all.values()]
        self._tasks.append(asyncio.create_task(self._use_the_lines()))

    async def stop(self) -> None:
        """Nobody moves any more."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._tasks = []

    async def _live(self, customer: Customer) -> None:
        next_whim = self._next_whim(customer)
        while True:
            await asyncio.sleep(self._dice.uniform(1.0, 2.0))
            if customer.wants and not customer.online:
                await self._redial(customer)
            next_whim -= 1.5 * self.pace
            if next_whim <= 0:
                if customer.wants:
                    customer.logout()
                else:
                    await customer.login()
                self._changed()
                next_whim = self._next_whim(customer)

    def _next_whim(self, customer: Customer) -> float:
        return self._dice.expovariate(1 / (ONLINE_SECONDS if customer.wants else OFFLINE_SECONDS))

    async def _redial(self, customer: Customer) -> None:
        first, last = REDIAL_SECONDS
        await asyncio.sleep(REFUSED_SECONDS if customer.refused else self._dice.uniform(first, last))
        if customer.wants and not customer.online and customer.router.server.listening:
            await customer.login()
            self._changed()

    async def _use_the_lines(self) -> None:
        while True:
            for customer in self.all.values():
                customer.mood = min(1.0, max(0.02, customer.mood + self._dice.uniform(-0.2, 0.2)))
                down = 12e6 * customer.mood**3
                if customer.session is not None and customer.online:
                    customer.session.traffic(down * self._dice.uniform(0.05, 0.2), down)
            await asyncio.sleep(TRAFFIC_SECONDS)
