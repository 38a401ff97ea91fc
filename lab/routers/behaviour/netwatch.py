"""/tool/netwatch: hosts tested from the router. Tests happen on paper; only changes of a way cost a timer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lab.routers.clock import Timer
from lab.routers.durations import format_duration, parse_duration

if TYPE_CHECKING:
    from lab.routers.menu import Item, Row
    from lab.routers.router import VirtualRouter

V6_FIRST_TEST_S = 1.0
TESTED = ("host", "type", "interval", "timeout", "disabled", "port", "start-delay")


class Netwatch:
    """Status of the watched hosts, following the link map."""

    def __init__(self, router: VirtualRouter) -> None:
        self._router = router
        self._menu = router.menu("/tool/netwatch")
        self._timers: dict[str, Timer] = {}
        self._first_test: dict[str, float] = {}
        self._menu.views.append(self._live)
        self._menu.on_add.append(lambda item: self._begin(item, self._delay_s(item, "start-delay", 3.0)))
        self._menu.on_change.append(self._changed)
        self._menu.on_remove.append(lambda item: self._forget(item.id))
        router.links.watch(self._link_changed)
        router.on_reboot.append(self._reboot)

    def _delay_s(self, item: Item, name: str, default_s: float) -> float:
        if self._router.personality.line == 6:
            return V6_FIRST_TEST_S
        return self._seconds(item, name, default_s)

    @staticmethod
    def _seconds(item: Item, name: str, default_s: float) -> float:
        given = parse_duration(item.get(name))
        return default_s if given is None else given

    def _interval_s(self, item: Item) -> float:
        return self._seconds(item, "interval", 60.0 if self._router.personality.line == 6 else 10.0) or 1.0

    def _begin(self, item: Item, delay_s: float) -> None:
        """Unknown until the first test."""
        self._forget(item.id)
        item.values |= {"status": "unknown", "since": self._router.stamp()}
        if not item.disabled:
            self._first_test[item.id] = self._router.clock.now() + delay_s
            self._test_in(item, delay_s)

    def _forget(self, row_id: str) -> None:
        self._first_test.pop(row_id, None)
        timer = self._timers.pop(row_id, None)
        if timer is not None:
            timer.cancel()

    def _test_in(self, item: Item, seconds: float) -> None:
        old = self._timers.pop(item.id, None)
        if old is not None:
            old.cancel()
        self._timers[item.id] = self._router.after(seconds, lambda: self._test(item))

    def _changed(self, item: Item, before: Row) -> None:
        if any(item.get(name) != before.get(name, "") for name in TESTED):
            self._begin(item, self._delay_s(item, "start-delay", 3.0))

    def _link_changed(self, host: str) -> None:
        """The next test of everything that watches this host will see the change."""
        now = self._router.clock.now()
        for item in self._menu:
            first = self._first_test.get(item.id)
            if item.get("host") != host or first is None or now < first:
                continue
            interval_s = self._interval_s(item)
            self._test_in(item, interval_s - (now - first) % interval_s)

    def _test(self, item: Item) -> None:
        self._timers.pop(item.id, None)
        status = "up" if self._router.reach(item.get("host")) else "down"
        before = item.get("status")
        if status == before:
            return
        self._menu.change(item, {"status": status, "since": self._router.stamp()})
        personality = self._router.personality
        if personality.line == 7:
            kind = item.get("type", "simple").replace("-", "_")
            message = f"event {status} [ type: {kind}, host: {item.get('host')} ]"
            self._router.log("netwatch,info", message)
        ignored = before == "unknown" and item.get(f"ignore-initial-{status}") == "true"
        source = item.get(f"{status}-script")
        if source and not ignored:
            self._router.scripts.start(source, self._variables(item) if personality.line == 7 else {})

    def _variables(self, item: Item) -> dict[str, str]:
        row = self._menu.read(item)
        values = {"interval": "10s", "timeout": "3s", "type": "simple", "name": "", "comment": ""} | row
        link = self._router.reach(item.get("host"))
        if link is not None and item.get("type") == "icmp":
            values["rtt-avg"] = str(round(link.rtt_s * 1_000_000))
        return values

    def _live(self, item: Item) -> Mapping[str, str | None]:
        if self._router.personality.line == 6 or item.get("status") == "unknown":
            return {}
        first = self._first_test.get(item.id, self._router.clock.now())
        done = 1 + int((self._router.clock.now() - first) // self._interval_s(item))
        link = self._router.reach(item.get("host"))
        shown: dict[str, str | None] = {"done-tests": str(done), "failed-tests": "0" if link else "1"}
        kind = item.get("type", "simple")
        if kind == "icmp":
            shown |= _icmp(link.rtt_s if link else None, int(item.get("packet-count") or 10))
        elif kind == "tcp-conn" and link:
            shown["tcp-connect-time"] = format_duration(link.rtt_s)
        elif kind in {"http-get", "https-get"} and link:
            shown |= {"http-status-code": "200", "http-resp-time": format_duration(link.rtt_s * 2)}
        return shown

    def _reboot(self) -> None:
        for item in self._menu:
            self._begin(item, self._delay_s(item, "startup-delay", 300.0))


def _icmp(rtt_s: float | None, count: int) -> dict[str, str | None]:
    if rtt_s is None:
        lost = {"response-count": "0", "loss-count": str(count), "loss-percent": "100"}
        return {"sent-count": str(count), **lost}
    rtt = format_duration(rtt_s)
    got = {"response-count": str(count), "loss-count": "0", "loss-percent": "0"}
    times = {"rtt-avg": rtt, "rtt-min": rtt, "rtt-max": rtt, "rtt-jitter": "0s", "rtt-stdev": "0s"}
    return {"sent-count": str(count), **got, **times}


def install(router: VirtualRouter) -> Netwatch:
    return Netwatch(router)
