"""`python -m bench.saturation COUNT SECONDS`: the patrol asks as fast as it can; prints what came of it as JSON.

The whole way of a probe: schedule, sockets, judge. All hosts are due again long before they can be asked, so the engine
is never idle; the rate is that of answers that were judged.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

from bench.field import hosts, policy
from services.poller.adapters.icmp import IcmpProbe
from services.poller.adapters.resolver import SystemResolver
from services.poller.collector import search_less
from services.poller.core.judge import State
from services.poller.loop import Patrol
from shared.clock import SystemClock
from shared.contracts.vocabulary import HostState, ProbeKind

_WARM_S = 1.0  # until every host is up and has its own timeout
_DUE_AGAIN_S = 0.05


async def saturate(count: int, seconds: float) -> dict[str, float]:
    """Answers per second of wall clock and of CPU, and how many hosts are not up in the end."""
    search_less()
    probe = IcmpProbe()
    patrol = Patrol({ProbeKind.ICMP: probe}, SystemResolver(), SystemClock(), on_facts=lambda _watch, _facts: None)
    quick = policy(_DUE_AGAIN_S)
    for host in hosts(count, quick.name):
        patrol.put(host, quick, State())
    walk = asyncio.create_task(patrol.run())
    await asyncio.sleep(_WARM_S)
    before, cpu, began = patrol.asked_total - probe.in_flight, time.process_time(), time.monotonic()
    await asyncio.sleep(seconds)
    answered, cpu, took = (
        patrol.asked_total - probe.in_flight - before,
        time.process_time() - cpu,
        time.monotonic() - began,
    )
    walk.cancel()
    await asyncio.gather(walk, return_exceptions=True)
    not_up = sum(watch.state.hard is not HostState.UP for watch in patrol.watches.values())
    probe.close()
    return {"per_second": answered / took, "per_cpu_second": answered / cpu, "not_up": not_up}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(saturate(int(sys.argv[1]), float(sys.argv[2])))))
