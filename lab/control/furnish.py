"""From a planned router to a virtual one that looks as if a small provider had set it up."""

from __future__ import annotations

import ipaddress

from lab import names
from lab.provider import PlannedRouter, Subscriber
from lab.routers import LinkMap, Personality, VirtualRouter
from lab.routers.behaviour import neighbors
from lab.routers.behaviour.counters import run_traffic
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
    _add_surroundings(router, number)
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


def _add_surroundings(router: VirtualRouter, number: int) -> None:
    """What is always there: traffic on the uplink, a DHCP server with two devices, and access points that announce
    themselves."""
    run_traffic(router, "ether1", 30.0 + 5 * number, 6.0 + number)
    run_traffic(router, "ether3", 6.0 + number, 30.0 + 5 * number)
    if "/ip/dhcp-server" in router.menus:
        router.menu("/ip/dhcp-server").add(name="dhcp-lan", interface="ether5", disabled="no")
        for host in (11, 12):
            router.leases.bind(
                "dhcp-lan", f"A4:5E:60:{number:02X}:00:{host:02X}", f"10.0.{number}.{host}", f"pc-{host}"
            )
    for ap in (1, 2):
        mac, identity = f"DC:2C:6E:{number:02X}:00:{ap:02X}", f"ap-{router.name}-{ap}"
        neighbors.appear(router, mac, interface="ether4", address=f"10.0.{number}.{100 + ap}", identity=identity)


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
