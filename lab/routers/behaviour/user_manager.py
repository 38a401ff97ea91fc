"""User Manager: /user-manager on 7 and /tool/user-manager on 6.49. Users, profiles, validity and their
sessions.

The two lines share nothing but the purpose: on 7 a profile is assigned by a row of user-profile, on 6.49 by a
command, and names, fields and units differ.
"""

from __future__ import annotations

import itertools
import secrets
import string
from collections.abc import Mapping
from typing import TYPE_CHECKING

from lab.routers import editing, errors
from lab.routers.behaviour.counters import Meter
from lab.routers.behaviour.sessions import LoginRefused
from lab.routers.durations import parse_duration, whole_duration

if TYPE_CHECKING:
    from lab.routers.calls import Call
    from lab.routers.menu import Item
    from lab.routers.router import VirtualRouter

SETS = {"uppercase": string.ascii_uppercase, "lowercase": string.ascii_lowercase, "numbers": string.digits}
NO_AUTHS = {"default": "true"}


def install(router: VirtualRouter) -> UserManager | None:
    """On the menus of the version; None if the package is not there."""
    if "/user-manager/user" in router.menus:
        return UserManager7(router)
    if "/tool/user-manager/user" in router.menus:
        return UserManager6(router)
    return None


class UserManager:
    """What a NAS sees of either line: accounting of sessions."""

    sessions_path = ""
    user_path = ""

    def __init__(self, router: VirtualRouter) -> None:
        self.router = router
        self.sessions = router.menu(self.sessions_path)
        self.users = router.menu(self.user_path)
        self._numbers = itertools.count(0x80000000)
        self.sessions.views.append(self._session_live)

    def open_session(self, user: str, mac: str, ip: str) -> Item:
        """A NAS reports a session started. Raises LoginRefused if the user may not."""
        raise NotImplementedError

    def close_session(self, session: Item, cause: str) -> None:
        """A NAS reports it ended."""
        raise NotImplementedError

    def session_s(self, item: Item) -> float:
        """Seconds of a session."""
        given = parse_duration(item.get("uptime"))
        return given if given is not None else self.router.clock.now() - item.since

    def _session_live(self, item: Item) -> Mapping[str, str | None]:
        if item.get("active") != "true":
            return {}
        return {"uptime": whole_duration(self.session_s(item)), **_traffic(item, self.router.clock.now())}

    def _ended(self, item: Item) -> dict[str, str | None]:
        seconds = whole_duration(self.session_s(item))
        return {"active": "false", "uptime": seconds, **_traffic(item, self.router.clock.now())}

    def sessions_of(self, name: str) -> list[Item]:
        """The records of a user, running and ended."""
        return [item for item in self.sessions if item.get("user") == name]


def _traffic(item: Item, now: float) -> dict[str, str | None]:
    if item.meter is None:
        return {}
    return {"upload": str(item.meter.rx(now)), "download": str(item.meter.tx(now))}


