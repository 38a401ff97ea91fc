"""How a router is: load, memory, disk and sensors. They move by themselves, or stay where somebody puts them."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from lab.routers.durations import whole_duration

if TYPE_CHECKING:
    from lab.routers.calls import Call
    from lab.routers.router import VirtualRouter

MIB = 1024 * 1024
SENSORS = {"voltage": ("24.1", "V"), "temperature": ("41", "C"), "cpu-temperature": ("47", "C")}


class Vitals:
    """What `/system/resource` and `/system/health` show. None: as the router likes."""

    def __init__(self, router: VirtualRouter) -> None:
        self._router = router
        self.cpu_load: int | None = None
        self.memory_percent: float | None = None
        self.disk_percent: float | None = None

    def strain(self, *, cpu: float | None = None, memory: float | None = None, disk: float | None = None) -> None:
        """From now on so much is used, in percent; what is not given moves by itself again."""
        self.cpu_load = None if cpu is None else int(cpu)
        self.memory_percent, self.disk_percent = memory, disk

    def sense(self, name: str, value: str) -> None:
        """A sensor shows this. Raises KeyError if the board has no such sensor."""
        menu = self._router.menu("/system/health")
        if menu.spec.singleton:
            if name not in menu.single.values:
                raise KeyError(name)
            menu.change(menu.single, {name: value})
            return
        item = menu.named(name)
        if item is None:
            raise KeyError(name)
        menu.change(item, {"value": value})

    def resource(self) -> dict[str, str | None]:
        """The row of `/system/resource`."""
        router, personality = self._router, self._router.personality
        load = self._load()
        shown: dict[str, str | None] = {
            "uptime": whole_duration(router.uptime_s),
            "version": personality.release,
            "build-time": personality.build_time,
            **_share("memory", 1024, self.memory_percent, 180 + load),
            "cpu": "QEMU" if personality.is_chr else "ARMv7",
            "cpu-count": "2" if personality.is_chr else "4",
            "cpu-frequency": "2400" if personality.is_chr else "1400",
            "cpu-load": str(load),
            **_share("hdd-space", 128, self.disk_percent, 68),
            "architecture-name": "x86_64" if personality.is_chr else "arm",
            "board-name": personality.board,
            "platform": "MikroTik",
        }
        if not personality.is_chr:
            sectors = {"write-sect-since-reboot": str(int(router.uptime_s // 30)), "bad-blocks": "0"}
            shown |= sectors | {"write-sect-total": str(100_000 + int(router.uptime_s // 30))}
        return shown

    def _load(self) -> int:
        if self.cpu_load is not None:
            return self.cpu_load
        seed = zlib.crc32(self._router.name.encode())
        return 3 + (seed + int(self._router.clock.now() // 10) * 2654435761) % 12


def _share(what: str, total_mib: int, percent: float | None, used_mib: int) -> dict[str, str]:
    used = used_mib * MIB if percent is None else int(total_mib * MIB * percent / 100)
    return {f"free-{what}": str(total_mib * MIB - used), f"total-{what}": str(total_mib * MIB)}


def install(router: VirtualRouter) -> None:
    """Make the menus live."""
    router.menu("/system/resource").views.append(lambda _item: router.vitals.resource())
    router.menu("/system/resource/cpu").views.append(lambda _item: _core(router))
    router.command("/system/resource", "monitor", _monitor)
    for number in range(2 if router.personality.is_chr else 4):
        router.menu("/system/resource/cpu").put({"cpu": f"cpu{number}", "irq": "0", "disk": "0"})
    _install_sensors(router)


def _core(router: VirtualRouter) -> Mapping[str, str | None]:
    return {"load": router.vitals.resource()["cpu-load"]}


async def _monitor(call: Call) -> None:
    once = call.flag("once")
    duration_s = call.seconds("duration")
    call.refuse_rest()

    def used() -> list[dict[str, str]]:
        now = call.router.vitals.resource()
        load, free = now["cpu-load"] or "0", now["free-memory"] or "0"
        return [{"cpu-used": load, "cpu-used-per-core": load, "free-memory": free}]

    await call.refresh(used, 1.0, duration_s, once)


def _install_sensors(router: VirtualRouter) -> None:
    """v6: one row of properties; v7 on boards: a list; a CHR has none."""
    menu = router.menus.get("/system/health")
    if menu is None or router.personality.is_chr:
        return
    for name, (value, unit) in SENSORS.items():
        if menu.spec.singleton:
            menu.single.values[name] = value
        else:
            menu.put({"name": name, "value": value, "type": unit})
