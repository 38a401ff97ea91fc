"""From start to end of a service: settings, logs, what it is built of, its loops, signals, exit code.

A service's `main.py` has `build(settings, **overrides)`, an async context manager that opens what the service needs
(each opened thing inside the one it needs) and yields a `Service`. Tests enter `build` and `running` themselves.

Exit codes: 0 stopped by a signal, 1 a crash, 2 a setting is wrong. The first SIGTERM or SIGINT cancels the loops and
closes everything in reverse order, within 10 s; a second one ends the process at once.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Final, TypeVar

import structlog
from starlette.routing import BaseRoute

from shared.config import ServiceSettings, load
from shared.errors import Misconfigured, RondaError
from shared.telemetry.health import Check, HealthServer
from shared.telemetry.logs import configure_logging
from shared.telemetry.metrics import Metrics
from shared.telemetry.tracing import tracing

log = structlog.get_logger(__name__)

SHUTDOWN_S: Final = 10.0
CLEAN, CRASHED, MISCONFIGURED = 0, 1, 2

S = TypeVar("S", bound=ServiceSettings)
Loop = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Service:
    """A service that is built and not yet running. Loops run until cancelled; one that returns has crashed."""

    loops: Mapping[str, Loop]
    checks: Mapping[str, Check] = field(default_factory=dict)
    routes: Sequence[BaseRoute] = ()
    metrics: Metrics = field(default_factory=Metrics)


Build = Callable[[S], AbstractAsyncContextManager[Service]]


class LoopEnded(Exception):
    """A loop that must run as long as the service came to an end."""


def run_service(name: str, settings_class: type[S], build: Build[S], *, shutdown_s: float = SHUTDOWN_S) -> int:
    """Run a service until a signal or a crash; answers the exit code. Called by `__main__` alone."""
    try:
        settings = load(settings_class)
    except Misconfigured as wrong:
        sys.stderr.write(f"{name} cannot start. {wrong}\n")
        return MISCONFIGURED
    configure_logging(settings, service=name)
    deadline = _Deadline(shutdown_s)
    try:
        with tracing(name, settings.instance), asyncio.Runner() as runner:
            return runner.run(_run(name, settings, build, deadline))
    finally:
        deadline.lift()


@asynccontextmanager
async def running(service: Service) -> AsyncIterator[Mapping[str, asyncio.Task[None]]]:
    """Run the loops while the context is open; the first one that fails cancels the rest and the body.

    Raises an ExceptionGroup of what the loops raised.
    """
    async with asyncio.TaskGroup() as group:
        tasks = {name: group.create_task(_kept(name, loop), name=name) for name, loop in service.loops.items()}
        try:
            yield tasks
        finally:
            for task in tasks.values():
                task.cancel()


async def _kept(name: str, loop: Loop) -> None:
    try:
        await loop()
    except Exception as error:
        log.error("a loop crashed", loop=name, reason=_reason(error), exc_info=_trace(error))  # noqa: TRY400
        raise
    log.error("a loop ended by itself", loop=name)
    raise LoopEnded(name)


async def _run(name: str, settings: S, build: Build[S], deadline: _Deadline) -> int:
    work = asyncio.create_task(_work(name, settings, build, deadline), name=name)
    with _signals(work, deadline):
        await asyncio.wait({work})
    if work.cancelled():
        log.info("stopped")
        return CLEAN
    return _judge(work.exception())


async def _work(name: str, settings: S, build: Build[S], deadline: _Deadline) -> None:
    """The whole life of the service; ends by being cancelled or by an error."""
    log.info("starting", instance=settings.instance, pid=os.getpid())
    async with build(settings) as service:
        tasks: dict[str, asyncio.Task[None]] = {}
        health = HealthServer(
            settings,
            service.checks,
            metrics=service.metrics,
            loops=lambda: {loop: not task.done() for loop, task in tasks.items()},
            routes=service.routes,
        )
        async with health.running():
            try:
                async with running(service) as started:
                    tasks.update(started)
                    log.info("started", name=name)
                    await asyncio.Event().wait()
            finally:
                deadline.start()


def _judge(error: BaseException | None) -> int:
    """Say what ended the service, and answer the exit code."""
    errors = list(_leaves(error)) if error is not None else []
    for each in errors:
        if isinstance(each, LoopEnded):
            continue
        if isinstance(each, Misconfigured):
            log.error("a setting is wrong", reason=str(each))
        else:
            log.error("crashed", reason=_reason(each), exc_info=_trace(each))
    return MISCONFIGURED if errors and all(isinstance(each, Misconfigured) for each in errors) else CRASHED


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _leaves(each)
    else:
        yield error


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _trace(error: BaseException) -> BaseException | None:
    """The error where its trace helps: an expected one says everything in its sentence."""
    return None if isinstance(error, RondaError) else error


@contextmanager
def _signals(work: asyncio.Task[None], deadline: _Deadline) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    wanted = (signal.SIGTERM, signal.SIGINT)

    signalled: list[signal.Signals] = []

    def stop(number: signal.Signals) -> None:
        if signalled:
            log.warning("a second signal: ending at once", signal=number.name)
            os._exit(128 + number)
        signalled.append(number)
        log.info("stopping", signal=number.name)
        deadline.start()
        work.cancel()

    for number in wanted:
        loop.add_signal_handler(number, stop, number)
    try:
        yield
    finally:
        for number in wanted:
            loop.remove_signal_handler(number)


class _Deadline:
    """Ends the process if stopping takes too long. A thread keeps it, for the case that the event loop hangs."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._timer: threading.Timer | None = None

    def start(self) -> None:
        """Begin to count, unless that was done before."""
        if self._timer is not None:
            return
        self._timer = threading.Timer(self._seconds, self._give_up)
        self._timer.daemon = True
        self._timer.start()

    def lift(self) -> None:
        """The process ends by itself: no need to help."""
        if self._timer is not None:
            self._timer.cancel()

    def _give_up(self) -> None:
        log.error("stopping took too long, ending at once", seconds=self._seconds)
        os._exit(CRASHED)
