"""A virtual router: its menus, its clock, its server, and what happens to it.

router = VirtualRouter(Personality("7.16.2"), "gw-1")
router.menu("/ppp/profile").add(name="10M", rate_limit="10M/10M")
await router.start()                  # 127.0.0.1, a free port: router.port
await router.stop()
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from lab.routers import behaviour, errors, rules, verbs
from lab.routers.accounts import Accounts
from lab.routers.behaviour import quiet, user_manager
from lab.routers.behaviour.addresses import Leases
from lab.routers.behaviour.hotspot import Hotspot, HotspotSession
from lab.routers.behaviour.links import DOWN, Link, LinkMap
from lab.routers.behaviour.log import LogBuffer
from lab.routers.behaviour.pools import Pools
from lab.routers.behaviour.ppp import PppServer, PppSession
from lab.routers.behaviour.scripts import Scripts
from lab.routers.behaviour.sessions import LoginRefused
from lab.routers.behaviour.vitals import Vitals
from lab.routers.calls import Account, Handler
from lab.routers.clock import Clock, RunningClock, Timer
from lab.routers.durations import format_datetime
from lab.routers.faults import Faults
from lab.routers.menu import Menu
from lab.routers.personality import Personality
from lab.routers.server import ApiServer
from lab.routers.tables import MenuSpec, load_menus

NEAR = Link(rtt_s=0.0012)
UNSET_CLOCK_S = 0.0
"""Where the clock of a router without NTP stands after boot: 1970-01-01."""


class VirtualRouter:
    """One router. Everything on it happens on the event loop's thread."""

    def __init__(
        self,
        personality: Personality | None = None,
        name: str = "MikroTik",
        *,
        clock: Clock | None = None,
        admin: str = "admin",
        password: str = "",
        rtt_s: float = 0.0,
        ntp: bool = True,
        time_zone: str = "Asia/Jakarta",
        links: LinkMap | None = None,
    ) -> None:
        self.personality = personality or Personality()
        self.clock: Clock = clock or RunningClock()
        self.rtt_s = rtt_s
        self.ntp = ntp
        self.booted_at = self.clock.now()
        self.clock_offset_s = 0.0
        self.specs = load_menus(self.personality)
        self.menus: dict[str, Menu] = {}
        self._commands: dict[tuple[str, str], Handler] = {}
        self._directories = _directories(self.specs)
        self._tasks: set[asyncio.Task[Any]] = set()
        self.on_reboot: list[Callable[[], None]] = []
        for path, spec in self.specs.items():
            if spec.kind != "command":
                self.menus[path] = Menu(self, spec)
        self.nowhere = Menu(self, MenuSpec("", "list", {}, frozenset(), frozenset()))
        self.server = ApiServer(self)
        self.faults = Faults(self)
        self._log = LogBuffer(self)
        self.accounts = Accounts(self, admin, password)
        self.menu("/system/identity").single.values["name"] = name
        self.zone = time_zone
        self.links = links or LinkMap()
        self.pools = Pools(self)
        self.scripts = Scripts(self)
        self.vitals = Vitals(self)
        behaviour.install(self)
        self.ppp = PppServer(self) if "/ppp/active" in self.menus else None
        self.hotspot = Hotspot(self) if "/ip/hotspot/active" in self.menus else None
        self.user_manager = user_manager.install(self)
        self.leases = Leases(self)
        quiet.install(self)

    # life

    async def start(self, host: str = "127.0.0.1", port: int = 0, tls_port: int | None = None) -> None:
        """Listen on `port`, and on `tls_port` if given; 0 takes a free one. Raises OSError if one is
        taken."""
        tls = None
        if tls_port is not None:
            from lab.routers.certificates import server_context

            tls = server_context(self.menu("/ip/service").named("api-ssl"))
        self.server.bind(host, port, tls_port, tls)
        await self.server.open()

    async def stop(self) -> None:
        """Stop listening, end connections and running scripts."""
        await self.server.close(reset=False)
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def __aenter__(self) -> VirtualRouter:
        if not self.server.listening:
            await self.start()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.stop()

    async def reboot(self, *, proper: bool = True) -> None:
        """Connections are lost, sessions, counters and the log are gone, and without NTP it is 1970 again.

        Not `proper`: the power was cut, and the log says so.
        """
        await self.server.close(reset=True)
        self._log.clear()
        self.booted_at = self.clock.now()
        self.clock_offset_s = 0.0 if self.ntp else UNSET_CLOCK_S - self.clock.now()
        for hook in self.on_reboot:
            hook()
        for item in self.menu("/interface"):
            if item.meter is not None:
                item.meter.clear(self.clock.now())
        if proper:
            self.log("system,info", "router rebooted")
        else:
            self.log("system,error,critical", "router was rebooted without proper shutdown")
        await self.server.open()

    @property
    def port(self) -> int:
        """The plain API port in use."""
        return self.server.port

    @property
    def tls_port(self) -> int | None:
        """The TLS API port in use."""
        return self.server.tls_port

    @property
    def name(self) -> str:
        """The identity."""
        return self.menu("/system/identity").single["name"]

    # menus and commands

    def menu(self, path: str) -> Menu:
        """The menu at `path`. Raises KeyError if this version has none."""
        return self.menus[path]

    def command(self, path: str, verb: str, handler: Handler) -> None:
        """Answer `path/verb` with `handler`, before what all menus do. Ignored if the path does not exist
        here."""
        self._commands[(path, verb)] = handler

    def knows_command(self, path: str, verb: str) -> bool:
        """Whether `path/verb` has an answer."""
        return self._handler(path, verb) is not None

    def resolve(self, command: str, account: Account) -> tuple[Handler, Menu]:
        """The handler of a command word and its menu. Raises Trap: unknown, or not permitted."""
        path, slash, verb = command.rpartition("/")
        if not slash:
            raise errors.no_such_command()
        handler = self._handler(path, verb)
        if handler is None:
            raise self._unknown(path)
        if rules.needed_right(path, verb) not in account.policies:
            raise errors.not_permitted()
        return handler, self.menus.get(path, self.nowhere)

    def _handler(self, path: str, verb: str) -> Handler | None:
        handler = self._commands.get((path, verb))
        if handler is not None and (path in self.menus or path in self._directories):
            return handler
        menu = self.menus.get(path)
        return verbs.generic(menu, verb) if menu is not None else None

    def _unknown(self, path: str) -> errors.Trap:
        """Which part of the path is not there; if all of it is, the verb is not."""
        known = ""
        for part in path.split("/")[1:]:
            known = f"{known}/{part}"
            if known not in self._directories and known not in self.menus:
                return errors.no_such_path(part)
        return errors.no_such_command()

    # time

    def local_time(self) -> datetime:
        """The wall clock of the router, as it believes."""
        utc = datetime.fromtimestamp(self.clock.now() + self.clock_offset_s, UTC)
        return utc.astimezone(self.tz)

    @property
    def tz(self) -> ZoneInfo | timezone:
        """Its time zone; UTC if the name is not known."""
        try:
            return ZoneInfo(self.zone)
        except (KeyError, ValueError):
            return timezone(timedelta(0))

    def stamp(self, seconds: float | None = None) -> str:
        """A moment (default now, else seconds of the lab's clock) in this version's form."""
        if seconds is None:
            when = self.local_time()
        else:
            when = datetime.fromtimestamp(seconds + self.clock_offset_s, UTC).astimezone(self.tz)
        return format_datetime(when, iso=self.personality.iso_dates)

    @property
    def uptime_s(self) -> float:
        """Seconds since boot."""
        return self.clock.now() - self.booted_at

    def after(self, seconds: float, do: Callable[[], None]) -> Timer:
        """Call `do` when `seconds` of the router's time have passed."""
        return self.clock.call_at(self.clock.now() + seconds, do)

    # subscribers

    async def pppoe_dial(self, *, user: str, password: str, mac: str, service: str = "") -> PppSession:
        """A subscriber dials. Raises LoginRefused with the reason the router logs."""
        if self.ppp is None:
            raise LoginRefused("no PPPoE server answers")
        return await self.ppp.dial(user, password, mac, service)

    def pppoe_hangup(self, user: str, reason: str = "hung-up") -> None:
        """Sessions of this user end from the subscriber's side: `hung-up`, `peer-request`, `port-error`."""
        if self.ppp is not None:
            self.ppp.hang_up(user, reason)

    async def hotspot_login(
        self, *, user: str, password: str, mac: str, ip: str, by: str = "http-chap"
    ) -> HotspotSession:
        """A person logs in. Raises LoginRefused with the text of the login page."""
        if self.hotspot is None:
            raise LoginRefused("no hotspot server answers")
        return self.hotspot.login(user, password, mac, ip, by)

    def hotspot_logout(self, user: str = "", *, ip: str = "", cause: str = "user request") -> None:
        """Sessions of this user, or at this address, end."""
        if self.hotspot is not None:
            self.hotspot.logout(user, ip, cause)

    # the way to hosts

    def way_to(self, host: str) -> Link:
        """How a host answers: as the link map says, else if it is here (own address, session, lease), else
        not."""
        return self.links.to(host) or (NEAR if self._is_here(host) else DOWN)

    def reach(self, host: str) -> Link | None:
        """The way to a host that answers; None if it does not."""
        link = self.way_to(re.split("[@%]", host, maxsplit=1)[0])
        return link if link.up else None

    def _is_here(self, host: str) -> bool:
        if host.startswith("127."):
            return True
        own = any(item["address"].partition("/")[0] == host for item in self.menu("/ip/address"))
        sessions = self.ppp is not None and any(one.address == host for one in self.ppp.sessions.values())
        return own or sessions or (self.hotspot is not None and self.hotspot.devices.at(host) is not None)

    # odds

    def log(self, topics: str, message: str) -> None:
        """Write a line to /log."""
        self._log.write(topics, message)

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run something of the router's own in the background until it is done or the router stops."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _directories(specs: Any) -> frozenset[str]:
    """Every path with something below it."""
    found = {""}
    for path in specs:
        parts = path.split("/")
        found |= {"/".join(parts[:depth]) for depth in range(2, len(parts))}
    return frozenset(found)
