"""TCP probe: the host lives if its port accepts a connection. Works without any right, also where ICMP does not."""

from __future__ import annotations

import asyncio
import errno
import socket
import time

from services.poller.ports import Asker, Target
from shared.contracts.vocabulary import ProbeFailure

_AT_ONCE = 256  # connections being opened: below the usual limit of 1,024 files
_REFUSED = frozenset({errno.ECONNREFUSED, errno.ECONNRESET})
_UNREACHABLE = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EACCES})


class TcpProbe:
    """Opens and closes a connection per probe, with a reset, so that neither side keeps a closed one waiting."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._running: set[asyncio.Task[None]] = set()

    def ask(self, target: Target, number: int, timeout_s: float, asker: Asker) -> None:
        """See `ports.Probe`."""
        task = asyncio.create_task(self._connect(target, number, timeout_s, asker), name=f"tcp {target.address}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def close(self) -> None:
        """Give up what runs; probes in flight are not reported."""
        for task in tuple(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _connect(self, target: Target, number: int, timeout_s: float, asker: Asker) -> None:
        async with self._turn:
            began = time.monotonic()
            try:
                async with asyncio.timeout(timeout_s):
                    await _open_and_close(target)
            except TimeoutError:
                asker.loss(number, time.monotonic() - began, ProbeFailure.TIMEOUT)
            except OSError as refused:
                _tell(refused, number, time.monotonic() - began, asker)
            else:
                asker.answer(number, (time.monotonic() - began) * 1000)


def _tell(problem: OSError, number: int, age_s: float, asker: Asker) -> None:
    if problem.errno in _REFUSED:
        asker.loss(number, age_s, ProbeFailure.REFUSED)
    elif problem.errno in _UNREACHABLE:
        asker.loss(number, age_s, ProbeFailure.UNREACHABLE)
    elif problem.errno == errno.ETIMEDOUT:
        asker.loss(number, age_s, ProbeFailure.TIMEOUT)
    else:  # no files or no ports left, no such address family: our own trouble
        asker.blind(number, f"cannot open a connection: {problem.strerror}")


async def _open_and_close(target: Target) -> None:
    family = socket.AF_INET6 if ":" in target.address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        await asyncio.get_running_loop().sock_connect(sock, (target.address, target.port or 0))
