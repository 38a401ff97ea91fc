"""The ICMP engine: one socket per address family for the whole process, thousands of hosts per second.

Callbacks instead of coroutines, batches instead of packets, a table of what is in flight by cookie, and one timer for
all timeouts: a host is asked and heard in some ten microseconds, most of them the kernel's. This is the one place where
speed decides the form (docs/decisions/0013-the-hot-path.md); what replies mean is decided in `core.judge`.
"""

from __future__ import annotations

import asyncio
import errno
import secrets
import socket
import time
from collections import deque
from collections.abc import Collection
from itertools import islice

from services.poller.adapters.icmp_batches import (
    RECEIVE_AT_ONCE,
    SEND_AT_ONCE,
    TIMESTAMP_TYPE,
    Arrivals,
    Departures,
    RoundDepartures,
)
from services.poller.adapters.icmp_errors import ErrorQueue, Refusal, refusal_in
from services.poller.adapters.icmp_flights import Abandoned, Flight, Tally
from services.poller.adapters.icmp_packets import ECHO_REPLY, EchoRequest, icmp_offset, reply_counter
from services.poller.adapters.icmp_rounds import FlightRing, room
from services.poller.adapters.icmp_sockets import EchoSocket, open_echo_socket
from services.poller.core.schedule import TimeWheel
from services.poller.ports import Asker, SwiftAsker, Target
from shared.contracts.vocabulary import ProbeFailure

LATE_S = 2.0  # how long after its timeout an answer still proves life
BATCHES_PER_TURN = 8  # sent, and received, before the event loop may do something else: 256 and 1,024 packets
NO_ROOM_PAUSE_S = 0.005  # after ENOBUFS a queue of the network card is full, and nobody tells when it has room
_FULL = frozenset({errno.EAGAIN, errno.ENOBUFS})
_LEAST_NS, _BATCH_NS = 1_000, 10_000_000
_SMALLEST = 16  # bytes of a reply with its cookie
REFUSALS_REMEMBERED = 1024

Request = tuple[Target, int, float, Asker, bytes, int, float]
"""Whom, its number, timeout in seconds, who asks, the address as bytes, its scope (IPv6), asked at (monotonic s)."""


