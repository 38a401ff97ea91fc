"""`python -m bench [name…]`: measure, show, and keep the figures. Exit code 1 if a bar is missed."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from types import ModuleType

from bench import (
    account_row,
    beside_prometheus,
    cut_to_fact,
    false_alarms,
    host_cut,
    idle,
    login_message,
    login_storm,
    many_hosts,
    parent_cut,
    ping_command,
    recorder,
    report,
    round_trips,
    router_watch,
    start,
    steady,
    takeover,
)
from bench.figures import Figure
from bench.stage import Stage, stage
from deploy.local.stack import ROOT
from shared.clock import SystemClock
from shared.errors import RondaError

# In this order: what looks at rest comes before what makes unrest; neighbours share one running product.
BENCHES: dict[str, ModuleType] = {
    "start": start,
    "round_trips": round_trips,
    "steady": steady,
    "many_hosts": many_hosts,
    "cut_to_fact": cut_to_fact,
    "recorder": recorder,
    "idle": idle,
    "router_watch": router_watch,
    "host_cut": host_cut,
    "beside_prometheus": beside_prometheus,
    "ping_command": ping_command,
    "account_row": account_row,
    "login_message": login_message,
    "login_storm": login_storm,
    "takeover": takeover,
    "parent_cut": parent_cut,
    "false_alarms": false_alarms,
}
ORDER = (
    "start_empty",
    "start_filled",
    "idle_memory",
    "idle_cpu",
    "round_trips_fping",
    "round_trips_icmplib",
    "steady_cpu",
    "steady_late",
    "steady_missed",
    "steady_fping",
    "steady_rtt",
    "many_cpu",
    "many_memory",
    "many_growth",
    "cut_to_fact",
    "cut_to_fact_slow",
    "router_memory",
    "router_cpu",
    "host_cut",
    "host_cut_whatsapp",
    "host_cut_beside_prometheus",
    "login_message",
    "login_message_administrator",
    "login_storm",
    "login_storm_once",
    "login_storm_cpu",
    "takeover",
    "handover",
    "account_row",
    "ping_command",
    "parent_cut",
    "parent_cut_alarms",
    "parent_cut_rate",
    "false_alarms",
    "recorder_rate",
    "recorder_chart",
)


def main() -> int:
    """Parse, measure, report."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Ronda's figures here and now.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"all if none is named: {' '.join(BENCHES)}")
    parser.add_argument("--keep", action=argparse.BooleanOptionalAction, default=True, help="write documents too")
    given = parser.parse_args()
    if unknown := set(given.names) - BENCHES.keys():
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    try:
        figures = asyncio.run(_measured([n for n in BENCHES if not given.names or n in given.names], keep=given.keep))
    except RondaError as failure:
        sys.stderr.write(f"{failure}\n")
        return 1
    print(f"\n{report.screen(figures)}")
    return 0 if all(figure.holds for figure in figures) else 1


async def _measured(names: list[str], *, keep: bool) -> list[Figure]:
    figures: list[Figure] = []
    async with stage() as place:
        for name in names:
            print(f"measuring {name} …", flush=True)
            measure: Callable[[Stage], Awaitable[list[Figure]]] = BENCHES[name].measure
            found = await measure(place)
            print(report.screen(found), flush=True)
            figures += found
            if keep:  # at once: a later one that fails does not take these along
                _keep(found)
    return figures


def _keep(figures: list[Figure]) -> None:
    report.keep(ROOT, figures, SystemClock().now().date().isoformat())
    (ROOT / report.DOCUMENT).write_text(report.document(ROOT, _methods(), ORDER))


def _methods() -> dict[str, str]:
    """How each benchmark measures: the docstring of its module, in one paragraph."""
    return {name: " ".join((bench.__doc__ or "").split()) for name, bench in BENCHES.items()}


if __name__ == "__main__":
    sys.exit(main())
