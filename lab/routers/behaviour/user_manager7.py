"""/user-manager of RouterOS 7."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping
from typing import TYPE_CHECKING

from lab.routers import editing, errors
from lab.routers.behaviour.counters import Meter
from lab.routers.behaviour.sessions import LoginRefused
from lab.routers.behaviour.user_manager import OWN, Nas, UserManager
from lab.routers.durations import parse_duration, whole_duration

if TYPE_CHECKING:
    from lab.routers.calls import Call
    from lab.routers.menu import Item
    from lab.routers.router import VirtualRouter

SETS = {"uppercase": string.ascii_uppercase, "lowercase": string.ascii_lowercase, "numbers": string.digits}


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
        groups.put({"name": "default", **groups.defaults(), "default": "true"}, "*0")
        groups.put({"name": "default-anonymous", **groups.defaults(), "default": "true"}, "*1")
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

    def open_session(self, user: str, mac: str, ip: str, nas: Nas = OWN) -> Item:
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
                "nas-ip-address": nas.address,
                "nas-identifier": nas.name or self.router.name,
                "nas-port-type": nas.port_type,
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
