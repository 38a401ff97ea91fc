"""A poller is gone: how long until the other one watches its hosts?

Two pollers are processes on a bus of their own and share 40 hosts on loopback. One is killed without warning, frozen,
split off from the bus (its line falls silent), or stopped politely, at moments without relation to its lease. The clock
runs until the other one says that it watches all hosts. Then both share again.
"""

from __future__ import annotations

import asyncio
import random
import signal
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from bench.figures import Figure, of_samples
from bench.pollers import PollerProcess, Watch, until, watch
from bench.stage import Stage

HOSTS = 40
SAMPLES = 4  # of each way to be gone
BAR_S, POLITE_BAR_S = 5.0, 1.0

Deed = Callable[[PollerProcess], Awaitable[None]]


async def measure(_stage: Stage) -> list[Figure]:
    """Needs no product: only a bus and two pollers."""
    dice = random.Random(3)  # noqa: S311 - moments, repeatable
    ways = {
        "killed": (_kill, _start),
        "frozen": (_freeze, _thaw),
        "split off": (_cut, _mend),
        "stopped": (_stop, _start),
    }
    took: dict[str, list[float]] = {way: [] for way in ways}
    with tempfile.TemporaryDirectory() as directory:
        async with watch(Path(directory), HOSTS) as place:
            first, second = await place.start("first"), await place.start("second")
            for _ in range(SAMPLES):
                for way, (deed, undo) in ways.items():
                    await place.until_all_watched_by(first, second)
                    await asyncio.sleep(dice.uniform(0, 1))
                    took[way].append(await _one(place, deed, gone=second, heir=first))
                    await undo(second)
    hard = [sample for way, samples in took.items() if way != "stopped" for sample in samples]
    besides = ", ".join(f"{way} {max(samples):.2f} s" for way, samples in took.items() if way != "stopped")
    what = "hosts of a poller that is gone → watched by the other one"
    return [
        of_samples("takeover", f"{what} (worst: {besides})", hard, bar=BAR_S, unit="s"),
        of_samples(
            "handover",
            "hosts of a poller that is stopped → watched by the other one",
            took["stopped"],
            bar=POLITE_BAR_S,
            unit="s",
        ),
    ]


async def _one(place: Watch, deed: Deed, *, gone: PollerProcess, heir: PollerProcess) -> float:
    began = time.monotonic()
    await deed(gone)

    async def all_watched() -> bool:
        return len(await place.watched_by(heir)) == HOSTS

    await until(all_watched, within_s=30)
    return time.monotonic() - began


async def _kill(poller: PollerProcess) -> None:
    await poller.kill()


async def _stop(poller: PollerProcess) -> None:
    poller.send(signal.SIGTERM)


async def _start(poller: PollerProcess) -> None:
    await poller.ended()
    await poller.start()


async def _freeze(poller: PollerProcess) -> None:
    poller.send(signal.SIGSTOP)


async def _thaw(poller: PollerProcess) -> None:
    poller.send(signal.SIGCONT)


async def _cut(poller: PollerProcess) -> None:
    poller.line.cut()


async def _mend(poller: PollerProcess) -> None:
    poller.line.mend()
