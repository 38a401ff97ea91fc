"""ICMP errors about our requests: quoted in band on raw sockets, in the socket's error queue on unprivileged ones."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

from services.poller.adapters.icmp_packets import quoted_echo, quoted_request
from services.poller.adapters.icmp_sockets import IP_RECVERR, IPV6_RECVERR, EchoSocket

About = tuple[int, int | None, str]  # sequence, counter if the cookie was quoted, destination ("" if unknown)
_EXTENDED_ERROR = struct.Struct("=IBBBBII")  # errno, origin, type, code, pad, info, data (linux/errqueue.h)
_ORIGINS = {2, 3}  # SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6; the others are our own machine's
_AT_MOST = 512


def error_about(packet: bytes, start: int, echo: EchoSocket, identifier: int, nonce: int) -> About | None:
    """Which request an ICMP error on a raw socket is about; None: another program's."""
    quoted = quoted_request(packet, start, echo.family, identifier, nonce)
    return (quoted.sequence, quoted.counter, quoted.destination) if quoted else None


class ErrorQueue:
    """The error queue of an unprivileged socket; empty for raw ones."""

    def __init__(self, echo: EchoSocket, nonce: int) -> None:
        self._echo = echo
        self._nonce = nonce

    def read(self) -> Iterator[About]:
        """Take all errors that wait."""
        if self._echo.raw:
            return
        for _ in range(_AT_MOST):
            try:
                packet, ancillary, _flags, address = self._echo.sock.recvmsg(512, 512, socket.MSG_ERRQUEUE)
            except OSError:
                return  # nothing there (any more)
            if not any(_from_network(*part) for part in ancillary):
                continue
            destination = str(address[0]) if address else ""
            quoted = quoted_echo(packet, 0, self._echo.family, destination, None, self._nonce)
            if quoted is not None:
                yield quoted.sequence, quoted.counter, quoted.destination


def _from_network(level: int, kind: int, content: bytes) -> bool:
    if (level, kind) not in {(socket.IPPROTO_IP, IP_RECVERR), (socket.IPPROTO_IPV6, IPV6_RECVERR)}:
        return False
    return len(content) >= _EXTENDED_ERROR.size and _EXTENDED_ERROR.unpack_from(content)[1] in _ORIGINS
