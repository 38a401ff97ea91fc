"""TCP probe: the host lives if its port accepts a connection. Works without any right, also where ICMP does not."""

from __future__ import annotations

import asyncio
import socket

from services.poller.adapters.tasked import TaskedProbe
from services.poller.ports import Target


class TcpProbe(TaskedProbe):
    """Opens and closes a connection per probe, with a reset, so that neither side keeps a closed one waiting."""

    async def try_once(self, target: Target, timeout_s: float) -> None:  # noqa: ARG002
        with tcp_socket(target.address) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            await asyncio.get_running_loop().sock_connect(sock, (target.address, target.port or 0))


def tcp_socket(address: str) -> socket.socket:
    """A socket that can reach this numeric address and never blocks."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
