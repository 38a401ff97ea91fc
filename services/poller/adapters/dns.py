"""DNS probe: the host, asked as a name server, answers with the record that is expected."""

from __future__ import annotations

import asyncio
import secrets
import socket
import struct

from services.poller.adapters.tasked import CannotAsk, ProbeLost, TaskedProbe
from services.poller.adapters.tcp import tcp_socket
from services.poller.core.dns_packets import DnsAnswer, answer_to, lacks, question
from services.poller.ports import Target
from shared.contracts.vocabulary import ProbeFailure
from shared.errors import Invalid

PORT = 53
_BIGGEST = 65_535


class DnsProbe(TaskedProbe):
    """One question by UDP, and again by TCP if the answer does not fit. A lost packet is a lost probe: no repeating."""

    async def try_once(self, target: Target, timeout_s: float) -> None:  # noqa: ARG002
        check = target.host.dns if target.host is not None else None
        if check is None:
            raise CannotAsk("this host has no record to ask for: give it a name")
        try:
            asked = question(secrets.randbits(16), check.name, check.record.upper())
        except Invalid as wrong:
            raise CannotAsk(str(wrong)) from wrong
        where = (target.address, target.port or PORT)
        try:
            answer = await _by_udp(where, asked)
            if answer.truncated:
                answer = await _by_tcp(where, asked)
        except Invalid as broken:
            raise ProbeLost(ProbeFailure.WRONG_ANSWER) from broken
        if answer.code or not answer.values or lacks(answer.values, check.expected):
            raise ProbeLost(ProbeFailure.WRONG_ANSWER)


async def _by_udp(where: tuple[str, int], asked: bytes) -> DnsAnswer:
    """The first packet from that very server and port that answers the question; all others are passed over."""
    family = socket.AF_INET6 if ":" in where[0] else socket.AF_INET
    loop = asyncio.get_running_loop()
    with socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC) as sock:
        sock.connect(where)  # the kernel drops what others send, and tells when the port is closed
        await loop.sock_sendall(sock, asked)
        while True:
            if (answer := answer_to(asked, await loop.sock_recv(sock, _BIGGEST))) is not None:
                return answer


async def _by_tcp(where: tuple[str, int], asked: bytes) -> DnsAnswer:
    loop = asyncio.get_running_loop()
    with tcp_socket(where[0]) as sock:
        await loop.sock_connect(sock, where)
        await loop.sock_sendall(sock, struct.pack(">H", len(asked)) + asked)
        length = struct.unpack(">H", await _exactly(sock, 2))[0]
        answer = answer_to(asked, await _exactly(sock, length))
    if answer is None or answer.truncated:
        raise Invalid("the name server answered something else")
    return answer


async def _exactly(sock: socket.socket, size: int) -> bytes:
    received = bytearray()
    while len(received) < size:
        part = await asyncio.get_running_loop().sock_recv(sock, size - len(received))
        if not part:
            raise Invalid("the name server ended the connection")
        received += part
    return bytes(received)
