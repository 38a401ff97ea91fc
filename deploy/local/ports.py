"""Ports that are free now, the standard ones first, and promised to one run at a time.

Between choosing a port and listening on it seconds pass, in which another run may choose the same. So every run claims
what it chooses under a name that belongs to the machine (an abstract socket of Linux: it needs no file and goes with
the process). Elsewhere nothing is claimed, and runs should not be started in the same seconds.
"""

from __future__ import annotations

import socket
import sys
from types import TracebackType
from typing import Self

HIGHEST = 65535
_TRIES = 50


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def choose_any(host: str = "127.0.0.1") -> int:
    """A free port that the system picks, promised to nobody."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


class Claims:
    """The ports of one run. On leaving the context they are anybody's again."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self._host = host
        self._claimed: dict[int, socket.socket | None] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in self._claimed.values():
            if name is not None:
                name.close()
        self._claimed.clear()

    def choose(self, standard: int) -> int:
        """The standard port if it is free, else the next free one above it, else any free one."""
        for port in range(standard, min(standard + _TRIES, HIGHEST) + 1):
            if is_free(port, self._host) and self._claim(port):
                return port
        return self.choose_any()

    def choose_any(self) -> int:
        """A free port that the system picks."""
        while not self._claim(port := choose_any(self._host)):
            pass
        return port

    def _claim(self, port: int) -> bool:
        if port in self._claimed:
            return False
        name: socket.socket | None = None
        if sys.platform == "linux":
            name = socket.socket(socket.AF_UNIX)
            try:
                name.bind(f"\0ronda-port-{self._host}-{port}")
            except OSError:
                name.close()
                return False
        self._claimed[port] = name
        return True
