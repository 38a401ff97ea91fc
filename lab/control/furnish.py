"""From a planned router to a virtual one that looks as if a small provider had set it up."""

from __future__ import annotations

import ipaddress

from lab import names
from lab.provider import PlannedRouter, Subscriber
from lab.routers import LinkMap, Personality, VirtualRouter
from lab.routers.behaviour.interfaces import add_ethernet


def build_router(plan: PlannedRouter, number: int, customers: list[Subscriber], links: LinkMap) -> VirtualRouter:
    """A router with ports, pools, servers, profiles and the accounts of its customers; not yet started."""
    router = VirtualRouter(
        Personality(plan.version, board=plan.board),
        plan.name,
        admin=plan.user,
        password=plan.password,
        links=links,
        rtt_s=0.001,
    )
    for port in range(1, 6):
        add_ethernet(router, f"ether{port}", f"48:8F:5A:{number:02X}:00:{port:02X}")
    router.menu("/ip/address").add(address=f"10.0.{number}.1/24", interface="ether1", comment="uplink")
    _add_pppoe(router, plan)
    _add_hotspot(router, plan)
    for customer in customers:
        _add_account(router, customer)
    return router


def _range(pool: str) -> tuple[str, str]:
    """The router's own address in a pool, and the range that it gives out."""
    network = ipaddress.IPv4Network(pool)
    return str(network[1]), f"{network[10]}-{network[-2]}"


def _add_pppoe(router: VirtualRouter, plan: PlannedRouter) -> None:
    own, given_out = _range(plan.pppoe_pool)
    router.menu("/ip/pool").add(name="pool-pppoe", ranges=given_out)
    for name, rate, _ in names.PROFILES:
        router.menu("/ppp/profile").add(
            name=name, local_address=own, remote_address="pool-pppoe", rate_limit=rate, only_one="yes"
        )
    router.menu("/interface/pppoe-server/server").add(service_name="guyub", interface="ether3", disabled="no")


def _add_hotspot(router: VirtualRouter, plan: PlannedRouter) -> None:
    own, given_out = _range(plan.hotspot_pool)
    router.menu("/ip/pool").add(name="pool-hotspot", ranges=given_out)
    router.menu("/ip/address").add(address=f"{own}/16", interface="ether4", comment="hotspot")
    router.menu("/ip/hotspot").add(name="hs-guyub", interface="ether4", address_pool="pool-hotspot", disabled="no")
    for name, rate, _ in names.HOTSPOT_PROFILES:
        router.menu("/ip/hotspot/user/profile").add(name=name, rate_limit=rate, shared_users="1")


def _add_account(router: VirtualRouter, customer: Subscriber) -> None:
    fields = {
        "name": customer.user,
        "password": customer.password,
        "profile": customer.profile,
        "comment": f"{customer.name}, {customer.phone}",
    }
    if customer.service == "pppoe":
        router.menu("/ppp/secret").add(**fields, service="pppoe")
    else:
        router.menu("/ip/hotspot/user").add(**fields)
