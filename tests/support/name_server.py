"""A name server for tests, by UDP and TCP on one port, that answers from a table. Its packets are its own."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

KINDS = {1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 15: "MX", 16: "TXT", 28: "AAAA"}


def wire_name(name: str) -> bytes:
    return b"".join(bytes((len(label),)) + label.encode() for label in name.split(".") if label) + b"\0"


@dataclass
class NameServer:
    """`records[name, kind]` are the values as bytes; a name without any is unknown (code 3)."""

    records: dict[tuple[str, str], list[bytes]] = field(default_factory=dict)
    code: int = 0
    silent: bool = False
    cut_udp: bool = False  # says by UDP that the answer does not fit
    forged_first: bool = False  # a packet with another number comes before the true one
    port: int = 0
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    def answers(self, packet: bytes, way: str) -> list[bytes]:
        """What is sent back for a question."""
        end = packet.index(0, 12)
        labels, at = [], 12
        while at < end:
            labels.append(packet[at + 1 : at + 1 + packet[at]].decode())
            at += 1 + packet[at]
        name, kind = ".".join(labels), KINDS[struct.unpack(">H", packet[end + 1 : end + 3])[0]]
        self.asked.append((way, name, kind))
        if self.silent:
            return []
        values = self.records.get((name.lower(), kind), [])
        known = any(entry[0] == name.lower() for entry in self.records)
        code = self.code or (0 if known else 3)
        if way == "udp" and self.cut_udp:
            head = packet[:2] + struct.pack(">HHHHH", 0x8380, 1, 0, 0, 0)
            return [head + packet[12 : end + 5]]
        head = packet[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, len(values), 0, 0)
        # Names of answers point back to the question, as real servers write them.
        rows = b"".join(
            b"\xc0\x0c" + packet[end + 1 : end + 5] + struct.pack(">IH", 60, len(value)) + value for value in values
        )
        true = head + packet[12 : end + 5] + rows
        forged = bytes((packet[0] ^ 0xFF,)) + true[1:]
        return [forged, true] if self.forged_first else [true]


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, server: NameServer) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, packet: bytes, peer: tuple[str, int]) -> None:
        for answer in self._server.answers(packet, "udp"):
            self._transport.sendto(answer, peer)


@asynccontextmanager
async def name_server(server: NameServer) -> AsyncIterator[NameServer]:
    """Serve on 127.0.0.1; the port is in `server.port`."""

    async def by_tcp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        size = struct.unpack(">H", await reader.readexactly(2))[0]
        for answer in server.answers(await reader.readexactly(size), "tcp"):
            writer.write(struct.pack(">H", len(answer)) + answer)
        await writer.drain()
        writer.close()

    tcp = await asyncio.start_server(by_tcp, "127.0.0.1", 0)
    server.port = tcp.sockets[0].getsockname()[1]
    udp, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Udp(server), local_addr=("127.0.0.1", server.port)
    )
    try:
        yield server
    finally:
        udp.close()
        tcp.close()
        await tcp.wait_closed()
        await asyncio.sleep(0)
