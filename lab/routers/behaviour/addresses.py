"""/ip menus with a little life of their own: addresses, address lists, leases, services, arp."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import TYPE_CHECKING

from lab.routers.clock import Timer
from lab.routers.durations import parse_duration, whole_duration

if TYPE_CHECKING:
    from lab.routers.calls import Call
    from lab.routers.menu import Item, Row
    from lab.routers.router import VirtualRouter


def install(router: VirtualRouter) -> None:
    interfaces = router.menu("/interface")

    def live(item: Item) -> Mapping[str, str | None]:
        """The network follows from the address, the actual interface from the one given."""
        shown: dict[str, str | None] = {}
        if "network" not in item.values:
            shown["network"] = str(ipaddress.ip_interface(item["address"]).network.network_address)
        port = interfaces.items.get(item.get("interface"))
        if port is not None and "actual-interface" in router.specs["/ip/address"].fields:
            shown["actual-interface"] = port["name"]
        return shown

    router.menu("/ip/address").views.append(live)
    AddressLists(router)


class AddressLists:
    """Entries with a timeout are dynamic, count down and disappear."""

    def __init__(self, router: VirtualRouter) -> None:
        self._router = router
        self._menu = router.menu("/ip/firewall/address-list")
        self._ends: dict[str, float] = {}
        self._timers: dict[str, Timer] = {}
        self._menu.on_add.append(self._added)
        self._menu.on_change.append(self._changed)
        self._menu.on_remove.append(lambda item: self._forget(item.id))
        self._menu.views.append(self._live)
        router.on_reboot.append(self._reboot)

    def _added(self, item: Item) -> None:
        item.values.setdefault("creation-time", self._router.stamp())
        self._plan(item)

    def _changed(self, item: Item, before: Row) -> None:
        if item.get("timeout") != before.get("timeout", ""):
            self._plan(item)

    def _plan(self, item: Item) -> None:
        self._forget(item.id)
        seconds = parse_duration(item.get("timeout"))
        if seconds:
            item.values["dynamic"] = "true"
            self._ends[item.id] = self._router.clock.now() + seconds
            self._timers[item.id] = self._router.after(seconds, lambda: self._menu.drop(item))

    def _forget(self, row_id: str) -> None:
        self._ends.pop(row_id, None)
        timer = self._timers.pop(row_id, None)
        if timer is not None:
            timer.cancel()

    def _live(self, item: Item) -> Mapping[str, str | None]:
        end = self._ends.get(item.id)
        return {} if end is None else {"timeout": whole_duration(end - self._router.clock.now())}

    def _reboot(self) -> None:
        """Dynamic entries are not in the configuration."""
        for item in self._menu:
            if item.get("dynamic") == "true":
                self._menu.drop(item)


class Leases:
    """DHCP leases: `lease` hands one out, `make-static` keeps it."""

    def __init__(self, router: VirtualRouter) -> None:
        self._router = router
        self._menu = router.menu("/ip/dhcp-server/lease")
        self._menu.views.append(self._live)
        self._menu.on_add.append(self._added)
        router.command("/ip/dhcp-server/lease", "make-static", self._make_static)
        router.command("/ip/dhcp-server/lease", "check-status", _accept)

    def _added(self, item: Item) -> None:
        item.values.setdefault("status", "waiting")
        for name in ("radius", "dynamic", "blocked"):
            item.values.setdefault(name, "false")

    def _live(self, item: Item) -> Mapping[str, str | None]:
        blocked = "true" if item.get("block-access") == "true" else "false"
        if item.get("status") != "bound":
            return {"last-seen": item.get("last-seen") or "never", "blocked": blocked}
        age = self._router.clock.now() - item.since
        lease_s = parse_duration(item.get("lease-time")) or 600.0
        left = lease_s - age % (lease_s / 2)
        return {
            "expires-after": whole_duration(left),
            "last-seen": whole_duration(age % (lease_s / 2)),
            "blocked": blocked,
        }

    def bind(self, server: str, mac: str, address: str, host_name: str = "") -> Item:
        """A device got this address. A waiting static lease of the MAC becomes bound, else there is a
        dynamic one."""
        active = {
            "status": "bound",
            "active-address": address,
            "active-mac-address": mac,
            "active-server": server,
            "active-client-id": f"1:{mac.lower()}",
        }
        active |= {"host-name": host_name} if host_name else {}
        self._router.log("dhcp,info", f"{server} assigned {address} for {mac} {host_name}".rstrip())
        known = next((one for one in self._menu if one.get("mac-address") == mac), None)
        if known is not None:
            self._menu.change(known, active)
            return known
        row = {"address": address, "mac-address": mac, "client-id": f"1:{mac.lower()}", "address-lists": ""}
        owner = self._router.menu("/ip/dhcp-server").named(server)
        row |= {"server": owner.id if owner else server, "dhcp-option": ""}
        flags = {"radius": "false", "dynamic": "true", "blocked": "false", "disabled": "false"}
        return self._menu.put(row | active | flags)

    def release(self, mac: str) -> None:
        """The device is gone: its dynamic lease disappears, a static one waits."""
        for item in self._menu:
            if item.get("mac-address") != mac:
                continue
            self._router.log("dhcp,info", f"{item.get('active-server')} deassigned {item.get('address')} from {mac}")
            if item.get("dynamic") == "true":
                self._menu.drop(item)
            else:
                gone = [name for name in item.values if name.startswith("active-")] + ["host-name"]
                self._menu.change(item, {**dict.fromkeys(gone), "status": "waiting"})

    def _make_static(self, call: Call) -> None:
        items = call.picked()
        call.refuse_rest()
        for item in items:
            self._menu.change(item, {"dynamic": "false"})
        call.done()


def _accept(call: Call) -> None:
    call.picked()
    call.refuse_rest()
    call.done()