class EchoFamily:
    """The engine for one address family. Made inside a running loop; `close` ends it."""

    def __init__(self, family: socket.AddressFamily) -> None:
        """Raises NotAllowed, with advice, if this machine or our rights do not let us."""
        self._loop = asyncio.get_running_loop()
        self._identifier, self._nonce = secrets.randbelow(0xFFFF) + 1, secrets.randbits(32)
        self._echo: EchoSocket = open_echo_socket(family, self._identifier, self._nonce)
        request = EchoRequest(family, self._identifier, self._nonce)
        self._departures = Departures(self._echo, request)
        self._ring = FlightRing(RoundDepartures(self._echo, request), self._nonce, ECHO_REPLY[family])
        self._arrivals = Arrivals(self._echo)
        self._errors = ErrorQueue(self._echo, self._nonce)
        self._counter = secrets.randbits(16)  # of the next request
        self._flights: dict[int, Flight] = {}
        self._late: dict[int, Flight] = {}
        self._abandoned = Abandoned()
        self._timeouts: TimeWheel[int] = TimeWheel()
        self._too_late: TimeWheel[int] = TimeWheel(0.1)
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: deque[Request] = deque()
        self._sending: asyncio.Handle | None = None
        self._v4, self._reply = family == socket.AF_INET, ECHO_REPLY[family]
        self._smallest = _SMALLEST + (20 if self._echo.with_ip_header else 0)
        self.tally = Tally()
        self.refusals: dict[str, Refusal] = {}
        self._loop.add_reader(self._echo.sock.fileno(), self._readable)

    @property
    def raw(self) -> bool:
        """Whether this needed CAP_NET_RAW."""
        return self._echo.raw

    @property
    def in_flight(self) -> int:
        """Probes whose result is open."""
        return len(self._flights) + len(self._waiting) + self._ring.open

    @property
    def waiting(self) -> int:
        """Probes that have not left yet."""
        return len(self._waiting)

    def close(self) -> None:
        """End at once; probes in flight are not reported."""
        self._loop.remove_reader(self._echo.sock.fileno())
        self._loop.remove_writer(self._echo.sock.fileno())
        for handle in (self._timer, self._sending):
            if handle is not None:
                handle.cancel()
        self._waiting.clear()
        self._echo.sock.close()

    # ── sending ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def ask(self, target: Target, number: int, timeout_s: float, asker: Asker) -> None:
        """See `ports.Probe`. It leaves with all others that are asked within this turn of the event loop."""
        try:
            destination, scope = (socket.inet_aton(target.address), 0) if self._v4 else _of_v6(target.address)
        except OSError as wrong:
            self._loop.call_soon(asker.blind, number, f"cannot send to {target.address}: {wrong}")
            return
        self._waiting.append((target, number, timeout_s, asker, destination, scope, time.monotonic()))
        if self._sending is None:
            self._sending = self._loop.call_soon(self._send)

    def ask_round(self, askers: list[SwiftAsker]) -> None:
        """See `ports.SwiftProbe`. They leave at once, and the ordinary way if the kernel has no room."""
        while askers and not self._waiting:
            count = min(len(askers), room(self._counter))
            self._make_way(count)
            sent, problem = self._ring.send(self._counter, askers[:count])
            self._abandoned.sent(self._counter, sent)
            self._counter = self._counter + sent & 0xFFFFFFFF
            askers = askers[sent:]
            if problem is not None:
                break
        for asker in askers:
            assert asker.target is not None  # noqa: S101 - it has an address
            self.ask(asker.target, asker.number, asker.recall(asker.number), asker)
        self._set_timer()

    def _make_way(self, count: int) -> None:
        """Flights of swift rounds that nobody answered in time go the ordinary way, and so do those that are in the
        way of the next requests: that would take more than `RING` of them within the shortest timeout."""
        for counter in self._ring.overdue(time.monotonic_ns(), self._counter, count):
            self._ordinary(counter)

    def _ordinary(self, counter: int) -> Flight | None:
        """An open flight, as one that is reported by a call; one of a swift round becomes such."""
        left = self._ring.pop(counter, self._counter)
        if left is not None:
            asker, number, _destination, sent = left
            self._flights[counter] = left
            self._timeouts.add(sent / 1e9 + asker.recall(number), counter)
            self._set_timer()
        return self._flights.get(counter)

    def _send(self) -> None:
        """Send what waits, a limited number of packets; the rest in the loop's next turn, after what has arrived."""
        self._sending = None
        for _ in range(BATCHES_PER_TURN):
            if not self._waiting:
                break
            problem = self._send_batch()
            if problem is not None:
                self._wait_for_room(problem)
                break
        else:
            self._sending = self._loop.call_soon(self._send)
        self._set_timer()

    def _send_batch(self) -> OSError | None:
        """Send one batch; the problem if the kernel has no room for all of it."""
        batch = list(islice(self._waiting, SEND_AT_ONCE))
        put, counter = self._departures.put, self._counter
        self._make_way(len(batch))
        for place, (target, _number, _timeout_s, _asker, destination, scope, _at) in enumerate(batch):
            put(place, counter + place & 0xFFFFFFFF, destination, scope, target.payload_bytes, target.dscp)
        self._abandoned.sent(counter, len(batch))
        done, again, full = 0, False, None
        while done < len(batch):
            began = time.monotonic_ns()
            try:
                sent = self._departures.send(done, len(batch))
            except OSError as problem:
                if problem.errno in _FULL:
                    full = problem
                    break
                # An unprivileged socket may report an older packet's error on this call: only the second one tells.
                self._read_errors()
                if again:
                    self._cannot_send(batch[done], problem)
                done, again = done + again, not again
                continue
            self._departed(batch, done, sent, began)
            done, again = done + sent, False
        for _ in range(done):
            self._waiting.popleft()
        self._counter = counter + done & 0xFFFFFFFF
        return full

    def _departed(self, batch: list[Request], done: int, sent: int, began: int) -> None:
        """These have left one after the other between `began` and now: the moment of each is interpolated."""
        step = (time.monotonic_ns() - began) // sent
        flights, add, counter = self._flights, self._timeouts.add, self._counter
        for place in range(done, done + sent):
            _target, number, timeout_s, asker, destination, _scope, _at = batch[place]
            key = counter + place & 0xFFFFFFFF
            flights[key] = (asker, number, destination, began)
            add(began / 1e9 + timeout_s, key)
            began += step

    def _wait_for_room(self, problem: OSError) -> None:
        """Try again when there is room. Whoever has waited for the whole of its timeout could not be asked."""
        now, waiting = time.monotonic(), self._waiting
        self.tally.postponed += 1
        while waiting and now - waiting[0][6] > waiting[0][2]:
            self._cannot_send(waiting.popleft(), problem)
        if waiting:
            self._sending = self._loop.call_later(NO_ROOM_PAUSE_S, self._send)

    def _cannot_send(self, request: Request, problem: OSError) -> None:
        # Later, never inside `ask`: askers may rely on being told after it has returned.
        target, number, _timeout_s, asker, *_ = request
        self.tally.unsent += 1
        self._loop.call_soon(asker.blind, number, f"cannot send to {target.address}: {problem.strerror}")

    # ── receiving ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _readable(self) -> None:
        """Read what has arrived; the kernel's receive times stay true however late we come."""
        for _ in range(BATCHES_PER_TURN):
            try:
                count = self._arrivals.receive()
            except OSError:  # nothing (more), or an error of an unprivileged socket: the queue tells whose it is
                break
            self._take(count)
            if count < RECEIVE_AT_ONCE:
                break
        if not self._echo.raw:
            self._read_errors()

    def _take(self, count: int) -> None:
        now = time.monotonic_ns()
        since_epoch = time.time_ns() - now  # the kernel stamps with the wall clock
        places: Collection[int] = range(count)
        if self._arrivals.smallest(count) >= self._smallest:
            places = self._ring.answers(self._arrivals.fields(count), self._counter, now, since_epoch)
        if places:
            self._take_singly(count, set(places), now, since_epoch)

    def _take_singly(self, count: int, places: set[int], now: int, since_epoch: int) -> None:
        flights, late, nonce, reply, smallest = self._flights, self._late, self._nonce, self._reply, self._smallest
        for place, (fields, (size,)) in enumerate(self._arrivals.packets(count)):
            if place not in places:
                continue
            source, stamp, seconds, nanoseconds, kind, found, counter = fields
            if kind != reply or found != nonce or size < smallest:
                self._unusual(self._arrivals.packet(place, size), source)
                continue
            table = flights if self._ordinary(counter) else late
            flight = table.get(counter)
            if flight is None:
                self._nobody_waits(counter)
                continue
            asker, number, destination, sent = flight
            if source != destination:
                self.tally.foreign += 1  # another machine answers for it: the one that was asked stays silent
                continue
            del table[counter]
            self.tally.late += table is late
            rtt = seconds * 1_000_000_000 + nanoseconds - since_epoch - sent
            if rtt < _LEAST_NS or rtt > now - sent or stamp != TIMESTAMP_TYPE:
                rtt = _doubtful(rtt, now - sent)
            asker.answer(number, rtt / 1e6)

    def _nobody_waits(self, counter: int) -> None:
        if counter in self._abandoned:
            self.tally.too_late += 1
        else:
            self.tally.duplicates += 1

    def _unusual(self, packet: bytes, source: bytes) -> None:
        """An ICMP error, or a reply whose IP header has options; what is neither is of no interest."""
        start = icmp_offset(packet, with_ip_header=self._echo.with_ip_header)
        if len(packet) <= start:
            return
        if packet[start] != self._reply:
            by = socket.inet_ntop(self._echo.family, source)
            refusal = refusal_in(packet, start, by, self._echo, self._identifier, self._nonce)
            if refusal is not None:
                self._refused(refusal)
            return
        counter = reply_counter(packet, start, len(packet), self._nonce)
        flight = self._ordinary(counter) if counter is not None else None
        if counter is not None and flight is not None and flight[2] == source:
            del self._flights[counter]
            flight[0].answer(flight[1], (time.monotonic_ns() - flight[3]) / 1e6)

    def _read_errors(self) -> None:
        for refusal in self._errors.read():
            self._refused(refusal)

    def _refused(self, refusal: Refusal) -> None:
        """A router or the host itself said that our packet cannot arrive."""
        quoted = refusal.quoted
        counter = quoted.counter
        if counter is None:
            counter = (self._counter & 0xFFFF0000) | quoted.sequence
            counter = counter if counter < self._counter else (counter - 0x10000) & 0xFFFFFFFF
        flight = self._ordinary(counter)
        if flight is None:
            return
        asker, number, destination, sent = flight
        if quoted.destination and socket.inet_pton(self._echo.family, quoted.destination) != destination:
            return
        del self._flights[counter]
        self.tally.refused += 1
        self._remember(socket.inet_ntop(self._echo.family, destination), refusal)
        asker.loss(number, (time.monotonic_ns() - sent) / 1e9, refusal.failure)

    def _remember(self, address: str, refusal: Refusal) -> None:
        self.refusals.pop(address, None)
        self.refusals[address] = refusal
        if len(self.refusals) > REFUSALS_REMEMBERED:
            del self.refusals[next(iter(self.refusals))]

    # ── giving up ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _set_timer(self) -> None:
        """One timer, at the first moment at which anything is due. It is moved only if that comes earlier."""
        moments = (self._timeouts.next_at(), self._too_late.next_at(), self._ring.next_at())
        at = min((moment for moment in moments if moment is not None), default=None)
        if at is None or (self._timer is not None and self._timer.when() <= at):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(at, self._expire)

    def _expire(self) -> None:
        # What has arrived already must be read first: a process that was stopped for a while finds the answers of
        # that time in its socket, and they are no losses.
        self._timer = None
        self._readable()
        self._make_way(0)
        now, now_ns = time.monotonic(), time.monotonic_ns()
        for counter in self._timeouts.due(now):
            flight = self._flights.pop(counter, None)
            if flight is not None:
                self._late[counter] = flight
                self._too_late.add(now + LATE_S, counter)
                flight[0].loss(flight[1], (now_ns - flight[3]) / 1e9, ProbeFailure.TIMEOUT)
        for counter in self._too_late.due(now):
            if self._late.pop(counter, None) is not None:
                self._abandoned.add(counter)
        self._set_timer()


def _of_v6(address: str) -> tuple[bytes, int]:
    """An IPv6 address and the number of the interface that it names, if any. Raises OSError if there is none such."""
    number, _, interface = address.partition("%")
    scope = int(interface) if interface.isdigit() else socket.if_nametoindex(interface) if interface else 0
    return socket.inet_pton(socket.AF_INET6, number), scope


def _doubtful(rtt: int, longest: int) -> int:
    """A round trip that cannot be: within a batch the moment of sending is known to some microseconds only, and
    somebody may have set the machine's clock between arrival and reading."""
    return _LEAST_NS if -_BATCH_NS < rtt < _LEAST_NS else longest
