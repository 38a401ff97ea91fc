"""/ping and /tool/traceroute: streams of answers from the link map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lab.routers import errors
from lab.routers.durations import format_duration
from lab.routers.values import NORMAL, RANGES

if TYPE_CHECKING:
    from lab.routers.behaviour.links import Link
    from lab.routers.calls import Call
    from lab.routers.router import VirtualRouter

PING_ARGUMENTS = frozenset(
    [
        "src-address",
        "interface",
        "arp-ping",
        "do-not-fragment",
        "dscp",
        "vrf",
        "routing-table",
        "size",
        "ttl",
    ]
)
TRACE_ARGUMENTS = PING_ARGUMENTS | {"port", "use-dns", "protocol", "timeout"}
DEFAULT_HOPS = 15


async def ping(call: Call) -> None:
    """One row per request, without end unless `count` is given."""
    address = _address(call)
    count = call.whole("count")
    interval_s = call.seconds("interval") or 1.0
    size = _ranged(call, "size", 56)
    _check(call, PING_ARGUMENTS)
    tally = _Tally(call.router, address, size)
    while count is None or tally.sent < count:
        call.row(tally.next())
        await call.flush()
        if count is None or tally.sent < count:
            await call.router.clock.sleep(interval_s)
    call.done()


class _Tally:
    """What a running ping has seen."""

    def __init__(self, router: VirtualRouter, address: str, size: int) -> None:
        self._router = router
        self._address = address
        self._size = size
        self._times: list[float] = []
        self.sent = 0

    def next(self) -> Mapping[str, str]:
        """The row of the next request."""
        link = self._router.way_to(self._address)
        seq, self.sent = self.sent, self.sent + 1
        row = {"seq": str(seq), "host": self._address}
        answered = link.up and not self._lost(link, seq)
        if answered:
            jitter = 1 + (seq * 7 % 5) / 50
            self._times.append(link.rtt_s * jitter)
            row |= {"size": str(self._size), "ttl": "64", "time": self._text(self._times[-1])}
        elif link.up or link.status:
            row["status"] = "timeout" if link.up else link.status
        received = len(self._times)
        row |= {"sent": str(self.sent), "received": str(received)}
        row["packet-loss"] = str(round(100 * (self.sent - received) / self.sent))
        if received:
            mean = sum(self._times) / received
            spread = {"min-rtt": min(self._times), "avg-rtt": mean, "max-rtt": max(self._times)}
            row |= {name: self._text(value) for name, value in spread.items()}
        return row

    @staticmethod
    def _lost(link: Link, seq: int) -> bool:
        """Losses spread evenly, so that the share is right without chance."""
        return int((seq + 1) * link.loss) > int(seq * link.loss)

    def _text(self, seconds: float) -> str:
        """Whole milliseconds on 6, microseconds on 7."""
        if self._router.personality.line == 6:
            return format_duration(round(seconds, 3))
        return format_duration(seconds)


async def traceroute(call: Call) -> None:
    """The hops on the way, once per round; `count` rounds, or without end."""
    address = _address(call)
    count = call.whole("count")
    most = call.whole("max-hops") or DEFAULT_HOPS
    duration_s = call.seconds("duration")
    _check(call, TRACE_ARGUMENTS)
    sent = 0

    def hops() -> list[dict[str, str]]:
        nonlocal sent
        sent += 1
        return _hops(call.router.way_to(address), address, most, sent)

    for_s = duration_s if duration_s is not None else None if count is None else float(count)
    await call.refresh(hops, 1.0, for_s, once=False)


def _hops(link: Link, address: str, most: int, sent: int) -> list[dict[str, str]]:
    places = [*link.hops, address][:most] if link.up else [*link.hops, *[""] * 3][:most]
    rows = []
    for number, place in enumerate(places, 1):
        row = {"address": place, "loss": "0" if place else "100", "sent": str(sent)}
        if place:
            ms = f"{link.rtt_s * 1000 * number / len(places):.1f}"
            row |= {"last": ms, "avg": ms, "best": ms, "worst": ms, "std-dev": "0", "status": ""}
        else:
            row |= {"last": "timeout", "status": ""}
        rows.append(row)
    return rows


def _address(call: Call) -> str:
    address = call.take("address")
    if address is None:
        raise errors.missing_value("address")
    kept = NORMAL["address-or-name"](address)
    if kept is None or not (NORMAL["address"](address) or call.router.links.to(address)):
        raise errors.invalid_value("address")
    return kept


def _ranged(call: Call, name: str, default: int) -> int:
    value = call.whole(name)
    if value is None:
        return default
    low, high = RANGES.get(name, (28, 65535))
    if not low <= value <= high:
        raise errors.out_of_range(low, high)
    return value


def _check(call: Call, known: frozenset[str]) -> None:
    interface = call.left.get("interface")
    if interface is not None:
        call.router.menu("/interface").match(interface, "interface")
    for name in call.left:
        if name not in known:
            raise errors.unknown_parameter(name)


def install(router: VirtualRouter) -> None:
    router.command("", "ping", ping)
    router.command("/tool", "ping", ping)
    router.command("/tool", "traceroute", traceroute)
