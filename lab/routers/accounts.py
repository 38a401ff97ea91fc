"""Who may log in: /user, /user/group and the sessions in /user/active."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import TYPE_CHECKING

from lab.routers import errors
from lab.routers.calls import Account, Call
from lab.routers.menu import Item

if TYPE_CHECKING:
    from lab.routers.connection import Connection
    from lab.routers.router import VirtualRouter

COMMON = "local telnet ssh ftp reboot read write policy test winbox password web sniff sensitive api romon"
POLICIES = {6: f"{COMMON} dude tikapp", 7: f"{COMMON} rest-api"}
NOT_FOR_READ = {"ftp", "write", "policy"}
NOT_FOR_WRITE = {"ftp", "policy"}


class Accounts:
    """Logins of one router."""

    def __init__(self, router: VirtualRouter, admin: str, password: str) -> None:
        self._router = router
        self._connections: dict[str, Connection] = {}
        everything = POLICIES[router.personality.line].split()
        groups = router.menu("/user/group")
        for number, (name, without) in enumerate(
            (("read", NOT_FOR_READ), ("write", NOT_FOR_WRITE), ("full", set[str]()))
        ):
            policy = [one for one in everything if one not in without]
            policy += [f"!{one}" for one in everything if one in without]
            groups.put({"name": name, "policy": ",".join(policy), "skin": "default"}, f"*{number}")
        users = router.menu("/user")
        users.put(
            {"name": admin, "group": "*2", "password": password, "address": "", "disabled": "false"}
            | ({"expired": "false"} if router.personality.line == 7 else {})
        )
        users.views.append(lambda _item: {"password": None})
        groups.rules.append(self._check_policies)
        router.command("/user/active", "remove", self._end_session)
        router.command("/user/active", "request-logout", self._end_session)

    def _check_policies(self, fresh: Mapping[str, str], _item: Item | None) -> None:
        known = set(POLICIES[self._router.personality.line].split())
        for one in filter(None, fresh.get("policy", "").split(",")):
            if one.removeprefix("!") not in known:
                raise errors.no_match("policy")

    def password_of(self, name: str) -> str | None:
        """The password of an enabled user."""
        item = self._router.menu("/user").named(name)
        return None if item is None or item.disabled else item.get("password")

    def account(self, name: str) -> Account | None:
        """A user with its policies, if the group allows the API at all."""
        item = self._router.menu("/user").named(name)
        if item is None or item.disabled:
            return None
        group = self._router.menu("/user/group").items.get(item.get("group"))
        policies = frozenset(group.get("policy").split(",")) if group else frozenset()
        if "api" not in policies:
            return None
        return Account(name, item.id, group.get("name") if group else "", policies)

    def check(self, name: str, password: str) -> Account | None:
        """The account, if the password is right. Unknown user and wrong password look the same."""
        return self.account(name) if self.password_of(name) == password else None

    def welcome(self, address: str, service: str) -> bool:
        """Whether the service takes clients from this address; those it does not are cut after connecting."""
        item = self._router.menu("/ip/service").named(service)
        allowed = item.get("address") if item else ""
        return not allowed or any(
            ipaddress.ip_address(address) in ipaddress.ip_network(one, strict=False) for one in allowed.split(",")
        )

    def full(self) -> bool:
        """Whether the api service has as many sessions as it allows."""
        service = self._router.menu("/ip/service").named("api")
        most = service.get("max-sessions") if service else ""
        return bool(most) and len(self._connections) >= int(most)

    def logged_in(self, account: Account, address: str, connection: Connection) -> Item:
        """Record a session."""
        self._router.log("system,info,account", f"user {account.name} logged in from {address} via api")
        session = self._router.menu("/user/active").put(
            {
                "when": self._router.stamp(),
                "name": account.name,
                "address": address,
                "via": "api",
                "group": account.group,
                "radius": "false",
            }
        )
        self._connections[session.id] = connection
        user = self._router.menu("/user").items.get(account.user_id)
        if user is not None:
            user.values["last-logged-in"] = self._router.stamp()
        return session

    def logged_out(self, session: Item) -> None:
        """Forget a session."""
        self._connections.pop(session.id, None)
        self._router.menu("/user/active").drop(session)
        name, address = session.get("name"), session.get("address")
        self._router.log("system,info,account", f"user {name} logged out from {address} via api")

    def _end_session(self, call: Call) -> None:
        number = self._router.personality.number
        verbs = {"remove"} if number >= (7, 20) else {"request-logout"} if number >= (7,) else {"remove"}
        if call.verb not in verbs:
            raise errors.no_such_command()
        for item in call.picked():
            connection = self._connections.get(item.id)
            if connection is None or (connection.session is item and connection is call.answers):
                raise errors.action_failed()
            connection.abort()
        call.done()
