"""The ICMP engine: one socket per address family for the whole process, thousands of hosts per second.

Callbacks instead of coroutines, one refilled packet, a table of what is in flight by cookie, and one timer for all
timeouts: asking a host costs some ten microseconds, so 10,000 hosts a second fit into a fraction of a core. This is
the one place where speed decides the form; what replies mean is decided in `core.judge`.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import secrets
import socket
import struct
import time
from collections import deque
from typing import NamedTuple

from services.poller.adapters.icmp_errors import ErrorQueue, error_about
from services.poller.adapters.icmp_packets import ECHO_REPLY, EchoRequest, icmp_offset, reply_counter
from services.poller.adapters.icmp_sockets import EchoSocket, open_echo_socket
from services.poller.core.schedule import TimeWheel
from services.poller.ports import Asker, Target
from shared.contracts.vocabulary import ProbeFailure
from shared.errors import NotAllowed

LATE_S = 2.0  # how long after its timeout an answer still proves life
_PACKETS_PER_TURN = 512  # read at most before the event loop may do something else
_TIMESPEC = struct.Struct("@qq")
_TIMESTAMP_LEVEL, _TIMESTAMP_TYPE = socket.SOL_SOCKET, 35
_ANCILLARY_SIZE = socket.CMSG_SPACE(_TIMESPEC.size) + 64
_FULL = frozenset({errno.EAGAIN, errno.ENOBUFS})


class Flight(NamedTuple):
    """A probe that was sent."""

    asker: Asker
    number: int
    address: str
    sent: float  # monotonic seconds
    sent_wall_ns: int  # the clock that the kernel stamps packets with


class EchoFamily:
    """The engine for one address family. Made inside a running loop; `close` ends it."""

    def __init__(self, family: socket.AddressFamily) -> None:
        """Raises NotAllowed, with advice, if this machine or our rights do not let us."""
        self._loop = asyncio.get_running_loop()
        self._identifier, self._nonce = secrets.randbelow(0xFFFF) + 1, secrets.randbits(32)
        self._echo: EchoSocket = open_echo_socket(family, self._identifier, self._nonce)
        self._sock = self._echo.sock
        self._request = EchoRequest(family, self._identifier, self._nonce)
        self._errors = ErrorQueue(self._echo, self._nonce)
        self._counter = secrets.randbits(16)
        self._flights: dict[int, Flight] = {}
        self._late: dict[int, Flight] = {}
        self._timeouts: TimeWheel[int] = TimeWheel()
        self._too_late: TimeWheel[int] = TimeWheel(0.1)
        self._timer: asyncio.TimerHandle | None = None
        self._unsent: deque[tuple[Target, int, float, Asker]] = deque()
        self._buffer = bytearray(2048)
        self._loop.add_reader(self._sock.fileno(), self._readable)

    @property
    def raw(self) -> bool:
        """Whether this needed CAP_NET_RAW."""
        return self._echo.raw

    @property
    def in_flight(self) -> int:
        """Probes whose result is open."""
        return len(self._flights)

    def close(self) -> None:
        """End at once; probes in flight are not reported."""
        self._loop.remove_reader(self._sock.fileno())
        self._loop.remove_writer(self._sock.fileno())
        if self._timer is not None:
            self._timer.cancel()
        self._sock.close()

    # ── sending ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def ask(self, target: Target, number: int, timeout_s: float, asker: Asker) -> None:
        """See `ports.Probe`."""
        counter = self._counter = (self._counter + 1) & 0xFFFFFFFF
        packet = self._request.fill(counter)
        sent = time.monotonic()
        flight = Flight(asker, number, target.address, sent, time.time_ns())
        try:
            self._sock.sendto(packet, (target.address, 0))
        except OSError as problem:
            if not self._send_again(packet, target, number, timeout_s, asker, problem):
                return
        self._flights[counter] = flight
        deadline = sent + timeout_s
        self._timeouts.add(deadline, counter)
        if self._timer is None or deadline < self._timer.when() - 0.01:
            self._set_timer()

    def _send_again(
        self,
        packet: bytearray,
        target: Target,
        number: int,
        timeout_s: float,
        asker: Asker,
        problem: OSError,
    ) -> bool:
        """Whether the packet left after all. An unprivileged socket may report an older error on this call."""
        if problem.errno in _FULL:
            if not self._unsent:
                self._loop.add_writer(self._sock.fileno(), self._writable)
            self._unsent.append((target, number, timeout_s, asker))
            return False
        self._read_errors()
        try:
            self._sock.sendto(packet, (target.address, 0))
        except OSError as again:
            # Later, never inside `ask`: askers may rely on being told after it has returned.
            self._loop.call_soon(asker.blind, number, f"cannot send to {target.address}: {again.strerror}")
            return False
        return True

    def _writable(self) -> None:
        self._loop.remove_writer(self._sock.fileno())
        waiting, self._unsent = self._unsent, deque()
        for target, number, timeout_s, asker in waiting:
            self.ask(target, number, timeout_s, asker)

    # ── receiving ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _readable(self) -> None:
        """Read what has arrived; the kernel's receive times stay true however late we come."""
        sock, buffer = self._sock, self._buffer
        for _ in range(_PACKETS_PER_TURN):
            try:
                size, ancillary, _flags, _source = sock.recvmsg_into((buffer,), _ANCILLARY_SIZE)
            except BlockingIOError:
                break
            except OSError:  # an error of an unprivileged socket: the queue tells whose it is
                break
            self._take(buffer, size, ancillary)
        if not self._echo.raw:
            self._read_errors()

    def _take(self, buffer: bytearray, size: int, ancillary: list[tuple[int, int, bytes]]) -> None:
        start = icmp_offset(buffer, with_ip_header=self._echo.with_ip_header)
        if size <= start:
            return
        if buffer[start] != ECHO_REPLY[self._echo.family]:
            self._refused(error_about(bytes(buffer[:size]), start, self._echo, self._identifier, self._nonce))
            return
        counter = reply_counter(buffer, start, size, self._nonce)
        if counter is None:
            return
        flight = self._flights.pop(counter, None) or self._late.pop(counter, None)
        if flight is not None:
            flight.asker.answer(flight.number, _rtt_ms(flight, ancillary))

    def _read_errors(self) -> None:
        for quoted in self._errors.read():
            self._refused(quoted)

    def _refused(self, quoted: tuple[int, int | None, str] | None) -> None:
        """A router or the host itself said that our packet cannot arrive."""
        if quoted is None:
            return
        sequence, counter, destination = quoted
        if counter is None:
            counter = (self._counter & ~0xFFFF) | sequence
            counter = counter if counter <= self._counter else counter - 0x10000
        flight = self._flights.get(counter)
        if flight is None or destination not in {"", flight.address}:
            return
        del self._flights[counter]
        flight.asker.loss(flight.number, time.monotonic() - flight.sent, ProbeFailure.UNREACHABLE)

    # ── giving up ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        moments = [at for at in (self._timeouts.next_at(), self._too_late.next_at()) if at is not None]
        if moments:
            self._timer = self._loop.call_at(min(moments), self._expire)

    def _expire(self) -> None:
        # What has arrived already must be read first: a process that was stopped for a while finds the answers of
        # that time in its socket, and they are no losses.
        self._readable()
        now = time.monotonic()
        for counter in self._timeouts.due(now):
            flight = self._flights.pop(counter, None)
            if flight is not None:
                self._late[counter] = flight
                self._too_late.add(now + LATE_S, counter)
                flight.asker.loss(flight.number, now - flight.sent, ProbeFailure.TIMEOUT)
        for counter in self._too_late.due(now):
            self._late.pop(counter, None)
        self._timer = None
        self._set_timer()


