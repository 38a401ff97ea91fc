"""Hosts that are known by name: their numbers are looked up again and again, and at once when they fall silent.

The system's resolver tells no time to live, and caches as it says. Names of routers behind changing addresses (IP Cloud
and the like) live for a minute: after half of that an old number is looked up anew, and a host that stops answering may
just have moved.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field

from services.poller.ports import Resolver, target_of
from services.poller.watch import Watch
from shared.contracts.ids import HostId
from shared.contracts.vocabulary import HostState
from shared.errors import NotFound, RondaError

AGAIN_S = 30.0
AGAIN_WHEN_DOWN_S = 5.0  # or suspect; also after the name server could not be asked
LEAST_S = 1.0  # between two looks at one name, whatever happens


@dataclass
class _Follower:
    watch: Watch
    hurry: asyncio.Event = field(default_factory=asyncio.Event)


class Names:
    """Keeps the targets of hosts at the numbers that their names have now. An old number is better than none."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._followers: dict[HostId, tuple[_Follower, asyncio.Task[None]]] = {}

    def follow(self, watch: Watch) -> None:
        """Follow this host's name from now on."""
        follower = _Follower(watch)
        task = asyncio.create_task(self._follow(follower), name=f"name of {watch.host.id}")
        self._followers[watch.host.id] = follower, task

    def hurry(self, host_id: HostId) -> None:
        """The host has fallen silent: look now, if it has a name."""
        if host_id in self._followers:
            self._followers[host_id][0].hurry.set()

    def leave(self, host_id: HostId) -> None:
        """Follow it no longer."""
        if host_id in self._followers:
            self._followers.pop(host_id)[1].cancel()

    async def close(self) -> None:
        """End all."""
        tasks = [task for _, task in self._followers.values()]
        self._followers.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, follower: _Follower) -> None:
        while True:
            follower.hurry.clear()
            found = await self._look(follower.watch)
            pause_s = AGAIN_S if found and follower.watch.state.shown is HostState.UP else AGAIN_WHEN_DOWN_S
            await asyncio.sleep(LEAST_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s - LEAST_S):
                    await follower.hurry.wait()

    async def _look(self, watch: Watch) -> bool:
        try:
            address = await self._resolver.resolve(watch.host.address)
        except RondaError as problem:
            watch.failing_name = isinstance(problem, NotFound) and watch.target is None
            watch.trouble = str(problem)
            return False
        watch.failing_name = False
        watch.aim(target_of(watch.host, address, watch.policy))
        return True
