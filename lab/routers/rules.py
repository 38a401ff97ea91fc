"""What the tables of fields do not say: what references point to, which names are unique, which verbs need
which right."""

from __future__ import annotations

INTERFACES = ("/interface",)

REFERENCES: dict[str, dict[str, tuple[str, ...]]] = {
    "/ppp/secret": {"profile": ("/ppp/profile",)},
    "/interface/pppoe-server/server": {"default-profile": ("/ppp/profile",)},
    "/ip/hotspot": {"address-pool": ("/ip/pool",), "profile": ("/ip/hotspot/profile",)},
    "/ip/hotspot/user": {"server": ("/ip/hotspot",), "profile": ("/ip/hotspot/user/profile",)},
    "/ip/hotspot/user/profile": {
        "address-pool": ("/ip/pool",),
        "parent-queue": ("/queue/simple",),
    },
    "/ip/hotspot/profile": {"trial-user-profile": ("/ip/hotspot/user/profile",)},
    "/ip/hotspot/ip-binding": {"server": ("/ip/hotspot",)},
    "/ip/dhcp-server": {"address-pool": ("/ip/pool",)},
    "/ip/dhcp-server/lease": {"server": ("/ip/dhcp-server",)},
    "/ip/pool": {"next-pool": ("/ip/pool",)},
    "/queue/simple": {"parent": ("/queue/simple",)},
    "/user": {"group": ("/user/group",)},
    "/user-manager/user": {"group": ("/user-manager/user/group",)},
    "/user-manager/profile-limitation": {
        "profile": ("/user-manager/profile",),
        "limitation": ("/user-manager/limitation",),
    },
    "/user-manager/user-profile": {
        "user": ("/user-manager/user",),
        "profile": ("/user-manager/profile",),
    },
    "/tool/user-manager/user": {"customer": ("/tool/user-manager/customer",)},
    "/tool/user-manager/profile": {"owner": ("/tool/user-manager/customer",)},
    "/tool/user-manager/profile/limitation": {"owner": ("/tool/user-manager/customer",)},
    "/tool/user-manager/profile/profile-limitation": {
        "profile": ("/tool/user-manager/profile",),
        "limitation": ("/tool/user-manager/profile/limitation",),
    },
    "/tool/user-manager/router": {"customer": ("/tool/user-manager/customer",)},
}

KINDS: dict[tuple[str, str], str] = {
    ("/ip/pool", "ranges"): "list of ip-range",
    ("/system/clock", "time-zone-name"): "string",
}
"""Kinds that say more than the table does."""

NAME_FIELDS = {
    "/tool/user-manager/user": "username",
    "/tool/user-manager/customer": "login",
    "/interface/pppoe-server/server": "service-name",
}
"""The field that names an item where it is not `name`."""

UNIQUE: dict[str, tuple[tuple[str, ...], str]] = {
    "/ppp/secret": (("name",), "failure: secret with the same name already exists"),
    "/ip/hotspot/user": (("name", "server"), "failure: already have user with this name for this server"),
    "/user": (("name",), "failure: user with the same name already exists"),
    "/ip/address": (("address", "interface"), "failure: already have such address"),
    "/ip/firewall/address-list": (("list", "address"), "failure: already have such entry"),
    "/interface": (("name",), "failure: already have interface with name {name}"),
}
"""Columns that make an item unique, and the answer to a second one. Other menus: `name`, with the common
text."""

NOT_UNIQUE = frozenset({"/tool/netwatch", "/interface/pppoe-server/server", "/ip/service", "/system/health"})

REQUIRED_TEXTS = {("/ip/hotspot/user", "name"): "failure: user name is required"}

HIDDEN_WHEN_ZERO = {
    "/ip/hotspot/user": frozenset({"limit-uptime", "limit-bytes-in", "limit-bytes-out", "limit-bytes-total"}),
}
HIDDEN_DEFAULTS = frozenset({"/tool/netwatch"})
"""Menus of 7 whose optional fields hold their default without showing it."""

ORDERED = frozenset(
    [
        "/queue/simple",
        "/ip/hotspot/ip-binding",
        "/ip/hotspot/walled-garden",
        "/ip/hotspot/walled-garden/ip",
        "/radius",
        "/ip/firewall/filter",
        "/ip/firewall/nat",
        "/ip/firewall/mangle",
    ]
)
LOCKED_WHEN_DYNAMIC = frozenset(["/queue/simple", "/ip/address", "/ip/route", "/ip/arp", "/interface/pppoe-server"])
SECRETS = frozenset(["password", "secret", "shared-secret", "otp-secret", "mac-auth-password"])
"""Fields that accounts without policy `sensitive` do not get."""
NEVER_PRINTED = frozenset({("/user", "password")})

WITH_POLICY = frozenset({"/system/scheduler", "/system/script"})
"""Menus whose items run with rights of their own."""

SINGLE_COMMAND_RIGHTS = {
    "/system/reboot": "reboot",
    "/system/shutdown": "reboot",
    "/execute": "write",
    "/ping": "test",
    "/tool/ping": "test",
    "/tool/traceroute": "test",
    "/tool/fetch": "test",
}
READING = frozenset(["print", "getall", "get", "find", "listen", "monitor", "monitor-traffic", "check-status"])
POLICY_MENUS = frozenset({"/user", "/user/group"})


def needed_right(path: str, verb: str) -> str:
    """The policy a command needs."""
    if right := SINGLE_COMMAND_RIGHTS.get(f"{path}/{verb}"):
        return right
    if verb in READING:
        return "read"
    return "policy" if path in POLICY_MENUS else "write"
