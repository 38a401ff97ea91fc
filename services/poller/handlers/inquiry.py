"""Ask who else may have seen a suspect alive: all witnesses side by side, while the burst runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from services.poller.ports import Sighting, Witness
from shared.clock import Clock
from shared.contracts.ids import HostId
from shared.contracts.inventory import Host
from shared.errors import RondaError

MOST = 64  # hosts inquired into at once: beyond it the verdict comes without witnesses, and in time

log = structlog.get_logger(__name__)


class Inquiry:
    """The question about one host. `until`: monotonic seconds, when the verdict waits no longer."""

    def __init__(self, until: float) -> None:
        self.until = until
        self.done = False
        self.sighting: Sighting | None = None


class Inquiries:
    """The questions that are open. Made once; `begin` needs a running loop."""

    def __init__(self, witnesses: Sequence[Witness], clock: Clock) -> None:
        self._witnesses = witnesses
        self._clock = clock
        self._open: dict[HostId, tuple[Inquiry, asyncio.Task[None]]] = {}

    def of(self, host_id: HostId) -> Inquiry | None:
        """The question about this host."""
        entry = self._open.get(host_id)
        return entry[0] if entry else None

    def begin(self, host: Host, since: datetime, patience_s: float, answered: Callable[[], None]) -> None:
        """Ask whether anybody saw the host alive after `since`; `answered` is called when that is known.

        Nothing happens if nobody could know, or too many questions are open.
        """
        witnesses = [witness for witness in self._witnesses if witness.knows(host)]
        if not witnesses or len(self._open) >= MOST or patience_s <= 0:
            return
        self.end(host.id)
        inquiry = Inquiry(self._clock.monotonic() + patience_s)
        asking = self._ask(inquiry, witnesses, host, since, patience_s, answered)
        self._open[host.id] = inquiry, asyncio.create_task(asking, name=f"witnesses of {host.id}")

    def end(self, host_id: HostId) -> None:
        """The answer does not matter any more."""
        entry = self._open.pop(host_id, None)
        if entry is not None and entry[1] is not _current_task():
            entry[1].cancel()

    async def close(self) -> None:
        """End everything."""
        tasks = [task for _, task in self._open.values()]
        self._open.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(
        self,
        inquiry: Inquiry,
        witnesses: Sequence[Witness],
        host: Host,
        since: datetime,
        patience_s: float,
        answered: Callable[[], None],
    ) -> None:
        tasks = [asyncio.create_task(_testimony(witness, host, since)) for witness in witnesses]
        try:
            for testimony in asyncio.as_completed(tasks, timeout=patience_s):
                inquiry.sighting = await testimony
                if inquiry.sighting is not None:
                    break
        except TimeoutError:
            pass
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        inquiry.done = True
        answered()


async def _testimony(witness: Witness, host: Host, since: datetime) -> Sighting | None:
    try:
        return await witness.seen(host, since)
    except RondaError as problem:
        log.info("a witness cannot say", host=host.name, reason=str(problem))
    except Exception:  # a bug in one witness must not keep a host's verdict back
        log.exception("a witness failed", host=host.name)
    return None


def _current_task() -> asyncio.Task[object] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None
