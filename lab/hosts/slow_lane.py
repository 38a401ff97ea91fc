"""Lossy and slow answers without kernel modules: a TUN device whose packets this process answers when it likes.

A degraded host's address is routed into this device instead of into the namespace.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import random
import struct
from pathlib import Path

from lab.hosts.host import HostError

TUN = Path("/dev/net/tun")
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
_ECHO_REQUEST, _ECHO_REPLY, _ICMP = 8, 0, 1


class SlowLane:
    """Answers echo requests to the addresses in `lanes` (address to loss from 0 to 1 and delay in ms)."""

    def __init__(self, device: str, seed: int = 1) -> None:
        self.device = device
        self.lanes: dict[str, tuple[float, float]] = {}
        self._dice = random.Random(seed)  # noqa: S311 - losses of a game, repeatable by seed
        self._file = -1

    def open(self) -> None:
        """Make the device; raises HostError where that is not allowed."""
        try:
            self._file = os.open(TUN, os.O_RDWR | os.O_NONBLOCK)
            name = self.device.encode()[:15]
            fcntl.ioctl(self._file, _TUNSETIFF, struct.pack("16sH22x", name, _IFF_TUN | _IFF_NO_PI))
        except OSError as error:
            self.close()
            raise HostError(f"no TUN device: {error}") from error
        asyncio.get_running_loop().add_reader(self._file, self._read)

    @property
    def is_open(self) -> bool:
        """Whether the device is there."""
        return self._file >= 0

    def close(self) -> None:
        """Remove the device."""
        if self._file >= 0:
            asyncio.get_running_loop().remove_reader(self._file)
            os.close(self._file)
            self._file = -1

    def _read(self) -> None:
        while self.is_open:
            try:
                packet = os.read(self._file, 65_535)
            except (BlockingIOError, OSError):
                return
            self._take(packet)

    def _take(self, packet: bytes) -> None:
        if len(packet) < 28 or packet[0] >> 4 != 4 or packet[9] != _ICMP:
            return
        header = (packet[0] & 15) * 4
        if len(packet) < header + 8 or packet[header] != _ECHO_REQUEST:
            return
        lane = self.lanes.get(".".join(str(byte) for byte in packet[16:20]))
        if lane is None or self._dice.random() < lane[0]:
            return
        late = lane[1] / 1000 * self._dice.uniform(0.7, 1.3)
        asyncio.get_running_loop().call_later(late, self._answer, echo_reply(packet, header))

    def _answer(self, packet: bytes) -> None:
        if self.is_open:
            try:
                os.write(self._file, packet)
            except OSError:
                return


def echo_reply(packet: bytes, header: int) -> bytes:
    """The reply to an IPv4 echo request: addresses swapped, type 0, checksum corrected."""
    body = bytearray(packet)
    body[12:16], body[16:20] = packet[16:20], packet[12:16]
    body[header] = _ECHO_REPLY
    body[header + 2 : header + 4] = b"\0\0"
    body[header + 2 : header + 4] = checksum(bytes(body[header:])).to_bytes(2, "big")
    return bytes(body)


def checksum(content: bytes) -> int:
    """The Internet checksum of RFC 1071."""
    if len(content) % 2:
        content += b"\0"
    total: int = sum(struct.unpack(f"!{len(content) // 2}H", content))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
