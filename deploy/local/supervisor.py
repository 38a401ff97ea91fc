"""Starts child processes in order, keeps them running, and ends them in reverse order.

A child that ends by itself is started again after a growing delay, and that is said. The supervisor never outlives
its children's need of it: if it is killed, the kernel tells them to stop (Linux' parent-death signal).
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from deploy.local.output import Output
from shared.errors import RondaError, Unreachable

_PR_SET_PDEATHSIG = 1
_FIRST_DELAY_S, _LONGEST_DELAY_S, _STEADY_AFTER_S = 0.2, 30.0, 30.0
_STOP_S = 10.0
_READY_POLL_S = 0.05
_LINE_LIMIT = 1 << 20

ReadyCheck = Callable[[], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """A program to keep running. `ready` answers whether it can be used; `user` is the uid:gid it runs as."""

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: ReadyCheck | None = None
    ready_within_s: float = 60.0
    user: tuple[int, int] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    quiet: bool = False  # its own lines are shown only when it fails


def _end_with_parent() -> None:
    """Runs in the child before the program: ask the kernel for SIGTERM when the supervisor is gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    os.setpgid(0, 0)  # Ctrl-C in the terminal reaches the supervisor alone, which then ends them in order


class Child:
    """One program: started, watched, restarted, stopped."""

    def __init__(self, spec: ChildSpec, output: Output) -> None:
        self.spec = spec
        self.restarts = 0
        self._output = output
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False
        self._keeper: asyncio.Task[None] | None = None
        self._recent: list[str] = []

    @property
    def pid(self) -> int | None:
        """The running process' id, None between two lives."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def start(self) -> None:
        """Start the program and wait until it can be used; raises Unreachable with its last words if it never can."""
        await self._spawn()
        self._keeper = asyncio.create_task(self._keep())
        if self.spec.ready is None:
            return
        deadline = time.monotonic() + self.spec.ready_within_s
        while not await self.spec.ready():
            if time.monotonic() > deadline:
                raise Unreachable(f"{self.spec.name} did not get ready. Its last lines:\n" + "\n".join(self._recent))
            if self.restarts > 3:
                raise Unreachable(f"{self.spec.name} ends at once. Its last lines:\n" + "\n".join(self._recent))
            await asyncio.sleep(_READY_POLL_S)

    async def stop(self) -> None:
        """Ask it to end, wait, and insist if it does not."""
        self._stopping = True
        process = self._process
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(self.spec.stop_signal)
            try:
                async with asyncio.timeout(_STOP_S):
                    await process.wait()
            except TimeoutError:
                self._output.line(self.spec.name, f"did not end within {_STOP_S:.0f} s, killed")
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper

    async def _spawn(self) -> None:
        user, group = self.spec.user or (None, None)
        self._process = await asyncio.create_subprocess_exec(
            *self.spec.argv,
            env={**os.environ, **self.spec.environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=_LINE_LIMIT,
            preexec_fn=_end_with_parent,
            user=user,
            group=group,
            extra_groups=None if user is None else [],
        )

    async def _keep(self) -> None:
        delay = _FIRST_DELAY_S
        while True:
            started = time.monotonic()
            assert self._process is not None  # noqa: S101 - _spawn came first
            await self._forward(self._process)
            code = await self._process.wait()
            if self._stopping:
                return
            if time.monotonic() - started > _STEADY_AFTER_S:
                delay = _FIRST_DELAY_S
            self.restarts += 1
            if self.spec.quiet:
                for line in self._recent:
                    self._output.line(self.spec.name, line)
            self._output.line(
                "supervisor", f"{self.spec.name} {_how_it_ended(code)}; starting it again in {delay:.1f} s"
            )
            await asyncio.sleep(delay)
            delay = min(delay * 2, _LONGEST_DELAY_S)
            await self._spawn()

    async def _forward(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None  # noqa: S101 - we asked for a pipe
        while raw := await self._next_line(process.stdout):
            line = raw.decode(errors="replace").rstrip()
            self._recent = [*self._recent[-19:], line]
            if not self.spec.quiet:
                self._output.line(self.spec.name, line)

    @staticmethod
    async def _next_line(stream: asyncio.StreamReader) -> bytes:
        try:
            return await stream.readline()
        except ValueError:  # a line beyond the limit: drop it, never stop reading or the child would block
            return b"(a very long line was left out)\n"


def _how_it_ended(code: int) -> str:
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with code {code}"


class Supervisor:
    """The children in the order of their start."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._children: dict[str, Child] = {}

    def child(self, name: str) -> Child:
        """The child of that name."""
        return self._children[name]

    def pids(self) -> dict[str, int]:
        """The process ids of those that run now."""
        return {name: child.pid for name, child in self._children.items() if child.pid is not None}

    async def start(self, spec: ChildSpec) -> Child:
        """Start one more child and wait until it can be used."""
        child = self._children[spec.name] = Child(spec, self._output)
        await child.start()
        return child

    async def start_together(self, *specs: ChildSpec) -> None:
        """Start several at once; ready when all are."""
        await asyncio.gather(*(self.start(spec) for spec in specs))

    async def stop(self) -> None:
        """End all, the last started first."""
        for name, child in reversed(self._children.items()):
            try:
                await child.stop()
            except (RondaError, OSError) as failure:
                self._output.line("supervisor", f"{name} could not be stopped: {failure}")
        self._children.clear()
