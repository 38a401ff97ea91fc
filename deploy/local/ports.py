"""Ports that are free now, the standard ones first."""

from __future__ import annotations

import socket
from collections.abc import Iterable

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


def choose(standard: int, taken: Iterable[int] = (), host: str = "127.0.0.1") -> int:
    """The standard port if it is free, else the next free one above it, else any free one."""
    excluded = set(taken)
    for port in range(standard, min(standard + _TRIES, HIGHEST) + 1):
        if port not in excluded and is_free(port, host):
            return port
    return choose_any(excluded, host)


def choose_any(taken: Iterable[int] = (), host: str = "127.0.0.1") -> int:
    """A free port that the system picks, none of those already promised."""
    excluded = set(taken)
    while True:
        with socket.socket() as probe:
            probe.bind((host, 0))
            port = int(probe.getsockname()[1])
        if port not in excluded:
            return port
