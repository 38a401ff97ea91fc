"""What can happen on a router: ports, load, sensors, its clock, its neighbours, its leases, another version."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from lab.chats.desk import DeskError
from lab.control.running import Lab
from lab.routers import VirtualRouter
from lab.routers.behaviour import neighbors, system
from lab.routers.behaviour.counters import run_traffic
from lab.routers.behaviour.interfaces import set_link

Options = dict[str, Any]
Deed = Callable[[Lab, str, Options], Awaitable[str]]


def router_of(lab: Lab, name: str) -> VirtualRouter:
    """The router of this name; raises DeskError."""
    if name not in lab.routers:
        raise DeskError(f"there is no router {name}")
    return lab.routers[name]


def number(options: Options, name: str, default: float) -> float:
    """A number among the options; raises DeskError."""
    try:
        return float(options.get(name, default))
    except (TypeError, ValueError) as error:
        raise DeskError(f"{name} must be a number") from error


def _port(router: VirtualRouter, options: Options) -> str:
    port = str(options.get("port", "ether2"))
    if router.menu("/interface").named(port) is None:
        raise DeskError(f"there is no port {port}")
    return port


async def unplug(lab: Lab, name: str, options: Options) -> str:
    """`port` (ether2) loses its link."""
    router = router_of(lab, name)
    port = _port(router, options)
    set_link(router, port, up=False)
    return f"{port} of {name} has no link"


async def plug(lab: Lab, name: str, options: Options) -> str:
    """`port` (ether2) has its link again."""
    router = router_of(lab, name)
    port = _port(router, options)
    set_link(router, port, up=True)
    return f"{port} of {name} has a link"


async def flap_port(lab: Lab, name: str, options: Options) -> str:
    """`port` (ether2) down and up: `times` (6), `seconds` in each state (2)."""
    router = router_of(lab, name)
    port, times, seconds = _port(router, options), int(number(options, "times", 6)), number(options, "seconds", 2)

    async def flap() -> None:
        for _ in range(min(times, 1000)):
            set_link(router, port, up=False)
            await asyncio.sleep(seconds)
            set_link(router, port, up=True)
            await asyncio.sleep(seconds)

    router.spawn(flap())
    return f"{port} of {name} goes down and up {times} times"


async def strain(lab: Lab, name: str, options: Options) -> str:
    """`cpu`, `memory`, `disk`: so many percent are used; none given: as before."""
    given = {what: number(options, what, 0) for what in ("cpu", "memory", "disk") if what in options}
    router_of(lab, name).vitals.strain(**given)
    said = ", ".join(f"{what} {value:g} %" for what, value in given.items())
    return f"{name}: {said or 'as usual'}"


async def sensor(lab: Lab, name: str, options: Options) -> str:
    """The sensor `sensor` (temperature) shows `value`."""
    which, value = str(options.get("sensor", "temperature")), f"{number(options, 'value', 41):g}"
    router = router_of(lab, name)
    try:
        router.vitals.sense(which, value)
    except KeyError as error:
        raise DeskError(f"{name} has no sensor {which}") from error
    return f"{which} of {name} shows {value}"


async def misset_clock(lab: Lab, name: str, options: Options) -> str:
    """The clock is `seconds` ahead (600); 0 sets it right."""
    seconds = number(options, "seconds", 600)
    router_of(lab, name).clock_offset_s = seconds
    return f"the clock of {name} is {seconds:g} s ahead"


async def neighbor(lab: Lab, name: str, options: Options) -> str:
    """A device announces itself: `mac`, `port` (ether2), `address`, `identity`; `gone=yes`: it is silent again."""
    router = router_of(lab, name)
    mac = str(options.get("mac", "DC:2C:6E:00:00:99")).upper()
    if options.get("gone") in {"yes", "true", True}:
        return f"{mac} is gone" if neighbors.vanish(router, mac) else f"{mac} was not there"
    address, identity = str(options.get("address", "")), str(options.get("identity", ""))
    neighbors.appear(router, mac, interface=_port(router, options), address=address, identity=identity)
    return f"{name} sees {mac}"


async def bind_lease(lab: Lab, name: str, options: Options) -> str:
    """A device gets `address` (10.0.99.20): `mac`, `host`, `server` (dhcp-lan)."""
    mac, address = str(options.get("mac", "A4:5E:60:00:00:20")).upper(), str(options.get("address", "10.0.99.20"))
    router = router_of(lab, name)
    router.leases.bind(str(options.get("server", "dhcp-lan")), mac, address, str(options.get("host", "")))
    return f"{mac} has {address}"


async def release_lease(lab: Lab, name: str, options: Options) -> str:
    """The device `mac` gives its address back."""
    mac = str(options.get("mac", "A4:5E:60:00:00:20")).upper()
    router_of(lab, name).leases.release(mac)
    return f"{mac} has no address"


async def upgrade(lab: Lab, name: str, options: Options) -> str:
    """Another version of the same line, `version`, after a reboot."""
    version = str(options.get("version", ""))
    try:
        await system.upgrade(router_of(lab, name), version)
    except (ValueError, IndexError) as error:
        raise DeskError(f"{name} cannot become {version or 'nothing'}: {error}") from error
    return f"{name} runs {version}"


async def traffic(lab: Lab, name: str, options: Options) -> str:
    """`port` (ether1) receives `rx_mbps` (40) and sends `tx_mbps` (8)."""
    router = router_of(lab, name)
    port = _port(router, options | {"port": options.get("port", "ether1")})
    rx_mbps, tx_mbps = number(options, "rx_mbps", 40), number(options, "tx_mbps", 8)
    run_traffic(router, port, rx_mbps, tx_mbps)
    return f"{port} of {name}: {rx_mbps:g} Mbit/s in, {tx_mbps:g} out"


ROUTER_DEEDS: dict[str, Deed] = {
    "unplug": unplug,
    "plug": plug,
    "flap": flap_port,
    "strain": strain,
    "sensor": sensor,
    "clock": misset_clock,
    "neighbor": neighbor,
    "lease": bind_lease,
    "release": release_lease,
    "upgrade": upgrade,
    "traffic": traffic,
}