class UserManager7(UserManager):
    """RouterOS 7: assignments are rows, `waiting` until first use or `running-active`, `used` after the
    end."""

    sessions_path = "/user-manager/session"
    user_path = "/user-manager/user"

    def __init__(self, router: VirtualRouter) -> None:
        super().__init__(router)
        self._assigned = router.menu("/user-manager/user-profile")
        self._profiles = router.menu("/user-manager/profile")
        groups = router.menu("/user-manager/user/group")
        groups.put({"name": "default", **groups.defaults(), **NO_AUTHS}, "*0")
        groups.put({"name": "default-anonymous", **groups.defaults(), **NO_AUTHS}, "*1")
        self._assigned.views.append(self._state)
        self._assigned.on_add.append(self._start)
        self.users.on_change.append(self._user_changed)
        self.users.on_remove.append(lambda item: self._user_gone(item, "um-user-deleted"))
        router.command("/user-manager/user-profile", "activate-user-profile", self._activate)
        router.command("/user-manager/user", "monitor", self._monitor)
        router.command("/user-manager/user", "add-batch-users", self._add_batch)
        router.command("/user-manager/session", "close-session", self._close_call)
        router.command("/user-manager", "monitor", self._monitor_all)
        router.command("/user-manager/router", "monitor", _router_monitor)

    # assignments: the meter of a row says since when it runs; a row without one still waits

    def _start(self, item: Item) -> None:
        profile = self._profiles.items.get(item.get("profile"))
        item.values.pop("state", None)
        item.values.pop("end-time", None)
        if profile is not None and profile.get("starts-when") == "assigned":
            self._begin(item)

    def _begin(self, item: Item) -> None:
        item.meter = item.meter or Meter(self.router.clock.now())

    def _end_s(self, item: Item) -> float | None:
        """When a running assignment ends; None if never."""
        profile = self._profiles.items.get(item.get("profile"))
        validity = profile.get("validity", "unlimited") if profile else "unlimited"
        seconds = parse_duration(validity)
        begun = item.meter.since if item.meter else self.router.clock.now()
        return None if seconds is None else begun + seconds

    def _state(self, item: Item) -> Mapping[str, str | None]:
        if item.meter is None:
            return {"state": "waiting", "end-time": "not-yet-running"}
        end_s = self._end_s(item)
        end = "unlimited" if end_s is None else self.router.stamp(end_s)
        if end_s is not None and self.router.clock.now() >= end_s:
            return {"state": "used", "end-time": end}
        return {"state": "running-active" if self._is_active(item) else "running", "end-time": end}

    def _is_active(self, item: Item) -> bool:
        """The first running assignment of a user is the one in force."""
        for other in self._assigned:
            end_s = self._end_s(other)
            over = end_s is not None and self.router.clock.now() >= end_s
            if other.get("user") == item.get("user") and other.meter is not None and not over:
                return other is item
        return False

    def _activate(self, call: Call) -> None:
        items = call.picked()
        call.refuse_rest()
        for item in items:
            self._begin(item)
            self._assigned.announce(item)
        call.done()

    def may_use(self, user: Item) -> bool:
        """Whether profiles, if they are used, let the user in; the first login starts a waiting one."""
        if self.router.menu("/user-manager").single.get("use-profiles") != "true":
            return True
        own = [item for item in self._assigned if item.get("user") == user.id]
        waiting = None
        for item in own:
            state = self._state(item)["state"]
            if state in {"running", "running-active"}:
                return True
            waiting = waiting or (item if state == "waiting" else None)
        if waiting is not None:
            self._begin(waiting)
        return waiting is not None

    # sessions

    def open_session(self, user: str, mac: str, ip: str) -> Item:
        account = self.users.named(user)
        if account is None or account.disabled or not self.may_use(account):
            raise LoginRefused("access rejected")
        most = account.get("shared-users", "1")
        online = [item for item in self.sessions_of(user) if item.get("active") == "true"]
        if most != "unlimited" and len(online) >= int(most):
            raise LoginRefused("access rejected")
        if account.get("caller-id") == "bind":
            self.users.change(account, {"caller-id": mac})
        elif account.get("caller-id") not in {"", mac}:
            raise LoginRefused("access rejected")
        return self.sessions.put(
            {
                "user": user,
                "acct-session-id": f"{next(self._numbers):x}",
                "nas-ip-address": "127.0.0.1",
                "nas-identifier": self.router.name,
                "nas-port-type": "ethernet",
                "calling-station-id": mac,
                "user-address": ip,
                "status": "start,interim",
                "started": self.router.stamp(),
                "active": "true",
            },
            meter=Meter(self.router.clock.now()),
        )

    def close_session(self, session: Item, cause: str) -> None:
        ended = {"status": "start,stop,interim", "ended": self.router.stamp(), "terminate-cause": cause}
        self.sessions.change(session, {**ended, **self._ended(session)})

    def _user_changed(self, item: Item, before: Mapping[str, str]) -> None:
        if item.disabled and before.get("disabled") != "true":
            self._user_gone(item, "um-user-disabled")

    def _user_gone(self, item: Item, cause: str) -> None:
        for session in self.sessions_of(item["name"]):
            if session.get("active") == "true":
                self.close_session(session, cause)

    def _close_call(self, call: Call) -> None:
        items = call.picked()
        call.refuse_rest()
        for item in items:
            if item.get("active") == "true":
                self.close_session(item, "um-admin-request")
        call.done()

    # commands

    async def _monitor(self, call: Call) -> None:
        items = call.picked()
        once = call.flag("once")
        duration_s = call.seconds("duration")
        call.refuse_rest()
        await call.refresh(lambda: [self._usage(item) for item in items], 1.0, duration_s, once)

    def _usage(self, item: Item) -> dict[str, str]:
        rows = [self.sessions.read(one) for one in self.sessions_of(item["name"])]
        active = [one for one in rows if one.get("active") == "true"]
        usage = {
            "total-uptime": whole_duration(sum(parse_duration(one["uptime"]) or 0 for one in rows)),
            "total-download": str(sum(int(one.get("download", "0")) for one in rows)),
            "total-upload": str(sum(int(one.get("upload", "0")) for one in rows)),
            "active-sessions": str(len(active)),
            "active-sub-sessions": "0",
        }
        for one in self._assigned:
            if one.get("user") == item.id and self._state(one)["state"] == "running-active":
                usage["actual-profile"] = self._assigned.read(one)["profile"]
        return usage | {"attributes-details": item.get("attributes")}

    async def _monitor_all(self, call: Call) -> None:
        once = call.flag("once")
        duration_s = call.seconds("duration")
        call.refuse_rest()

        def counted() -> list[dict[str, str]]:
            return [{"active-sessions": str(sum(one.get("active") == "true" for one in self.sessions))}]

        await call.refresh(counted, 1.0, duration_s, once)

    def _add_batch(self, call: Call) -> None:
        number = call.whole("number-of-users")
        if number is None:
            raise errors.missing_value("number-of-users")
        length = call.whole("username-length") or 6
        prefix = call.take("username-prefix") or ""
        letters = _letters(call.take("username-characters"))
        secret_length = call.take("password-length") or "6"
        secret_letters = _letters(call.take("password-characters"))
        profile = call.take("profile")
        if profile is not None:
            self._profiles.match(profile, "profile")
        for _ in range(number):
            name = self._free_name(prefix, letters, length)
            password = _password(secret_length, secret_letters, name)
            editing.add(self.users, {"name": name, "password": password, **call.left})
            if profile is not None:
                editing.add(self._assigned, {"user": name, "profile": profile})
        call.done()

    def _free_name(self, prefix: str, letters: str, length: int) -> str:
        while True:
            name = prefix + "".join(secrets.choice(letters) for _ in range(length))
            if self.users.named(name) is None:
                return name


