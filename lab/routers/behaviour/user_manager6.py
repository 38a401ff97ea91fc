"""/tool/user-manager of RouterOS 6.49."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lab.routers import errors
from lab.routers.behaviour.counters import Meter
from lab.routers.behaviour.sessions import LoginRefused
from lab.routers.behaviour.user_manager import OWN, Nas, UserManager
from lab.routers.durations import parse_duration, whole_duration

if TYPE_CHECKING:
    from lab.routers.calls import Call
    from lab.routers.menu import Item
    from lab.routers.router import VirtualRouter


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

    def open_session(self, user: str, mac: str, ip: str, nas: Nas = OWN) -> Item:
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
                "nas-port-type": nas.port_type,
                "calling-station-id": mac,
                "acct-session-id": f"{next(self._numbers):x}",
                "user-ip": ip,
                "host-ip": nas.address,
                "status": "start,interim",
                "from-time": self.router.stamp(),
                "active": "true",
            },
            meter=Meter(self.router.clock.now()),
        )

    def close_session(self, session: Item, cause: str) -> None:
        ended = {"status": "start,stop,interim", "till-time": self.router.stamp(), "terminate-cause": cause}
        self.sessions.change(session, {**ended, **self._ended(session)})
