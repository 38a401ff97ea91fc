"""/ip/neighbor: devices that announce themselves on a port, as long as they do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lab.routers.durations import whole_duration

if TYPE_CHECKING:
    from lab.routers.menu import Item
    from lab.routers.router import VirtualRouter

ANNOUNCED_EVERY_S = 60


def install(router: VirtualRouter) -> None:
    """Neighbours are forgotten at a restart and announce themselves again, so they simply stay."""
    menu = router.menu("/ip/neighbor")

    def live(item: Item) -> Mapping[str, str | None]:
        age_s = router.clock.now() - item.since
        return {"age": whole_duration(age_s % ANNOUNCED_EVERY_S), "uptime": whole_duration(age_s + 3600)}

    menu.views.append(live)


def appear(
    router: VirtualRouter,
    mac: str,
    *,
    interface: str = "ether2",
    address: str = "",
    identity: str = "",
    board: str = "RBwAPG-5HacD2HnD",
    version: str = "7.16.2 (stable)",
) -> Item:
    """A device announces itself on a port; one that is known already only shows its row."""
    menu = router.menu("/ip/neighbor")
    known = next((item for item in menu if item.get("mac-address") == mac), None)
    if known is not None:
        return known
    row = {
        "interface": interface,
        "mac-address": mac,
        "identity": identity or f"tetangga-{mac[-5:].replace(':', '')}",
        "platform": "MikroTik",
        "version": version,
        "unpack": "none",
        "board": board,
        "ipv6": "false",
        "interface-name": "ether1",
    }
    if address:
        row |= {"address": address}
        row |= {"address4": address} if router.personality.line == 7 else {}
    if router.personality.line == 7:
        row |= {"system-caps": "bridge,router", "system-caps-enabled": "bridge,router", "discovered-by": "mndp"}
    return menu.put(row)


def vanish(router: VirtualRouter, mac: str) -> bool:
    """A device is silent for so long that its row goes; False if there was none."""
    menu = router.menu("/ip/neighbor")
    known = next((item for item in menu if item.get("mac-address") == mac), None)
    if known is not None:
        menu.drop(known)
    return known is not None
