"""Echo requests and what comes back for them, as bytes.

Every request carries a cookie of 64 bits: 32 that this process chose at random and a counter of 32, which lasts for
five days at 10,000 probes a second and then begins anew, long after its probes are forgotten. The sequence number of
16 bits is the counter's lower half; it decides only when a router quotes too little of our packet (RFC 792 asks for
8 bytes). All of these are the sender's own affair (RFC 792: "may be used by the echo sender"), so they are written in
this machine's byte order, which lets `struct` take a whole batch apart in one call.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

ECHO_REQUEST = {socket.AF_INET: 8, socket.AF_INET6: 128}
ECHO_REPLY = {socket.AF_INET: 0, socket.AF_INET6: 129}
# Destination unreachable, (v4: source route failed lies within,) packet too big, time exceeded, parameter problem.
ERRORS = {socket.AF_INET: frozenset({3, 11, 12}), socket.AF_INET6: frozenset({1, 2, 3, 4})}

HEADER = 8  # bytes of an echo request before its payload
_MARK = b"ronda watch-man."  # 16 bytes for whoever sniffs and wonders
PACKET = HEADER + 8 + len(_MARK)  # bytes of the smallest request: 24 of payload
FIELDS = struct.Struct("=HHHII")  # checksum, identifier, sequence, nonce, counter; from the third byte on
_QUOTED = struct.Struct("=HH")  # identifier, sequence
_COOKIE = struct.Struct("=II")
_V4_HEADER, _V6_HEADER = 20, 40


@dataclass(frozen=True, slots=True)
class Quoted:
    """An ICMP error about one of our requests. `counter` is exact if the cookie was quoted, else its lower half."""

    sequence: int
    counter: int | None
    destination: str


class EchoRequest:
    """What all our requests have in common. Zeros that follow make a request longer and its checksum no other."""

    def __init__(self, family: socket.AddressFamily, identifier: int, nonce: int) -> None:
        self.identifier = identifier
        self.nonce = nonce
        self.packet = bytearray(bytes((ECHO_REQUEST[family], 0)) + bytes(FIELDS.size) + _MARK)
        FIELDS.pack_into(self.packet, 2, 0, identifier, 0, nonce, 0)
        self.constant_sum: int = sum(struct.unpack(f"={len(self.packet) // 2}H", self.packet))

    def checksum(self, counter: int) -> int:
        """Of the request number `counter` (RFC 1071); IPv6 and unprivileged sockets overwrite it."""
        total = self.constant_sum + (counter >> 16) + 2 * (counter & 0xFFFF)
        total = (total & 0xFFFF) + (total >> 16)
        return (total & 0xFFFF) + (total >> 16) ^ 0xFFFF

    def fill(self, counter: int) -> bytearray:
        """The request number `counter`."""
        fields = self.checksum(counter), self.identifier, counter & 0xFFFF, self.nonce, counter
        FIELDS.pack_into(self.packet, 2, *fields)
        return self.packet


def icmp_offset(packet: bytearray | bytes, *, with_ip_header: bool) -> int:
    """Where the ICMP header begins: raw IPv4 sockets hand out the IP header, too."""
    return (packet[0] & 0x0F) * 4 if with_ip_header else 0


def reply_counter(packet: bytearray | bytes, start: int, size: int, nonce: int) -> int | None:
    """The counter of an echo reply, or None if the cookie is not ours."""
    if size < start + 16:
        return None
    found, counter = _COOKIE.unpack_from(packet, start + 8)
    return counter if found == nonce else None


def quoted_request(
    packet: bytes, start: int, family: socket.AddressFamily, identifier: int, nonce: int
) -> Quoted | None:
    """Which of our requests an ICMP error (whose header begins at `start`) is about; None: not ours."""
    inner = start + 8
    if len(packet) < inner + _V4_HEADER:
        return None
    if family == socket.AF_INET:
        request = inner + (packet[inner] & 0x0F) * 4
        destination = socket.inet_ntop(family, packet[inner + 16 : inner + 20])
    else:
        request = inner + _V6_HEADER
        destination = socket.inet_ntop(family, packet[inner + 24 : inner + 40]) if len(packet) >= request else ""
    return quoted_echo(packet, request, family, destination, identifier, nonce)


def quoted_echo(
    packet: bytes, request: int, family: socket.AddressFamily, destination: str, identifier: int | None, nonce: int
) -> Quoted | None:
    """Our echo request at offset `request` of a quotation; `identifier` None: the kernel has checked it."""
    if len(packet) < request + 8 or packet[request] != ECHO_REQUEST[family]:
        return None
    found, sequence = _QUOTED.unpack_from(packet, request + 4)
    if identifier is not None and found != identifier:
        return None
    if len(packet) < request + 16:
        return Quoted(sequence, None, destination)
    cookie_nonce, counter = _COOKIE.unpack_from(packet, request + 8)
    return Quoted(sequence, counter, destination) if cookie_nonce == nonce else None
