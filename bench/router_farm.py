"""`python -m bench.router_farm N`: N virtual routers in a process of their own, so that what they cost is not counted.

Writes their ports as one JSON line; answers each line that it reads with what it has heard; ends with its input.
"""

from __future__ import annotations

import asyncio
import json
import sys

from lab.routers import Personality, VirtualRouter
from lab.routers.behaviour import neighbors
from lab.routers.behaviour.interfaces import add_ethernet

PASSWORD = "bench"  # noqa: S105 - of routers that live for a minute
PORTS, LEASES, NEIGHBORS = 10, 20, 5
VERSIONS = ("6.49.18", "7.16.2", "7.20.8")


def furnished(number: int) -> VirtualRouter:
    """A router as a small provider has many: ten ports, a pool, twenty leases, five neighbours."""
    version = VERSIONS[number % len(VERSIONS)]
    router = VirtualRouter(Personality(version, board="RB5009UG+S+"), f"gw-{number}", password=PASSWORD)
    mark = f"{number >> 8:02X}:{number & 255:02X}"
    for port in range(1, PORTS + 1):
        add_ethernet(router, f"ether{port}", f"48:8F:5A:{mark}:{port:02X}")
    router.menu("/ip/pool").add(name="pppoe", ranges="10.20.0.10-10.20.0.250")
    router.menu("/ip/dhcp-server").add(name="dhcp-lan", interface="ether2", disabled="no")
    for host in range(LEASES):
        router.leases.bind("dhcp-lan", f"A4:5E:60:{mark}:{host:02X}", f"10.5.0.{host + 2}", f"pc-{host}")
    for device in range(NEIGHBORS):
        neighbors.appear(router, f"DC:2C:6E:{mark}:{device:02X}")
    router.booted_at -= 86_400
    return router


async def serve(count: int) -> None:
    """Run until the input ends."""
    routers = [furnished(number) for number in range(count)]
    for router in routers:
        await router.start()
    print(json.dumps([router.port for router in routers]), flush=True)
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        sentences = sum(sum(router.server.heard.values()) for router in routers)
        logins = sum(router.server.logins for router in routers)
        print(json.dumps({"sentences": sentences, "logins": logins}), flush=True)
    for router in routers:
        await router.stop()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
