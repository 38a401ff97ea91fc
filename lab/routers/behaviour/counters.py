"""Traffic: counters computed from a rate and the time that passed, and the interface menu that shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.routers import editing, errors

if TYPE_CHECKING:
    from lab.routers.calls import Call
    from lab.routers.menu import Item
    from lab.routers.router import VirtualRouter

PACKET_BYTES = 900
"""Mean size of a packet, for packet counters."""


@dataclass
class Meter:
    """Bytes received and sent, growing with the rates since the last change. rx of a session is the
    upload."""

    since: float
    rx_bps: float = 0.0
    tx_bps: float = 0.0
    rx_bytes: float = 0.0
    tx_bytes: float = 0.0

    def rx(self, now: float) -> int:
        """Bytes received until `now` (seconds)."""
        return int(self.rx_bytes + self.rx_bps / 8 * (now - self.since))

    def tx(self, now: float) -> int:
        """Bytes sent until `now` (seconds)."""
        return int(self.tx_bytes + self.tx_bps / 8 * (now - self.since))

    def run(self, now: float, rx_bps: float, tx_bps: float) -> None:
        """From `now` on traffic flows at these rates, in bits per second."""
        self.rx_bytes, self.tx_bytes, self.since = float(self.rx(now)), float(self.tx(now)), now
        self.rx_bps, self.tx_bps = rx_bps, tx_bps

    def count(self, rx_bytes: float = 0, tx_bytes: float = 0) -> None:
        """Add traffic at once."""
        self.rx_bytes += rx_bytes
        self.tx_bytes += tx_bytes

    def clear(self, now: float) -> None:
        """Back to zero."""
        self.rx_bytes = self.tx_bytes = 0.0
        self.since = now


def install(router: VirtualRouter) -> None:
    menu = router.menu("/interface")

    def live(item: Item) -> Mapping[str, str | None]:
        if item.meter is None:
            item.meter = Meter(router.clock.now())
        return interface_counters(item.meter, router.clock.now())

    def reset(call: Call) -> None:
        for item in call.picked():
            if item.meter is not None:
                item.meter.clear(router.clock.now())
        call.done()

    async def monitor_traffic(call: Call) -> None:
        items = _monitored(router, call.take("interface"))
        once = call.flag("once")
        duration = call.seconds("duration")
        interval = call.seconds("interval") or 1.0
        call.refuse_rest()
        await call.refresh(lambda: [_rates(name, item) for name, item in items], interval, duration, once)

    menu.views.append(live)
    router.command("/interface", "reset-counters", reset)
    router.command("/interface", "monitor-traffic", monitor_traffic)


def run_traffic(router: VirtualRouter, port: str, rx_mbps: float, tx_mbps: float) -> None:
    """From now on so much flows through a port. Raises KeyError if there is none of this name."""
    item = router.menu("/interface").named(port)
    if item is None:
        raise KeyError(port)
    now = router.clock.now()
    if item.meter is None:
        item.meter = Meter(now)
    item.meter.run(now, rx_mbps * 1e6, tx_mbps * 1e6)


def interface_counters(meter: Meter, now: float) -> dict[str, str | None]:
    """The counter columns of an interface row."""
    rx, tx = meter.rx(now), meter.tx(now)
    return {
        "rx-byte": str(rx),
        "tx-byte": str(tx),
        "rx-packet": str(rx // PACKET_BYTES),
        "tx-packet": str(tx // PACKET_BYTES),
    }


def _monitored(router: VirtualRouter, names: str | None) -> list[tuple[str, list[Item]]]:
    if names is None:
        raise errors.missing_value("interface")
    menu = router.menu("/interface")
    found: list[tuple[str, list[Item]]] = []
    for name in names.split(","):
        if name == "aggregate":
            found.append((name, list(menu)))
        else:
            item = menu.items[editing.resolve(menu, "interface", name)]
            found.append((item["name"], [item]))
    return found


def _rates(name: str, items: list[Item]) -> dict[str, str]:
    meters = [item.meter for item in items if item.meter and item.get("running") == "true"]
    rx = int(sum(meter.rx_bps for meter in meters))
    tx = int(sum(meter.tx_bps for meter in meters))
    return {
        "name": name,
        "rx-packets-per-second": str(rx // 8 // PACKET_BYTES),
        "rx-bits-per-second": str(rx),
        "fp-rx-packets-per-second": "0",
        "fp-rx-bits-per-second": "0",
        "rx-drops-per-second": "0",
        "rx-errors-per-second": "0",
        "tx-packets-per-second": str(tx // 8 // PACKET_BYTES),
        "tx-bits-per-second": str(tx),
        "fp-tx-packets-per-second": "0",
        "fp-tx-bits-per-second": "0",
        "tx-drops-per-second": "0",
        "tx-queue-drops-per-second": "0",
        "tx-errors-per-second": "0",
    }
