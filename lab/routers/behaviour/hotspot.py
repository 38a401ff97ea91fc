"""Hotspot: devices appear, people log in with vouchers, time runs out, sessions end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lab.routers import errors
from lab.routers.behaviour.counters import PACKET_BYTES, Meter
from lab.routers.behaviour.hotspot_devices import Devices, address_id, is_ip, traffic_columns
from lab.routers.behaviour.sessions import LoginRefused, add_queue, shaped
from lab.routers.clock import Timer
from lab.routers.durations import parse_duration, whole_duration

if TYPE_CHECKING:
    from lab.routers.calls import Call
    from lab.routers.menu import Item, Row
    from lab.routers.router import VirtualRouter

ANY_MAC = "00:00:00:00:00:00"
WRONG = "invalid username or password"
UPTIME_REACHED = "your uptime limit is reached"
TRAFFIC_REACHED = "your traffic limit is reached"
NO_MORE_SESSIONS = "no more sessions are allowed for user"
TOPICS = "hotspot,account,info,debug"


@dataclass
class HotspotSession:
    """One device logged in."""

    router: VirtualRouter
    active: Item
    user: Item
    meter: Meter
    mac: str
    address: str
    profile: Row
    counted_from: float
    counted_rx: int = 0
    counted_tx: int = 0
    ends_at: float | None = None
    queue: Item | None = None
    timers: list[Timer] = field(default_factory=list)
    ended: bool = False

    def traffic(self, up_bps: float, down_bps: float) -> None:
        """From now on so much passes, at most what the profile allows."""
        limit = self.profile.get("rate-limit", "")
        self.meter.run(self.router.clock.now(), *shaped(limit, up_bps, down_bps))


class Hotspot:
    """The hotspot servers of one router, the devices seen and who is logged in."""

    def __init__(self, router: VirtualRouter) -> None:
        self._router = router
        self._active = router.menu("/ip/hotspot/active")
        self.devices = Devices(router)
        self._hosts = self.devices.hosts
        self._users = router.menu("/ip/hotspot/user")
        self._profiles = router.menu("/ip/hotspot/user/profile")
        self.sessions: dict[str, HotspotSession] = {}
        self._by_user: dict[str, list[HotspotSession]] = {}
        self.on_end: list[Callable[[HotspotSession, str], None]] = []
        """Called with the session and the cause after a session ended."""
        self._active.views.append(self._live)
        self._active.on_remove.append(self._removed)
        self._users.views.append(self._totals)
        self._hosts.on_remove.append(self._host_removed)
        router.command("/ip/hotspot/active", "login", self._login_call)
        router.command("/ip/hotspot/user", "reset-counters", self._reset_counters)
        router.on_reboot.append(self._reboot)

    # coming

    def login(self, user: str, password: str, mac: str, ip: str, by: str = "http-chap") -> HotspotSession:
        """A person logs in from a device. Raises LoginRefused with the router's text."""
        host = self.devices.join(mac, ip)
        return self._enter(user, password, host, by)

    def _enter(self, user: str, password: str, host: Item, by: str) -> HotspotSession:
        ip = host["address"]
        try:
            account = self._authenticate(user, password, host)
            profile = self._profile(account)
            self._check_limits(account, profile)
        except LoginRefused as refusal:
            self._router.log(TOPICS, f"{user} ({ip}): login failed: {refusal}")
            raise
        if address_id(ip) in self.sessions:
            self._end_at(ip, "user request")
        session = self._open(account, profile, host, by)
        self._router.log(TOPICS, f"{user} ({ip}): logged in")
        self._script(session, profile.get("on-login", ""), {})
        return session

    def _authenticate(self, name: str, password: str, host: Item) -> Item:
        for account in self._users.all_named(name):
            server = self._users.read(account).get("server", "all")
            if server not in {"all", host["server"]}:
                continue
            if account.disabled or account.get("password") != password:
                break
            if account.get("mac-address", ANY_MAC) not in {ANY_MAC, host["mac-address"]}:
                break
            if account.get("address", host["address"]) not in {"0.0.0.0", host["address"]}:
                break
            return account
        raise LoginRefused(WRONG)

    def _profile(self, account: Item) -> Row:
        chosen = self._profiles.items.get(account.get("profile")) or self._profiles.items["*0"]
        return self._profiles.read(chosen)

    def _check_limits(self, account: Item, profile: Row) -> None:
        shared = profile.get("shared-users", "1")
        online = len(self._by_user.get(account.id, ()))
        if shared != "unlimited" and online >= int(shared):
            raise LoginRefused(NO_MORE_SESSIONS)
        limit_s = parse_duration(account.get("limit-uptime", ""))
        if limit_s and self.used_s(account) >= limit_s:
            raise LoginRefused(UPTIME_REACHED)
        if self._bytes_left(account) <= 0:
            raise LoginRefused(TRAFFIC_REACHED)

    def _bytes_left(self, account: Item) -> float:
        rx, tx = self._used_bytes(account)
        used = {"in": rx, "out": tx, "total": rx + tx}
        limits = {way: int(account.get(f"limit-bytes-{way}") or 0) for way in used}
        return min((limits[way] - used[way] for way in used if limits[way]), default=float("inf"))

    def _open(self, account: Item, profile: Row, host: Item, by: str) -> HotspotSession:
        now = self._router.clock.now()
        ip, mac, name = host["address"], host["mac-address"], account["name"]
        meter = host.meter = Meter(now)
        values = {
            "server": host["server"],
            "user": name,
            "address": ip,
            "mac-address": mac,
            "login-by": by,
            "radius": "false",
        }
        values |= {key: account[key] for key in ("limit-bytes-total", "comment") if key in account.values}
        for key in ("idle-timeout", "keepalive-timeout"):
            if profile.get(key, "none") != "none":
                values[key] = profile[key]
        session_s = self._allowed_s(account, profile)
        active = self._active.put(values, address_id(ip), meter)
        session = HotspotSession(self._router, active, account, meter, mac, ip, profile, now)
        self.sessions[active.id] = session
        self._by_user.setdefault(account.id, []).append(session)
        if session_s is not None:
            session.ends_at = now + session_s
            session.timers.append(self._router.after(session_s, lambda: self.end(session, "session timeout")))
        session.queue = add_queue(self._router, f"<hotspot-{name}>", f"{ip}/32", profile.get("rate-limit", ""), meter)
        self._hosts.change(host, {"authorized": "true"})
        self.devices.leave_cookies(name, mac, profile)
        return session

    def _allowed_s(self, account: Item, profile: Row) -> float | None:
        """Seconds until the lifetime cap or the cap of one login, whichever comes first."""
        limits = []
        if limit_s := parse_duration(account.get("limit-uptime", "")):
            limits.append(limit_s - self.used_s(account))
        if session_s := parse_duration(profile.get("session-timeout", "")):
            limits.append(session_s)
        return min(limits) if limits else None

    # while it lasts

    def used_s(self, account: Item) -> float:
        """Seconds online over all sessions of a user, the running ones included."""
        now = self._router.clock.now()
        past = parse_duration(account.get("uptime", "0s")) or 0.0
        return past + sum(now - one.counted_from for one in self._by_user.get(account.id, ()))

    def _used_bytes(self, account: Item) -> tuple[int, int]:
        now, running = self._router.clock.now(), self._by_user.get(account.id, ())
        rx = int(account.get("bytes-in", "0")) + sum(one.meter.rx(now) - one.counted_rx for one in running)
        tx = int(account.get("bytes-out", "0")) + sum(one.meter.tx(now) - one.counted_tx for one in running)
        return rx, tx

    def _totals(self, item: Item) -> Mapping[str, str | None]:
        if item.id not in self._by_user:
            return {}
        rx, tx = self._used_bytes(item)
        return {
            "uptime": whole_duration(self.used_s(item)),
            "bytes-in": str(rx),
            "bytes-out": str(tx),
            "packets-in": str(rx // PACKET_BYTES),
            "packets-out": str(tx // PACKET_BYTES),
        }

    def _live(self, item: Item) -> Mapping[str, str | None]:
        now = self._router.clock.now()
        session = self.sessions.get(item.id)
        if session is None:
            return {}
        left = None if session.ends_at is None else whole_duration(session.ends_at - now)
        idle = "0s" if session.meter.rx_bps else whole_duration(now - session.meter.since)
        counters = traffic_columns(session.meter, now)
        uptime = whole_duration(now - item.since)
        return {"uptime": uptime, "idle-time": idle, "session-time-left": left, **counters}

    # going

    def leave(self, ip: str) -> None:
        """A device is gone: its session ends by keepalive timeout and the host row disappears."""
        host = self.devices.at(ip)
        if host is not None:
            self._end_at(ip, "keepalive timeout")
            self._hosts.drop(host)

    def logout(self, user: str = "", ip: str = "", cause: str = "user request") -> None:
        """Sessions of a user, or of one address, end; nothing happens if there are none."""
        for session in list(self.sessions.values()):
            if session.address == ip or (not ip and session.user.get("name") == user):
                self.end(session, cause)

    def _end_at(self, ip: str, cause: str) -> None:
        session = self.sessions.get(address_id(ip))
        if session is not None:
            self.end(session, cause)

    def end(self, session: HotspotSession, cause: str) -> None:
        """End a session; the cause is the router's words in the log."""
        if session.ended:
            return
        self._close(session, cause)
        self._active.drop(session.active)

    def _removed(self, item: Item) -> None:
        """Removed by an administrator: the session ends, and the MAC cookie goes with it."""
        session = self.sessions.get(item.id)
        if session is None or session.ended:
            return
        self.devices.drop_mac_cookie(item["user"], item["mac-address"])
        self._close(session, "admin reset")

    def _host_removed(self, item: Item) -> None:
        self._end_at(item["address"], "host removed")

    def _close(self, session: HotspotSession, cause: str) -> None:
        session.ended = True
        name = session.active["user"]
        for timer in session.timers:
            timer.cancel()
        self._settle(session)
        del self.sessions[session.active.id]
        host = self.devices.at(session.address)
        if host is not None:
            self._hosts.change(host, {"authorized": "false"})
        if session.queue is not None:
            self._router.menu("/queue/simple").drop(session.queue)
        self._router.log(TOPICS, f"{name} ({session.address}): logged out: {cause}")
        self._script(session, session.profile.get("on-logout", ""), {"cause": cause})
        for told in self.on_end:
            told(session, cause)

    def _settle(self, session: HotspotSession) -> None:
        """Add the session to the totals of its user."""
        account, now = session.user, self._router.clock.now()
        running = self._by_user[account.id]
        running.remove(session)
        if not running:
            del self._by_user[account.id]
        past_s = parse_duration(account.get("uptime", "0s")) or 0.0
        rx = int(account.get("bytes-in", "0")) + session.meter.rx(now) - session.counted_rx
        tx = int(account.get("bytes-out", "0")) + session.meter.tx(now) - session.counted_tx
        totals = {
            "uptime": whole_duration(round(past_s + now - session.counted_from)),
            "bytes-in": str(rx),
            "bytes-out": str(tx),
            "packets-in": str(rx // PACKET_BYTES),
            "packets-out": str(tx // PACKET_BYTES),
        }
        self._users.change(account, totals)

    def _script(self, session: HotspotSession, source: str, more: dict[str, str]) -> None:
        if not source:
            return
        now = self._router.clock.now()
        rx, tx = session.meter.rx(now), session.meter.tx(now)
        name = session.active["user"]
        server = self._router.menu("/ip/hotspot").row(name=session.active["server"]) or {}
        variables = {
            "user": name,
            "username": name,
            "address": session.address,
            "mac-address": session.mac,
            "interface": server.get("interface", ""),
        }
        if more:
            counters = {"bytes-in": rx, "bytes-out": tx, "bytes-total": rx + tx}
            counters["uptime-secs"] = int(now - session.active.since)
            variables |= more | {key: str(value) for key, value in counters.items()}
        self._router.scripts.start(source, variables)

    def _reboot(self) -> None:
        for session in list(self.sessions.values()):
            self.end(session, "router reboot")
        for host in self._hosts:
            self._hosts.drop(host)

    # commands

    def _login_call(self, call: Call) -> None:
        given = {name: call.take(name) for name in ("user", "password", "ip", "mac-address", "domain")}
        call.refuse_rest()
        host = self.devices.at(given["ip"] or "")
        if given["ip"] is None and given["mac-address"]:
            host = next((one for one in self._hosts if one["mac-address"] == given["mac-address"]), None)
        if host is None:
            raise errors.Trap(self._unknown_host(given["ip"]))
        try:
            self._enter(given["user"] or "", given["password"] or "", host, "http-pap")
        except LoginRefused as refusal:
            raise errors.Trap(str(refusal)) from refusal
        call.done()

    @staticmethod
    def _unknown_host(ip: str | None) -> str:
        """That the host must be known is reported of real routers; their words for it are not, so these are ours."""
        if ip is None:
            return errors.missing_value("ip").message
        return "unknown host IP " + ip if is_ip(ip) else errors.invalid_value("ip").message

    def _reset_counters(self, call: Call) -> None:
        items = call.picked() if call.left else list(self._users)
        call.refuse_rest()
        now = self._router.clock.now()
        zeros = {"uptime": "0s", "bytes-in": "0", "bytes-out": "0", "packets-in": "0", "packets-out": "0"}
        for item in items:
            for session in self._by_user.get(item.id, ()):
                session.counted_from = now
                session.counted_rx, session.counted_tx = session.meter.rx(now), session.meter.tx(now)
            self._users.change(item, zeros)
        call.done()
