"""PPPoE: subscribers dial in and hang up; sessions, their interfaces, addresses and queues come and go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lab.routers import errors
from lab.routers.behaviour.counters import Meter
from lab.routers.behaviour.sessions import LoginRefused, add_queue, shaped
from lab.routers.clock import Timer
from lab.routers.durations import parse_duration, whole_duration

if TYPE_CHECKING:
    from lab.routers.calls import Call
    from lab.routers.menu import Item, Row
    from lab.routers.router import VirtualRouter

FIRST_INTERFACE = 0xF00000
FIRST_SESSION = 0x81100000
LOG_WORDS = {
    "hung-up": "hungup",
    "peer-request": "user request",
    "nas-request": "administrator request",
    "session-timeout": "session timeout",
    "idle-timeout": "idle timeout",
    "port-error": "peer is not responding",
}


@dataclass
class PppSession:
    """One subscriber online."""

    router: VirtualRouter
    active: Item
    meter: Meter
    name: str
    mac: str
    interface: str
    address: str
    limit: str
    profile: Row
    rows: list[tuple[str, Item]] = field(default_factory=list)
    timers: list[Timer] = field(default_factory=list)
    ended: bool = False

    def traffic(self, up_bps: float, down_bps: float) -> None:
        """From now on so much passes, at most what the profile allows. Upload is what the router receives."""
        self.meter.run(self.router.clock.now(), *shaped(self.limit, up_bps, down_bps))


class PppServer:
    """The PPPoE servers of one router and who is online."""

    def __init__(self, router: VirtualRouter) -> None:
        self._router = router
        self._active = router.menu("/ppp/active")
        self._secrets = router.menu("/ppp/secret")
        self._numbers = 0
        self.sessions: dict[str, PppSession] = {}
        self.on_end: list[Callable[[PppSession, str], None]] = []
        """Called with the session and the reason after a session ended."""
        self._active.views.append(self._live)
        self._active.on_remove.append(self._removed)
        self._secrets.views.append(self._secret_extras)
        router.menu("/interface/pppoe-server").views.append(_server_row_uptime(router))
        router.command("/interface/pppoe-server", "monitor", self._monitor)
        router.on_reboot.append(self._reboot)

    def _live(self, item: Item) -> Mapping[str, str | None]:
        return {"uptime": whole_duration(self._router.clock.now() - item.since)}

    def _secret_extras(self, item: Item) -> Mapping[str, str | None]:
        if "last-logged-out" in item.values:
            return {}
        never = "1970-01-01" if self._router.personality.iso_dates else "jan/01/1970"
        return {"last-logged-out": f"{never} 00:00:00"}

    # coming

    async def dial(self, user: str, password: str, mac: str, service: str = "") -> PppSession:
        """A subscriber dials. Raises LoginRefused with the reason the router logs."""
        server = self._server(service)
        label = f"<pppoe-{user}>"
        try:
            secret = self._authenticate(user, password, mac)
            profile = self._profile(secret, server)
            self._refuse_second(user, profile)
            address = self._address(secret, profile, user)
        except LoginRefused as refusal:
            self._router.log("pppoe,ppp,error", f"{label}: {refusal}")
            raise
        self._router.log("pppoe,ppp,info", f"{label}: authenticated")
        session = self._open(user, mac.upper(), server, profile, address)
        await asyncio.sleep(0)  # listeners see the row before it has an address
        if not session.ended:
            self._connect(session, secret, profile)
        return session

    def _server(self, service: str) -> Item:
        for server in self._router.menu("/interface/pppoe-server/server"):
            if not server.disabled and service in {"", server.get("service-name")}:
                return server
        raise LoginRefused("no PPPoE server answers")

    def _authenticate(self, user: str, password: str, mac: str) -> Item:
        secret = self._secrets.named(user)
        if secret is None or secret.disabled or secret.get("password") != password:
            raise LoginRefused(f"user {user} authentication failed")
        if secret.get("service", "any") not in {"any", "pppoe"}:
            raise LoginRefused(f"user {user} authentication failed")
        if secret.get("caller-id") and secret.get("caller-id").upper() != mac.upper():
            raise LoginRefused(f"user {user} authentication failed - caller id does not match")
        return secret

    def _profile(self, secret: Item, server: Item) -> Row:
        profiles = self._router.menu("/ppp/profile")
        for row_id in (secret.get("profile"), server.get("default-profile"), "*0"):
            if row_id in profiles.items:
                return profiles.read(profiles.items[row_id])
        raise LoginRefused("no profile")

    def _refuse_second(self, user: str, profile: Row) -> None:
        only_one = profile.get("only-one", "default")
        if only_one == "default":
            only_one = self._router.menu("/ppp/profile").items["*0"].get("only-one")
        if only_one == "yes" and self._active.named(user):
            raise LoginRefused(f"user {user} is already active")

    def _address(self, secret: Item, profile: Row, user: str) -> str:
        """The secret beats the profile, one address beats a pool."""
        wanted = secret.get("remote-address") or profile.get("remote-address", "")
        if wanted and not wanted[0].isdigit():
            taken = self._router.pools.take(wanted, "PPP", user)
            if taken is None:
                raise LoginRefused(f"no free addresses in pool {wanted}")
            return taken
        if not wanted:
            raise LoginRefused("could not determine remote address")
        return wanted

    def _open(self, user: str, mac: str, server: Item, profile: Row, address: str) -> PppSession:
        number, self._numbers = self._numbers, self._numbers + 1
        name = f"<pppoe-{user}>"
        if self._router.menu("/interface").named(name):
            name = f"<pppoe-{user}-{number}>"
        meter = Meter(self._router.clock.now())
        active = self._active.put(
            {
                "name": user,
                "service": "pppoe",
                "caller-id": mac,
                "encoding": "",
                "session-id": f"0x{FIRST_SESSION + number:08x}",
                "limit-bytes-in": "0",
                "limit-bytes-out": "0",
                "radius": "false",
            },
            meter=meter,
        )
        session = PppSession(
            self._router, active, meter, user, mac, name, address, profile.get("rate-limit", ""), profile
        )
        self.sessions[active.id] = session
        self._add_interface(session, server, f"*{FIRST_INTERFACE + number:X}")
        return session

    def _add_interface(self, session: PppSession, server: Item, row_id: str) -> None:
        mtu = "1480" if server.get("max-mtu") in {"", "auto"} else server["max-mtu"]
        common = {"name": session.interface, "mtu": mtu, "running": "true", "dynamic": "true"}
        port = {
            "type": "pppoe-in",
            "actual-mtu": mtu,
            "last-link-up-time": self._router.stamp(),
            "link-downs": "0",
            **dict.fromkeys(
                ("rx-drop", "tx-drop", "tx-queue-drop", "rx-error", "tx-error", "fp-rx-byte", "fp-tx-byte"),
                "0",
            ),
            "disabled": "false",
        }
        interfaces = self._router.menu("/interface")
        session.rows.append(("/interface", interfaces.put(common | port, row_id, session.meter)))
        line = {
            "user": session.name,
            "service": server.get("service-name"),
            "mru": mtu,
            "remote-address": session.mac,
            "encoding": "",
            "interface": server.get("interface"),
            "disabled": "false",
        }
        lines = self._router.menu("/interface/pppoe-server")
        session.rows.append(("/interface/pppoe-server", lines.put(common | line, row_id)))

    def _connect(self, session: PppSession, secret: Item, profile: Row) -> None:
        local = secret.get("local-address") or profile.get("local-address", "")
        if local and not local[0].isdigit():
            local = ""
        put = self._router.menu("/ip/address").put
        address = {"address": f"{local or '0.0.0.0'}/32", "network": session.address}
        place = {"interface": session.interface, "actual-interface": session.interface}
        flags = {"invalid": "false", "dynamic": "true", "disabled": "false"}
        session.rows.append(("/ip/address", put(address | place | flags)))
        queue = add_queue(self._router, session.interface, session.interface, session.limit, session.meter)
        if queue is not None:
            session.rows.append(("/queue/simple", queue))
        self._list_address(session, profile)
        self._active.change(
            session.active,
            {"address": session.address} | ({"comment": secret["comment"]} if "comment" in secret.values else {}),
        )
        self._router.log("pppoe,ppp,info", f"{session.interface}: connected")
        self._router.log("pppoe,ppp,info,account", f"{session.name} logged in, {session.address} from {session.mac}")
        if timeout_s := parse_duration(profile.get("session-timeout", "")):
            session.timers.append(self._router.after(timeout_s, lambda: self.end(session, "session-timeout")))
        self._script(session, profile.get("on-up", ""))

    def _list_address(self, session: PppSession, profile: Row) -> None:
        for name in filter(None, profile.get("address-list", "").split(",")):
            row = {"list": name, "address": session.address, "creation-time": self._router.stamp()}
            listed = self._router.menu("/ip/firewall/address-list").put(row | {"dynamic": "true", "disabled": "false"})
            session.rows.append(("/ip/firewall/address-list", listed))

    def _script(self, session: PppSession, source: str) -> None:
        if source:
            variables = {
                "user": session.name,
                "remote-address": session.address,
                "caller-id": session.mac,
                "interface": session.rows[0][1].id,
            }
            self._router.scripts.start(source, variables)

    # going

    def hang_up(self, user: str, reason: str = "hung-up") -> None:
        """All sessions of a user end from the subscriber's side; nothing happens if there are none."""
        for item in self._active.all_named(user):
            self.end(self.sessions[item.id], reason)

    def end(self, session: PppSession, reason: str) -> None:
        """End a session. `reason` is one of last-disconnect-reason."""
        if session.ended:
            return
        self._close(session, reason)
        self._active.drop(session.active)

    def _removed(self, item: Item) -> None:
        """Somebody removed the row: the session ends."""
        session = self.sessions.get(item.id)
        if session is not None and not session.ended:
            self._close(session, "nas-request")

    def _close(self, session: PppSession, reason: str) -> None:
        session.ended = True
        now = self._router.clock.now()
        for timer in session.timers:
            timer.cancel()
        self._script(session, session.profile.get("on-down", ""))
        for path, item in reversed(session.rows):
            self._router.menu(path).drop(item)
        self._router.pools.give_back(session.address)
        self.sessions.pop(session.active.id, None)
        secret = self._secrets.named(session.name)
        if secret is not None:
            last = {"last-logged-out": self._router.stamp(), "last-caller-id": session.mac}
            self._secrets.change(secret, {**last, "last-disconnect-reason": reason})
        word = LOG_WORDS.get(reason, reason)
        self._router.log("pppoe,ppp,info", f"{session.interface}: terminating... - {word}")
        seconds, rx, tx = int(now - session.active.since), session.meter.rx(now), session.meter.tx(now)
        self._router.log(
            "pppoe,ppp,info,account",
            f"{session.name} logged out, {seconds} {rx} {tx} {rx // 900} {tx // 900} from {session.mac}",
        )
        self._router.log("pppoe,ppp,info", f"{session.interface}: disconnected")
        for told in self.on_end:
            told(session, reason)

    def _reboot(self) -> None:
        for session in list(self.sessions.values()):
            self.end(session, "reboot")

    async def _monitor(self, call: Call) -> None:
        items = call.picked()
        once = call.flag("once")
        duration = call.seconds("duration")
        call.refuse_rest()
        for item in items:
            if item.get("running") != "true":
                raise errors.Trap(self._router.personality.no_such_item, 0)
        await call.refresh(lambda: [self._status(item) for item in items], 1.0, duration, once)

    def _status(self, item: Item) -> dict[str, str]:
        row = self._router.menu("/interface/pppoe-server").read(item)
        shown = {name: row[name] for name in ("uptime", "user", "encoding", "service", "interface", "mtu", "mru")}
        return {"status": "connected", **shown, "caller-id": row["remote-address"]}


def _server_row_uptime(router: VirtualRouter) -> Callable[[Item], Mapping[str, str | None]]:
    def live(item: Item) -> Mapping[str, str | None]:
        if item.get("dynamic") != "true":
            return {}
        return {"uptime": whole_duration(router.clock.now() - item.since)}

    return live
