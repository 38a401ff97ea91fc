"""Opening the one socket per address family, with the least right that does.

First an unprivileged ICMP socket (Linux allows it to the groups in `net.ipv4.ping_group_range`, for both families),
then a raw one (CAP_NET_RAW) with a filter in the kernel, so that others on this machine who ping do not wake us.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import socket
import struct
from dataclasses import dataclass

from services.poller.adapters.icmp_packets import ECHO_REPLY, ERRORS
from shared.errors import NotAllowed

SO_ATTACH_FILTER = 26
SO_TIMESTAMPNS = 35
SO_RCVBUFFORCE = 33
IP_RECVERR = 11
IPV6_RECVERR = 25
ICMP6_FILTER = 1
_RECEIVE_BUFFER = 4 << 20  # bytes: the answers of 5,000 hosts that are asked within one slot, and room to spare

# Classic BPF opcodes (linux/filter.h).
_LOAD_BYTE, _LOAD_HALF, _LOAD_WORD = 0x50, 0x48, 0x40  # at X + k
_X_IS_IP_HEADER_LENGTH = 0xB1
_X_IS_CONSTANT = 0x01
_JUMP_EQUAL, _RETURN = 0x15, 0x06
_ALL, _NONE = 0x40000, 0

ADVICE = (
    "ICMP is not permitted here: put the service's group into the sysctl net.ipv4.ping_group_range "
    '(e.g. sysctl -w net.ipv4.ping_group_range="0 2147483647") or give the program CAP_NET_RAW'
)


@dataclass(frozen=True, slots=True)
class EchoSocket:
    """A non-blocking ICMP socket. `raw`: we check identifiers ourselves and, with IPv4, get IP headers."""

    family: socket.AddressFamily
    sock: socket.socket
    raw: bool

    @property
    def with_ip_header(self) -> bool:
        """Whether received packets begin with an IP header."""
        return self.raw and self.family == socket.AF_INET


def open_echo_socket(family: socket.AddressFamily, identifier: int, nonce: int) -> EchoSocket:
    """The best socket we may have. Raises NotAllowed with advice, or naming the missing address family."""
    protocol = socket.IPPROTO_ICMP if family == socket.AF_INET else socket.IPPROTO_ICMPV6
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            sock = socket.socket(family, kind | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, protocol)
        except OSError as refused:
            if refused.errno == errno.EAFNOSUPPORT:
                raise NotAllowed(f"this machine has no {family.name[3:]}") from refused
            continue
        echo = EchoSocket(family, sock, raw=kind == socket.SOCK_RAW)
        _prepare(echo, identifier, nonce)
        return echo
    raise NotAllowed(ADVICE)


def _prepare(echo: EchoSocket, identifier: int, nonce: int) -> None:
    sock = echo.sock
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
    with contextlib.suppress(PermissionError):  # root may go beyond net.core.rmem_max
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, _RECEIVE_BUFFER)
    if not echo.raw:
        level, option = (socket.IPPROTO_IP, IP_RECVERR)
        if echo.family == socket.AF_INET6:
            level, option = (socket.IPPROTO_IPV6, IPV6_RECVERR)
        sock.setsockopt(level, option, 1)
        return
    if echo.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_ICMPV6, ICMP6_FILTER, _icmp6_filter())
    _attach(sock, _filter(echo.family, identifier, nonce))
    _drain(sock)  # what came in between socket() and the filter


def _icmp6_filter() -> bytes:
    """Bits set are types blocked (RFC 3542): all but echo replies and errors."""
    blocked = [0xFFFFFFFF] * 8
    for kind in (ECHO_REPLY[socket.AF_INET6], *ERRORS[socket.AF_INET6]):
        blocked[kind >> 5] &= ~(1 << (kind & 31))
    return struct.pack("=8I", *blocked)


def _filter(family: socket.AddressFamily, identifier: int, nonce: int) -> list[tuple[int, int, int, int]]:
    """Pass our echo replies (identifier and nonce) and errors that quote our identifier.

    The identifier and the nonce lie in the packet in this machine's byte order; the filter reads in the network's. The
    kernel shows raw IPv4 sockets the IP header and raw IPv6 sockets none. In errors our own IP header is quoted, which
    never has options.
    """
    v4 = family == socket.AF_INET
    quoted = 8 + (20 if v4 else 40)  # from the error's header to the request's
    start = (_X_IS_IP_HEADER_LENGTH, 0, 0, 0) if v4 else (_X_IS_CONSTANT, 0, 0, 0)
    errors = sorted(ERRORS[family])
    program = [start, (_LOAD_BYTE, 0, 0, 0), (_JUMP_EQUAL, len(errors), 0, ECHO_REPLY[family])]
    for place, kind in enumerate(errors):
        program.append((_JUMP_EQUAL, len(errors) - 1 - place + 5, 0 if place < len(errors) - 1 else 7, kind))
    program += [
        (_LOAD_HALF, 0, 0, 4),
        (_JUMP_EQUAL, 0, 5, socket.htons(identifier)),
        (_LOAD_WORD, 0, 0, 8),
        (_JUMP_EQUAL, 0, 3, socket.htonl(nonce)),
        (_RETURN, 0, 0, _ALL),
        (_LOAD_HALF, 0, 0, quoted + 4),
        (_JUMP_EQUAL, 1, 0, socket.htons(identifier)),
        (_RETURN, 0, 0, _NONE),
        (_RETURN, 0, 0, _ALL),
    ]
    return program


def _attach(sock: socket.socket, program: list[tuple[int, int, int, int]]) -> None:
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in program))
    pointer = struct.pack("@HP", len(program), ctypes.addressof(code))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, pointer)


def _drain(sock: socket.socket) -> None:
    with contextlib.suppress(BlockingIOError):
        while True:
            sock.recv(1)
