"""The way to an address from this machine, by icmplib, which needs raw sockets for it."""

from __future__ import annotations

import asyncio

import icmplib

from shared.contracts.live import Hop
from shared.errors import NotAllowed, Unreachable

_TIMEOUT_S = 0.8  # per hop: with 30 hops nobody answers at, within the query's deadline


async def trace_route(address: str, max_hops: int) -> tuple[Hop, ...]:
    """Hop after hop, in a thread that ends by itself: icmplib's traceroute blocks. Raises NotAllowed, Unreachable."""
    try:
        found = await asyncio.to_thread(
            icmplib.traceroute, address, count=1, interval=0.01, timeout=_TIMEOUT_S, max_hops=max_hops, fast=True
        )
    except icmplib.SocketPermissionError as refused:
        raise NotAllowed(
            "this poller may not open raw sockets, which a traceroute needs: give it the capability NET_RAW, or ask "
            "from a router"
        ) from refused
    except (icmplib.ICMPLibError, OSError) as problem:
        raise Unreachable(f"the way to {address} cannot be asked: {problem}") from problem
    return _with_gaps([Hop(number=hop.distance, address=hop.address, rtt_ms=hop.avg_rtt) for hop in found])


def _with_gaps(hops: list[Hop]) -> tuple[Hop, ...]:
    """icmplib leaves out the hops that said nothing; people want to see that there is one."""
    by_number = {hop.number: hop for hop in hops}
    last = max(by_number, default=0)
    return tuple(by_number.get(number, Hop(number=number, loss_percent=100.0)) for number in range(1, last + 1))
