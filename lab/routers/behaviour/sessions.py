"""What PPP and hotspot sessions share: the queue made from a rate limit, and the errors of a failed login."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.routers.behaviour.counters import PACKET_BYTES, Meter
from lab.routers.values import RATE, SCALE

if TYPE_CHECKING:
    from lab.routers.menu import Item
    from lab.routers.router import VirtualRouter


class LoginRefused(Exception):
    """The router does not let this subscriber in. The text is the router's."""


def parse_rate_limit(text: str) -> tuple[float, float] | None:
    """Upload and download in bits per second of `rx[/tx] …`; None if there is no limit."""
    first = text.split(" ")[0]
    if not first:
        return None
    up, slash, down = first.partition("/")
    found = RATE.fullmatch(up), RATE.fullmatch(down if slash else up)
    if found[0] is None or found[1] is None:
        return None
    rates = [float(one[1]) * SCALE[one[2]] for one in found if one]
    return rates[0] or float("inf"), rates[1] or float("inf")


def add_queue(router: VirtualRouter, name: str, target: str, limit: str, meter: Meter) -> Item | None:
    """The dynamic simple queue of a session; None if the profile limits nothing."""
    rates = parse_rate_limit(limit)
    if rates is None:
        return None
    up, down = ("0" if rate == float("inf") else str(int(rate)) for rate in rates)
    menu = router.menu("/queue/simple")
    values = {"name": name, "target": target, **menu.defaults(), "max-limit": f"{up}/{down}"}
    first = next(iter(menu.items), "")
    return menu.put(values | {"dynamic": "true", "disabled": "false"}, meter=meter, before=first)


def shaped(limit: str, up_bps: float, down_bps: float) -> tuple[float, float]:
    """What of the wanted traffic passes the limit."""
    rates = parse_rate_limit(limit)
    return (up_bps, down_bps) if rates is None else (min(up_bps, rates[0]), min(down_bps, rates[1]))


def install(router: VirtualRouter) -> None:
    """Live counters of queues."""

    def live(item: Item) -> dict[str, str | None]:
        meter, now = item.meter, router.clock.now()
        up, down = (meter.rx(now), meter.tx(now)) if meter else (0, 0)
        rate = (int(meter.rx_bps), int(meter.tx_bps)) if meter else (0, 0)
        return {
            "bytes": f"{up}/{down}",
            "packets": f"{up // PACKET_BYTES}/{down // PACKET_BYTES}",
            "dropped": "0/0",
            "rate": f"{rate[0]}/{rate[1]}",
            "packet-rate": f"{rate[0] // 8 // PACKET_BYTES}/{rate[1] // 8 // PACKET_BYTES}",
            "queued-packets": "0/0",
            "queued-bytes": "0/0",
        }

    router.menu("/queue/simple").views.append(live)
