"""ICMP errors about our requests: quoted in band on raw sockets, in the socket's error queue on unprivileged ones."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from services.poller.adapters.icmp_packets import Quoted, quoted_echo, quoted_request
from services.poller.adapters.icmp_sockets import IP_RECVERR, IPV6_RECVERR, EchoSocket
from shared.contracts.vocabulary import ProbeFailure

_EXTENDED_ERROR = struct.Struct("=IBBBBII")  # errno, origin, type, code, pad, info, data (linux/errqueue.h)
_ORIGINS = {2, 3}  # SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6; the others are our own machine's
_AT_MOST = 512

_UNREACHABLE = {socket.AF_INET: 3, socket.AF_INET6: 1}
_TIME_EXCEEDED = {socket.AF_INET: 11, socket.AF_INET6: 3}
_PARAMETER_PROBLEM = {socket.AF_INET: 12, socket.AF_INET6: 4}
# Network, host, communication administratively prohibited (RFC 1812 §5.2.7.1);
# administratively prohibited, source address failed policy, reject route (RFC 4443 §3.1).
_PROHIBITED = {socket.AF_INET: frozenset({9, 10, 13}), socket.AF_INET6: frozenset({1, 5, 6})}
_FRAGMENT_TOO_BIG = {socket.AF_INET: 4}  # code of "unreachable"; IPv6 has a type of its own


@dataclass(frozen=True, slots=True)
class Refusal:
    """Somebody said that a request of ours will not arrive: what, about which one, and who said it."""

    failure: ProbeFailure
    quoted: Quoted
    by: str


def failure_of(family: socket.AddressFamily, kind: int, code: int) -> ProbeFailure | None:
    """What an ICMP error means for a probe. None: a matter of packet sizes, which the kernel learns from; the probe
    itself stays unanswered."""
    if kind == _TIME_EXCEEDED[family]:
        return ProbeFailure.TTL_EXCEEDED if code == 0 else None  # 1: fragments that did not arrive in time
    if kind == _PARAMETER_PROBLEM[family]:
        return ProbeFailure.UNREACHABLE
    if kind != _UNREACHABLE[family] or code == _FRAGMENT_TOO_BIG.get(family):
        return None
    return ProbeFailure.PROHIBITED if code in _PROHIBITED[family] else ProbeFailure.UNREACHABLE


def refusal_in(packet: bytes, start: int, by: str, echo: EchoSocket, identifier: int, nonce: int) -> Refusal | None:
    """What an ICMP error on a raw socket says; None: it is another program's, or of no interest."""
    if len(packet) < start + 2:
        return None
    failure = failure_of(echo.family, packet[start], packet[start + 1])
    quoted = quoted_request(packet, start, echo.family, identifier, nonce)
    return Refusal(failure, quoted, by) if failure and quoted else None


class ErrorQueue:
    """The error queue of an unprivileged socket; empty for raw ones."""

    def __init__(self, echo: EchoSocket, nonce: int) -> None:
        self._echo = echo
        self._nonce = nonce

    def read(self) -> Iterator[Refusal]:
        """Take all errors that wait."""
        if self._echo.raw:
            return
        for _ in range(_AT_MOST):
            try:
                packet, ancillary, _flags, address = self._echo.sock.recvmsg(512, 512, socket.MSG_ERRQUEUE)
            except OSError:
                return  # nothing there (any more)
            for part in ancillary:
                refusal = self._refusal(packet, part, str(address[0]) if address else "")
                if refusal is not None:
                    yield refusal

    def _refusal(self, packet: bytes, part: tuple[int, int, bytes], destination: str) -> Refusal | None:
        level, kind, content = part
        if (level, kind) not in {(socket.IPPROTO_IP, IP_RECVERR), (socket.IPPROTO_IPV6, IPV6_RECVERR)}:
            return None
        if len(content) < _EXTENDED_ERROR.size:
            return None
        _errno, origin, icmp_type, code, *_ = _EXTENDED_ERROR.unpack_from(content)
        failure = failure_of(self._echo.family, icmp_type, code) if origin in _ORIGINS else None
        quoted = quoted_echo(packet, 0, self._echo.family, destination, None, self._nonce)
        return Refusal(failure, quoted, self._offender(content)) if failure and quoted else None

    def _offender(self, content: bytes) -> str:
        """Who sent the error: the address that follows in the same message (SO_EE_OFFENDER)."""
        begin = _EXTENDED_ERROR.size + (4 if self._echo.family == socket.AF_INET else 8)
        size = 4 if self._echo.family == socket.AF_INET else 16
        found = content[begin : begin + size]
        return socket.inet_ntop(self._echo.family, found) if len(found) == size else ""