class IcmpProbe:
    """ICMP for both families. A family that is not to be had makes its hosts unknown, with the reason."""

    def __init__(self) -> None:
        self.refusals: dict[int, str] = {}
        self._families: dict[int, EchoFamily] = {}
        for version, family in ((4, socket.AF_INET), (6, socket.AF_INET6)):
            try:
                self._families[version] = EchoFamily(family)
            except NotAllowed as refused:
                self.refusals[version] = str(refused)

    @property
    def permitted(self) -> bool:
        """Whether ICMP works at all here."""
        return bool(self._families)

    def ask(self, target: Target, number: int, timeout_s: float, asker: Asker) -> None:
        """See `ports.Probe`."""
        version = 6 if ":" in target.address else 4
        family = self._families.get(version)
        if family is None:
            asyncio.get_running_loop().call_soon(asker.blind, number, self.refusals.get(version, "closed"))
            return
        family.ask(target, number, timeout_s, asker)

    def close(self) -> None:
        """Close the sockets."""
        for family in self._families.values():
            family.close()
        self._families.clear()


def _rtt_ms(flight: Flight, ancillary: list[tuple[int, int, bytes]]) -> float:
    """From sending to the kernel's receive time; by our own clock if somebody set the machine's clock in between."""
    longest = time.monotonic() - flight.sent
    for level, kind, content in ancillary:
        if level == _TIMESTAMP_LEVEL and kind == _TIMESTAMP_TYPE:
            with contextlib.suppress(struct.error):
                seconds, nanoseconds = _TIMESPEC.unpack_from(content)
                rtt: float = (seconds * 1_000_000_000 + nanoseconds - flight.sent_wall_ns) / 1e9
                if 0.0 <= rtt <= longest:
                    return rtt * 1000
    return longest * 1000
