"""What probes that hold a conversation have in common: a task each, a deadline each, and so many at once."""

from __future__ import annotations

import asyncio
import errno
import time
from abc import ABC, abstractmethod

from services.poller.ports import Asker, Target
from shared.contracts.vocabulary import ProbeFailure

AT_ONCE = 256  # connections being open: below the usual limit of 1,024 files

_FAILURES = {
    errno.ECONNREFUSED: ProbeFailure.REFUSED,
    errno.ECONNRESET: ProbeFailure.REFUSED,
    errno.EPIPE: ProbeFailure.REFUSED,
    errno.EHOSTUNREACH: ProbeFailure.UNREACHABLE,
    errno.ENETUNREACH: ProbeFailure.UNREACHABLE,
    errno.EACCES: ProbeFailure.UNREACHABLE,
    errno.ETIMEDOUT: ProbeFailure.TIMEOUT,
}


class ProbeLost(Exception):
    """The probe counts as lost."""

    def __init__(self, failure: ProbeFailure) -> None:
        super().__init__(failure)
        self.failure = failure


class CannotAsk(Exception):
    """The probe could not be asked; the text says why, and what to do where somebody can do something."""


class TaskedProbe(ABC):
    """A probe whose single try is a coroutine. Keeps the promises of `ports.Probe` for it."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._turn = asyncio.Semaphore(at_once)
        self._running: set[asyncio.Task[None]] = set()

    @abstractmethod
    async def try_once(self, target: Target, timeout_s: float) -> float | None:
        """One try; answers a round trip in milliseconds, None for the time the try took.

        Raises ProbeLost, CannotAsk, OSError; it is cancelled after `timeout_s` and `grace_s`.
        """

    grace_s: float = 0.0
    """What a try may take besides its timeout: the way to whoever asks for us."""

    def ask(self, target: Target, number: int, timeout_s: float, asker: Asker) -> None:
        """See `ports.Probe`."""
        task = asyncio.create_task(self._ask(target, number, timeout_s, asker), name=f"{target.kind} {target.address}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def close(self) -> None:
        """Give up what runs; probes in flight are not reported."""
        for task in tuple(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _ask(self, target: Target, number: int, timeout_s: float, asker: Asker) -> None:
        async with self._turn:
            began = time.monotonic()
            try:
                async with asyncio.timeout(timeout_s + self.grace_s):
                    rtt_ms = await self.try_once(target, timeout_s)
            except TimeoutError:
                asker.loss(number, time.monotonic() - began, ProbeFailure.TIMEOUT)
            except ProbeLost as lost:
                asker.loss(number, time.monotonic() - began, lost.failure)
            except CannotAsk as reason:
                asker.blind(number, str(reason))
            except OSError as problem:
                _tell(problem, number, time.monotonic() - began, asker)
            else:
                asker.answer(number, (time.monotonic() - began) * 1000 if rtt_ms is None else rtt_ms)


def _tell(problem: OSError, number: int, age_s: float, asker: Asker) -> None:
    failure = _FAILURES.get(problem.errno or 0)
    if failure is not None:
        asker.loss(number, age_s, failure)
    else:  # no files or no ports left, no such address family: our own trouble
        asker.blind(number, f"cannot open a connection: {problem.strerror or problem}")
