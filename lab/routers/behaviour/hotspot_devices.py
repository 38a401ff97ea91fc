"""Devices of a hotspot: the hosts seen, the cookies left with them, the bindings made for them."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import TYPE_CHECKING

from lab.routers import editing
from lab.routers.behaviour.counters import PACKET_BYTES, Meter
from lab.routers.behaviour.sessions import LoginRefused
from lab.routers.durations import parse_duration, whole_duration

if TYPE_CHECKING:
    from lab.routers.calls import Call
    from lab.routers.menu import Item, Row
    from lab.routers.router import VirtualRouter


def address_id(address: str) -> str:
    """The id of a host or session: its IPv4 address, last byte first, in hex."""
    return f"*{int.from_bytes(ipaddress.IPv4Address(address).packed, 'little'):X}"


def is_ip(text: str | None) -> bool:
    """Whether a text is an IPv4 address."""
    try:
        ipaddress.IPv4Address(text or "")
    except ValueError:
        return False
    return True


def traffic_columns(meter: Meter, now: float) -> dict[str, str | None]:
    """The counters of a host or session row."""
    rx, tx = meter.rx(now), meter.tx(now)
    return {
        "bytes-in": str(rx),
        "bytes-out": str(tx),
        "packets-in": str(rx // PACKET_BYTES),
        "packets-out": str(tx // PACKET_BYTES),
    }


class Devices:
    """What one router knows of devices, logged in or not."""

    def __init__(self, router: VirtualRouter) -> None:
        self._router = router
        self.hosts = router.menu("/ip/hotspot/host")
        self._cookies = router.menu("/ip/hotspot/cookie")
        self.hosts.views.append(self._host_live)
        self._cookies.views.append(self._cookie_live)
        router.command("/ip/hotspot/host", "make-binding", self._make_binding)

    def join(self, mac: str, ip: str) -> Item:
        """A device appears (or is still there)."""
        row_id = address_id(ip)
        if row_id in self.hosts.items:
            return self.hosts.items[row_id]
        server = self.server()
        binding = self._router.menu("/ip/hotspot/ip-binding").row(mac_address=mac.upper(), disabled="false") or {}
        values = {
            "mac-address": mac.upper(),
            "address": ip,
            "to-address": ip,
            "server": server["name"],
            "found-by": "TCP connection",
            "keepalive-timeout": "2m",
            "authorized": "false",
            "bypassed": "true" if binding.get("type") == "bypassed" else "false",
            "static": "false",
            "dynamic": "true",
            "DHCP": "true",
        }
        return self.hosts.put(values, row_id, Meter(self._router.clock.now()))

    def at(self, ip: str) -> Item | None:
        """The device with this address."""
        return self.hosts.items.get(address_id(ip)) if is_ip(ip) else None

    def server(self) -> Item:
        """The first enabled hotspot server. Raises LoginRefused if there is none."""
        for server in self._router.menu("/ip/hotspot"):
            if not server.disabled:
                return server
        raise LoginRefused("no hotspot server answers")

    def leave_cookies(self, name: str, mac: str, profile: Row) -> None:
        """What the server profile and the user profile leave with a device after a login."""
        server_profile = self._router.menu("/ip/hotspot/profile").items.get(self.server().get("profile"))
        if server_profile is None:
            return
        ways = server_profile.get("login-by").split(",")
        lifetimes = {"false": server_profile.get("http-cookie-lifetime") if "cookie" in ways else ""}
        if "mac-cookie" in ways and profile.get("add-mac-cookie") == "true":
            lifetimes["true"] = profile.get("mac-cookie-timeout", "3d")
        for old in self.cookies_of(name, mac):
            self._cookies.drop(old)
        for mac_cookie, lifetime in lifetimes.items():
            if lifetime:
                values = {"user": name, "mac-address": mac, "expires-in": lifetime, "mac-cookie": mac_cookie}
                self._cookies.put(values)

    def cookies_of(self, name: str, mac: str) -> list[Item]:
        """The cookies of a user on a device."""
        return [one for one in self._cookies if one["user"] == name and one["mac-address"] == mac]

    def drop_mac_cookie(self, name: str, mac: str) -> None:
        """The MAC cookie of a device goes; the other one stays with its browser."""
        for cookie in self.cookies_of(name, mac):
            if cookie["mac-cookie"] == "true":
                self._cookies.drop(cookie)

    def _host_live(self, item: Item) -> Mapping[str, str | None]:
        now = self._router.clock.now()
        counters = traffic_columns(item.meter, now) if item.meter else {}
        return {"uptime": whole_duration(now - item.since), "idle-time": "0s", **counters}

    def _cookie_live(self, item: Item) -> Mapping[str, str | None]:
        lifetime = parse_duration(item["expires-in"]) or 0.0
        return {"expires-in": whole_duration(lifetime - (self._router.clock.now() - item.since))}

    def _make_binding(self, call: Call) -> None:
        items = call.picked()
        extra = {name: call.left.pop(name) for name in ("type", "comment") if name in call.left}
        call.refuse_rest()
        for host in items:
            place = {"mac-address": host["mac-address"], "address": host["address"]}
            editing.add(self._router.menu("/ip/hotspot/ip-binding"), place | extra)
        call.done()