def _letters(given: str | None) -> str:
    return "".join(SETS.get(one, "") for one in (given or "lowercase,numbers").split(","))


def _password(length: str, letters: str, name: str) -> str:
    if length in {"empty", "same-as-username"}:
        return name if length == "same-as-username" else ""
    return "".join(secrets.choice(letters) for _ in range(int(length)))


async def _router_monitor(call: Call) -> None:
    items = call.picked()
    once = call.flag("once")
    duration_s = call.seconds("duration")
    call.refuse_rest()
    zeros = dict.fromkeys(
        ("access-requests", "access-failures", "accounting-requests", "disconnect-ack", "disconnect-nak"), "0"
    )
    await call.refresh(lambda: [zeros for _ in items], 1.0, duration_s, once)


class UserManager6(UserManager):
    """RouterOS 6.49: a user belongs to a customer and gets profiles by a command."""

    sessions_path = "/tool/user-manager/session"
    user_path = "/tool/user-manager/user"

    def __init__(self, router: VirtualRouter) -> None:
        super().__init__(router)
        self._profiles = router.menu("/tool/user-manager/profile")
        self._ends: dict[str, float | None] = {}
        self._queued: dict[str, list[str]] = {}
        customers = router.menu("/tool/user-manager/customer")
        customers.put({"login": "admin", "password": "", "permissions": "owner", "access": "all", "disabled": "false"})
        self.users.views.append(self._live)
        router.command(self.user_path, "create-and-activate-profile", self._create_and_activate)
        router.command(self.user_path, "clear-profiles", self._clear)
        router.command(self.user_path, "reset-counters", self._reset_counters)

    def _create_and_activate(self, call: Call) -> None:
        profile_name, customer = call.take("profile"), call.take("customer")
        items = call.picked()
        call.refuse_rest()
        if profile_name is None or customer is None:
            raise errors.missing_value("profile" if profile_name is None else "customer")
        self.router.menu("/tool/user-manager/customer").match(customer, "customer")
        profile = self._profiles.match(profile_name, "profile")
        for item in items:
            self._assign(item, profile)
        call.done()

    def _assign(self, item: Item, profile: Item) -> None:
        running = self._current(item)
        if running is not None:
            self._queued.setdefault(item.id, []).append(profile.id)
            return
        self._begin(item, profile)

    def _begin(self, item: Item, profile: Item) -> None:
        seconds = parse_duration(profile.get("validity", "0s"))
        now = self.router.clock.now()
        self._ends[item.id] = now + seconds if seconds and profile.get("starts-at") == "now" else None
        item.values["actual-profile"] = profile.id
        self.users.announce(item)

    def _current(self, item: Item) -> Item | None:
        """The profile in force; when it is over the next one queued starts."""
        profile = self._profiles.items.get(item.get("actual-profile"))
        end = self._ends.get(item.id)
        if profile is None or end is None or self.router.clock.now() < end:
            return profile
        del item.values["actual-profile"]
        queued = self._queued.get(item.id)
        if not queued or queued[0] not in self._profiles.items:
            return None
        self._begin(item, self._profiles.items[queued.pop(0)])
        return self._profiles.items[item.values["actual-profile"]]

    def _live(self, item: Item) -> Mapping[str, str | None]:
        profile = self._current(item)
        rows = [self.sessions.read(one) for one in self.sessions_of(item["username"])]
        active = sum(one.get("active") == "true" for one in rows)
        past_s = parse_duration(item.get("uptime-used", "0s")) or 0.0
        used_s = past_s + sum(parse_duration(one["uptime"]) or 0 for one in rows)
        bound = item.get("caller-id-bind-on-first-use") == "true" and "caller-id" not in item.values
        return {
            "actual-profile": profile["name"] if profile else None,
            "uptime-used": whole_duration(used_s),
            "download-used": str(sum(int(one.get("download", "0")) for one in rows)),
            "upload-used": str(sum(int(one.get("upload", "0")) for one in rows)),
            "active-sessions": str(active),
            "active": "true" if active else "false",
            "incomplete": "false",
            "caller-id-bind-on-first-use": None,
            **({"caller-id": "bind"} if bound else {}),
        }

    def _clear(self, call: Call) -> None:
        items = call.picked()
        call.refuse_rest()
        for item in items:
            self._ends.pop(item.id, None)
            self._queued.pop(item.id, None)
            self.users.change(item, {"actual-profile": None})
        call.done()

    def _reset_counters(self, call: Call) -> None:
        items = call.picked()
        call.refuse_rest()
        for item in items:
            for session in self.sessions_of(item["username"]):
                if session.get("active") != "true":
                    self.sessions.drop(session)
        call.done()

    def open_session(self, user: str, mac: str, ip: str) -> Item:
        account = self.users.named(user)
        if account is None or account.disabled:
            raise LoginRefused("access rejected")
        profile = self._current(account)
        if profile is None:
            raise LoginRefused("access rejected")
        if self._ends.get(account.id) is None and (seconds := parse_duration(profile.get("validity", "0s"))):
            self._ends[account.id] = self.router.clock.now() + seconds
        self.users.change(account, {"last-seen": self.router.stamp()})
        return self.sessions.put(
            {
                "customer": "admin",
                "user": user,
                "nas-port-type": "ethernet",
                "calling-station-id": mac,
                "acct-session-id": f"{next(self._numbers):x}",
                "user-ip": ip,
                "host-ip": "127.0.0.1",
                "status": "start,interim",
                "from-time": self.router.stamp(),
                "active": "true",
            },
            meter=Meter(self.router.clock.now()),
        )

    def close_session(self, session: Item, cause: str) -> None:
        ended = {"status": "start,stop,interim", "till-time": self.router.stamp(), "terminate-cause": cause}
        self.sessions.change(session, {**ended, **self._ended(session)})
