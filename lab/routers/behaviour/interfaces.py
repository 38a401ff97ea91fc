"""Ports, VLANs and bridges: rows of their own menu that are rows of /interface too, under one id."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.routers.calls import Call
    from lab.routers.menu import Item, Menu, Row
    from lab.routers.router import VirtualRouter

KINDS = {"/interface/ethernet": "ether", "/interface/vlan": "vlan", "/interface/bridge": "bridge"}
SHARED = ("name", "disabled", "comment", "mac-address")
ZEROS = ["rx-byte", "tx-byte", "rx-packet", "tx-packet", "rx-drop", "tx-drop", "tx-queue-drop", "rx-error", "tx-error"]


def install(router: VirtualRouter) -> None:
    interfaces = router.menu("/interface")
    for path, kind in KINDS.items():
        menu = router.menu(path)
        menu.ids_from = interfaces
        _mirror(router, menu, interfaces, kind)
    router.command("/interface/ethernet", "monitor", _monitor)


def _mirror(router: VirtualRouter, menu: Menu, interfaces: Menu, kind: str) -> None:
    def added(item: Item) -> None:
        name = item.values.setdefault("name", f"{kind}{len(menu)}")
        item.values.setdefault("mac-address", f"02:00:{_tail(name)}")
        item.values["running"] = "true"
        values = {"name": name, "type": kind, "mtu": item.get("mtu", "1500"), "actual-mtu": "1500"}
        values |= {key: item[key] for key in ("default-name", "mac-address", "comment") if key in item.values}
        values |= {"last-link-up-time": router.stamp(), "link-downs": "0", **dict.fromkeys(ZEROS, "0")}
        interfaces.put(values | {"running": "true", "disabled": item.get("disabled", "false")}, item.id)

    def changed(item: Item, _before: Row) -> None:
        twin = interfaces.items.get(item.id)
        if twin is not None:
            _copy(item, twin, interfaces)

    def changed_above(item: Item, _before: Row) -> None:
        twin = menu.items.get(item.id)
        if twin is not None:
            _copy(item, twin, menu)

    def removed(item: Item) -> None:
        twin = interfaces.items.get(item.id)
        if twin is not None:
            interfaces.drop(twin)

    menu.on_add.append(added)
    menu.on_change.append(changed)
    menu.on_remove.append(removed)
    interfaces.on_change.append(changed_above)


def _copy(source: Item, target: Item, menu: Menu) -> None:
    fresh = {name: source.values.get(name) for name in SHARED}
    if any(target.values.get(name) != value for name, value in fresh.items()):
        menu.change(target, fresh)


def _tail(name: str) -> str:
    """Four bytes of a made-up MAC address."""
    number = f"{zlib.crc32(name.encode()):08X}"
    return ":".join(number[at : at + 2] for at in range(0, 8, 2))


def add_ethernet(router: VirtualRouter, name: str, mac: str) -> Item:
    """An Ethernet port with its link up. Returns its row in /interface."""
    ports = router.menu("/interface/ethernet")
    port = {"name": name, "default-name": name, "mac-address": mac}
    return router.menu("/interface").items[ports.put(ports.defaults() | port).id]


def set_link(router: VirtualRouter, name: str, *, up: bool) -> None:
    """Plug a port in or out."""
    item = router.menu("/interface").named(name)
    if item is None or (item.get("running") == "true") == up:
        return
    downs = int(item.get("link-downs", "0")) + (0 if up else 1)
    when = "last-link-up-time" if up else "last-link-down-time"
    running = "true" if up else "false"
    router.menu("/interface").change(item, {"running": running, when: router.stamp(), "link-downs": str(downs)})
    state = "up (speed 1G, full duplex)" if up else "down"
    router.log("interface,info", f"{name} link {state}")


async def _monitor(call: Call) -> None:
    items = call.picked()
    once = call.flag("once")
    duration_s = call.seconds("duration")
    call.refuse_rest()

    def status() -> list[dict[str, str]]:
        rows = []
        for item in items:
            twin = call.router.menu("/interface").items[item.id]
            up = twin.get("running") == "true"
            row = {"name": item["name"], "status": "link-ok" if up else "no-link", "auto-negotiation": "done"}
            rows.append(row | ({"rate": "1Gbps", "full-duplex": "true"} if up else {}))
        return rows

    await call.refresh(status, 1.0, duration_s, once)
