"""Pollers as processes that share hosts which go down and up, while they are killed, frozen, split off and stopped."""

from __future__ import annotations

import asyncio
import signal
from collections import defaultdict
from pathlib import Path

import pytest

from bench.pollers import Watch, watch
from shared.contracts.events import HostDown, HostTransition, HostUp
from shared.contracts.queries import ListWatched
from shared.contracts.streams import EVENTS
from tests.support.waiting import until

HOSTS = 12


class Book:
    """What the stream says of each host, and what is true."""

    def __init__(self, place: Watch) -> None:
        self.place = place
        self.told: dict[str, list[HostTransition]] = defaultdict(list)
        self.flips = dict.fromkeys(place.farm.names, 0)

    async def listen(self) -> None:
        async for received in self.place.bus.read(EVENTS, after_sequence=0):
            if received is not None and isinstance(received.message, HostTransition):
                self.told[received.message.host_id].append(received.message)

    def complete(self) -> bool:
        return all(len(self.told[name]) > flips for name, flips in self.flips.items())

    async def flip_some(self, which: int) -> None:
        """Every second host goes down or comes back, and all of it is told."""
        for name in self.place.farm.names[which % 2 :: 2]:
            host = self.place.farm.host(name)
            await (host.cut() if host.state == "up" else host.restore())
            self.flips[name] += 1
        await until(self.complete, within_s=30)

    def check(self) -> None:
        for name, flips in self.flips.items():
            events = self.told[name]
            assert [event.transition - events[0].transition for event in events] == list(range(flips + 1)), name
            assert [type(event) for event in events] == [HostUp, *(HostDown, HostUp) * flips][: flips + 1], name


@pytest.mark.mission("C1", "E1")
async def test_every_change_is_told_once_by_pollers_that_are_killed_frozen_split_off_and_stopped(tmp_path: Path):
    async with watch(tmp_path / "nats", HOSTS, logs=tmp_path) as place:
        book = Book(place)
        listening = asyncio.create_task(book.listen())
        killed, frozen, split = [await place.start(name) for name in ("killed", "frozen", "split")]
        await place.until_all_watched_by(killed, frozen, split)
        await until(book.complete)

        await killed.kill()
        await book.flip_some(0)
        await killed.start()

        frozen.send(signal.SIGSTOP)
        await book.flip_some(1)
        await book.flip_some(1)
        frozen.send(signal.SIGCONT)

        split.line.cut()
        await book.flip_some(0)
        split.line.mend()
        await place.until_all_watched_by(killed, frozen, split)

        killed.send(signal.SIGTERM)
        await book.flip_some(1)
        assert await killed.ended() == 0
        others = [await place.start(name) for name in ("fourth", "fifth")]
        await killed.start()
        await place.until_all_watched_by(killed, frozen, split, *others)
        await book.flip_some(0)
        report = await place.bus.request(ListWatched())
        assert {host.host_id for host in report.hosts} == set(place.farm.names)

        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        book.check()
