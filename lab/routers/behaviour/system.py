"""/system: identity of the hardware, packages, services, reboot; and the built-in
rows of menus."""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.routers.calls import Call
    from lab.routers.router import VirtualRouter

SERVICES = (
    ("telnet", 23),
    ("ftp", 21),
    ("www", 80),
    ("ssh", 22),
    ("www-ssl", 443),
    ("api", 8728),
    ("winbox", 8291),
    ("api-ssl", 8729),
)
V6_PACKAGES = ("routeros-x86", "system", "security", "advanced-tools", "routing", "ipv6", "wireless")


def install(router: VirtualRouter) -> None:
    """Hardware, packages and what is there from the factory."""
    router.command("/system", "reboot", _reboot)
    router.command("", "execute", _execute)
    router.command("/system/package/update", "check-for-updates", _check_for_updates)
    _packages(router)
    _license(router)
    _services(router)
    _factory_rows(router)


async def _execute(call: Call) -> None:
    """Runs a script; its id comes back at once, or with `as-string` its (empty) output after it ran."""
    source = call.take("script") or ""
    waits = call.flag("as-string") and call.router.personality.line == 7
    call.refuse_rest()
    if waits:
        await call.router.scripts.run(source, {})
        call.done(ret="")
        return
    call.router.scripts.start(source, {})
    call.done(ret=call.router.scripts.next_job())


async def upgrade(router: VirtualRouter, version: str) -> None:
    """Another version of the same line, after a reboot. The menus stay those of the version it was made with.

    Raises ValueError for another line: 7 has other menus than 6.
    """
    fresh = replace(router.personality, version=version, channel="", build="")
    if fresh.line != router.personality.line:
        raise ValueError(f"{router.personality.version} does not become {version}: its menus are others")
    router.personality = fresh
    for item in router.menu("/system/package"):
        item.values |= {"version": version, "build-time": fresh.build_time}
    router.menu("/system/package/update").single.values["installed-version"] = version
    await router.reboot()


async def _reboot(call: Call) -> None:
    """No reply: the connection just ends."""
    call.refuse_rest()
    call.router.spawn(call.router.reboot())
    call.finished = True


async def _check_for_updates(call: Call) -> None:
    call.take("once")
    duration_s = call.seconds("duration")
    call.refuse_rest()
    menu = call.router.menu("/system/package/update")
    known = {"channel": menu.single["channel"], "installed-version": call.router.personality.version}
    call.row({**known, "status": "finding out latest version...", ".section": "0"})
    await call.flush()
    done = {"latest-version": call.router.personality.version, "status": "System is already up to date"}
    menu.single.values |= done
    call.row({**known, **done, ".section": "1"})
    if duration_s is None:
        call.done()
        return
    await call.router.clock.sleep(duration_s)
    call.done()


def _packages(router: VirtualRouter) -> None:
    personality = router.personality
    router.menu("/system/package/update").single.values["installed-version"] = personality.version
    optional = sorted(personality.packages)
    if personality.line == 6:
        names = [*V6_PACKAGES, *optional]
    else:
        names = ["routeros", *(name for name in optional if name == "user-manager")]
    for name in names:
        router.menu("/system/package").put(
            {
                "name": name,
                "version": personality.version,
                "build-time": personality.build_time,
                "scheduled": "",
                "disabled": "false",
            }
        )


def _license(router: VirtualRouter) -> None:
    single = router.menu("/system/license").single
    mark = f"{zlib.crc32(router.name.encode()):08X}"
    if router.personality.is_chr:
        single.values |= {"system-id": f"{mark}AbC", "level": "p1"}
    else:
        single.values |= {"software-id": f"{mark[:4]}-{mark[4:]}", "nlevel": "6", "features": ""}


def _services(router: VirtualRouter) -> None:
    menu = router.menu("/ip/service")
    for number, (name, port) in enumerate(SERVICES):
        row = {"name": name, "port": str(port), **menu.defaults()}
        row["disabled"] = "true" if name == "www-ssl" else "false"
        if not name.endswith("ssl"):
            row = {key: value for key, value in row.items() if key not in {"certificate", "tls-version"}}
        menu.put(row, f"*{number}")


def _factory_rows(router: VirtualRouter) -> None:
    if "/ppp/profile" in router.menus:
        profiles = router.menu("/ppp/profile")
        builtin = profiles.defaults() | {"default": "true", "change-tcp-mss": "yes"}
        profiles.put({"name": "default", **builtin}, "*0")
        profiles.put({"name": "default-encryption", **builtin, "use-encryption": "yes"}, "*FFFFFFFE")
    if "/ip/hotspot/user" in router.menus:
        _hotspot_rows(router)
    _board_rows(router)


def _hotspot_rows(router: VirtualRouter) -> None:
    users, profiles = router.menu("/ip/hotspot/user"), router.menu("/ip/hotspot/user/profile")
    profiles.put({"name": "default", **profiles.defaults(), "default": "true"}, "*0")
    servers = router.menu("/ip/hotspot/profile")
    servers.put({"name": "default", **servers.defaults(), "default": "true"}, "*0")
    users.put(
        {
            "name": "default-trial",
            **users.defaults(),
            "profile": "*0",
            "default": "true",
            "comment": "counters and limits for trial users",
        },
        "*0",
    )


def _board_rows(router: VirtualRouter) -> None:
    menu = router.menus.get("/system/routerboard")
    if menu is None:
        return
    if router.personality.is_chr:
        menu.single.values["routerboard"] = "false"
        return
    serial = f"{zlib.crc32(router.name.encode()):08X}0B1C"
    menu.single.values |= {
        "routerboard": "true",
        "board-name": router.personality.board,
        "model": router.personality.board,
        "serial-number": serial,
        "firmware-type": "ipq4000L",
        "factory-firmware": "6.45.9",
        "current-firmware": router.personality.version,
        "upgrade-firmware": router.personality.version,
    }
