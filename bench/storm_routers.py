"""The lab's side of `login_storm`: many virtual routers in one process, and logins at a steady pace.

Reads commands line by line (`fill N`, `storm RATE SECONDS`, `end`), answers each with a line of JSON. What it answers
for a storm is when each login was done, by account, in seconds since 1970, and how late itself was: a row that it
writes late is told late.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time

from lab.routers import Personality, VirtualRouter
from lab.routers.behaviour.interfaces import add_ethernet

PASSWORD = "rahasia"  # noqa: S105 - of routers that exist here only


class Routers:
    """All routers of this process; every second login is PPPoE, the others are hotspot."""

    def __init__(self, first: int, count: int) -> None:
        self.routers = [_furnished(first + number) for number in range(count)]
        self._first = first
        self._next = 0

    async def start(self) -> dict[str, int]:
        """Serve; answers the ports by name."""
        for router in self.routers:
            await router.start()
        return {router.name: router.port for router in self.routers}

    async def login(self, number: int) -> str:
        """The next subscriber of a router comes on line; answers the account."""
        router, person = self.routers[number % len(self.routers)], number // len(self.routers)
        user = f"{router.name}-{person}"
        mac = f"A4:5E:{person // 256:02X}:{person % 256:02X}:{number // 256 % 256:02X}:{number % 256:02X}"
        if person % 2:
            router.menu("/ppp/secret").put({"name": user, "password": "pw", "profile": "*0", "service": "pppoe"})
            await router.pppoe_dial(user=user, password="pw", mac=mac)  # noqa: S106
        else:
            router.menu("/ip/hotspot/user").put({"name": user, "password": "pw", "profile": "*0"})
            ip = f"10.5.{person // 250}.{2 + person % 250}"
            await router.hotspot_login(user=user, password="pw", mac=mac, ip=ip)  # noqa: S106
        return user

    async def fill(self, sessions: int) -> dict[str, int]:
        """Sessions that are there before anybody looks."""
        for _ in range(sessions * len(self.routers)):
            await self.login(self._next)
            self._next += 1
        return {"open": self._next}

    async def storm(self, rate: float, seconds: float) -> dict[str, object]:
        """Logins at this pace per second, each on another router than the one before."""
        done: dict[str, float] = {}
        late: list[float] = []
        began, count = time.monotonic(), int(rate * seconds)
        for step in range(count):
            wait_s = began + step / rate - time.monotonic()
            if wait_s > 0.001:
                await asyncio.sleep(wait_s)
            late.append(time.monotonic() - began - step / rate)
            at = time.time()
            done[await self.login(self._next)] = at
            self._next += 1
        late_ms = sorted(late)[int(len(late) * 0.99)] * 1000
        took = {"seconds": time.monotonic() - began, "cpu_s": time.process_time(), "late_ms": late_ms}
        return {"logins": done, **took}


def _furnished(number: int) -> VirtualRouter:
    router = VirtualRouter(Personality("7.16.2" if number % 2 else "6.49.18"), f"gw{number}", password=PASSWORD)
    add_ethernet(router, "ether1", "48:8F:5A:00:00:01")
    add_ethernet(router, "ether2", "48:8F:5A:00:00:02")
    router.menu("/ip/pool").add(name="pppoe", ranges="10.20.0.10-10.20.9.250")
    router.menu("/ppp/profile").items["*0"].values |= {"local-address": "10.20.0.1", "remote-address": "pppoe"}
    router.menu("/interface/pppoe-server/server").add(service_name="isp", interface="ether2", disabled="no")
    router.menu("/ip/hotspot").add(name="hs1", interface="ether1", disabled="no")
    return router


async def _serve(first: int, count: int) -> None:
    routers = Routers(first, count)
    _answer({"ports": await routers.start(), "pid": os.getpid()})
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        match line.split():
            case ["fill", sessions]:
                _answer(await routers.fill(int(sessions)))
            case ["storm", rate, seconds]:
                _answer(await routers.storm(float(rate), float(seconds)))
            case _:
                return


def _answer(content: object) -> None:
    sys.stdout.write(json.dumps(content) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("first", type=int)
    parser.add_argument("count", type=int)
    given = parser.parse_args()
    asyncio.run(_serve(given.first, given.count))
