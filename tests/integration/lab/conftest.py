"""Routers of a small provider, listening on real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from lab.routers import Clock, Personality, VirtualRouter
from lab.routers.behaviour.system import add_ethernet

OLD, NEW, NEWEST = "6.49.18", "7.16.2", "7.20.7"


def furnish(router: VirtualRouter) -> None:
    """A port, a pool, a PPPoE server with two subscribers, a hotspot with one voucher."""
    add_ethernet(router, "ether1", "48:8F:5A:00:00:01")
    add_ethernet(router, "ether2", "48:8F:5A:00:00:02")
    router.menu("/ip/address").add(address="192.168.88.1/24", interface="ether1")
    router.menu("/ip/pool").add(name="pppoe", ranges="10.20.0.10-10.20.0.250")
    router.menu("/ppp/profile").add(
        name="10M", local_address="10.20.0.1", remote_address="pppoe", rate_limit="5M/10M"
    )
    router.menu("/interface/pppoe-server/server").add(service_name="isp", interface="ether2", disabled="no")
    for name in ("budi", "sari"):
        router.menu("/ppp/secret").add(name=name, password=f"{name}-pw", profile="10M", service="pppoe")
    router.menu("/ip/hotspot").add(name="hs1", interface="ether1", disabled="no")
    router.menu("/ip/hotspot/user/profile").add(name="1jam", rate_limit="1M/2M", shared_users="1")
    router.menu("/ip/hotspot/user").add(name="vc1", password="vc1", profile="1jam", limit_uptime="1h")


Start = Callable[..., Awaitable[VirtualRouter]]


@pytest.fixture
async def start_router() -> AsyncIterator[Start]:
    """Starts furnished routers by version; all stop at the end of the test."""
    routers: list[VirtualRouter] = []

    async def start(
        version: str = NEW, *, clock: Clock | None = None, tls: bool = False, **more: object
    ) -> VirtualRouter:
        chosen = Personality(version, **{k: more.pop(k) for k in ("board", "packages") if k in more})
        router = VirtualRouter(chosen, f"gw-{len(routers)}", clock=clock, password="rahasia", **more)
        routers.append(router)
        furnish(router)
        await router.start(tls_port=0 if tls else None)
        return router

    yield start
    for router in routers:
        await router.stop()
