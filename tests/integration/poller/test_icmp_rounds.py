"""Rounds on the wire: a TUN device on whose other end the test answers as it likes."""

from __future__ import annotations

import pytest

from tests.support.wire import BOTH, GATEWAY_OF_NO_ADDRESS, WAYS, counted, on_the_wire

pytestmark = pytest.mark.needs_root

SWIFT = """
class Swift(Asker):
    '''A host that gives no reason for doubt, and all that it is told.'''
    def __init__(self, address, timeout_s=0.3):
        super().__init__()
        self.target, self.number, self.swift = target(address), 0, 0
        self.destination = socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
        self.fresh, self.settled, self.recalled, self.heard_number, self.heard_at = [], [], [], 0, 0.0
        self.timeout_s = timeout_s
    def settle(self):
        self.settled += self.fresh
        self.fresh.clear()
    def recall(self, number):
        self.recalled.append(number)
        self.swift = -1
        return self.timeout_s
def ask(hosts):
    for host in hosts:
        host.number += 1
    probe.ask_round(hosts)
def heard(hosts):
    return all(host.heard_number == host.number for host in hosts)
"""


@WAYS
@BOTH
def test_answers_of_a_round_are_written_down_without_a_call(sysctl, there):
    told = on_the_wire(
        sysctl,
        f"""{SWIFT}
hosts = [Swift({there!r}[:-1] + format(number + 2, "x" if ":" in {there!r} else "d")) for number in range(200)]
for _ in range(20):
    ask(hosts)
    await until(lambda: heard(hosts))
calls = sum(len(host.answers) + len(host.losses) + len(host.recalled) for host in hosts)
rtts = [rtt for host in hosts for rtt in host.settled + host.fresh]
result = [calls, len(rtts), min(rtts) > 0, max(rtts) < 1000, [len(host.settled) for host in hosts] == [16] * 200,
          len(wire.requests), probe.in_flight]
""",
    )
    assert told["found"] == [0, 4000, True, True, True, 4000, 0]
    assert counted(told) == {}


@WAYS
def test_checksums_of_a_round_are_right_whatever_the_counter(sysctl):
    told = on_the_wire(
        sysctl,
        f"""{SWIFT}
hosts = [Swift(f"10.55.1.{{number}}") for number in range(40)]
for start in (0, 1, 0x7FF0, 0xFFF0, 0xFFFF, 0x1FFFA, 0x7FFFFFF0, 0xFFFFFFE0, 0xFFFFFFFF):
    await until(lambda: not probe.in_flight)
    probe._families[4]._counter = start
    ask(hosts)
    await until(lambda: not probe.in_flight)
cookies = {{packet[32:36] for packet in wire.requests}}
result = [sum(checksum(packet[20:]) for packet in wire.requests), len(wire.requests), len(cookies) > 240,
          all(len(host.fresh) + len(host.answers) == 9 and not host.losses for host in hosts),
          all(packet[6] & 0x40 for packet in wire.requests)]
""",
    )
    assert told["found"] == [0, 360, True, True, True]


@WAYS
@BOTH
def test_what_is_not_answered_in_time_is_a_loss_after_its_own_timeout(sysctl, there):
    told = on_the_wire(
        sysctl,
        f"""{SWIFT}
silent, late, other = Swift({there!r}), Swift({there!r}[:-1] + "8", 0.6), Swift({there!r}[:-1] + "9")
ends = {{silent.destination: [], late.destination: [0.3], other.destination: [0.0]}}
v4 = len(silent.destination) == 4
wire.answer = lambda request: [(after, wire.reply(request)) for after in ends[request[16:20] if v4 else request[24:40]]]
ask([silent, late, other])
await until(lambda: silent.losses and late.answers)
result = [silent.recalled, late.recalled, other.recalled, [age for _, age, _ in silent.losses], len(silent.answers),
          late.answers[0], len(late.losses), len(other.fresh), probe.in_flight]
""",
    )
    silent, late, other, [age_s], silent_answers, [number, rtt_ms], late_losses, other_answers, open_ = told["found"]
    assert (silent, late, other) == ([1], [1], [])
    assert 0.3 <= age_s < 2
    assert (number, silent_answers, late_losses, other_answers, open_) == (1, 0, 0, 1, 0)
    assert 290 < rtt_ms < 600


@WAYS
def test_twice_from_elsewhere_and_after_all_is_told_from_an_answer(sysctl):
    told = on_the_wire(
        sysctl,
        f"""{SWIFT}
twice, elsewhere, calm = Swift("10.55.0.7"), Swift("10.55.0.8"), Swift("10.55.0.9")
def answer(request):
    match request[19]:
        case 7: return [(0.0, wire.reply(request)), (0.02, wire.reply(request))]
        case 8: return [(0.0, wire.reply(request, source=bytes((10, 55, 0, 99))))]
        case _: return [(0.05, wire.reply(request))]
wire.answer = answer
ask([twice, elsewhere, calm])
calm.swift = -1  # in doubt meanwhile: what comes is told
await until(lambda: elsewhere.losses and probe.tally().duplicates and calm.answers)
result = [len(twice.fresh), elsewhere.recalled, calm.recalled, len(calm.fresh), len(elsewhere.answers)]
""",
    )
    assert told["found"] == [1, [1], [1], 0, 0]
    assert counted(told) == {"duplicates": 1, "foreign": 1}


@WAYS
def test_round_that_finds_no_room_goes_the_ordinary_way(sysctl):
    told = on_the_wire(
        sysctl + GATEWAY_OF_NO_ADDRESS,
        f"""{SWIFT}
probe._families[4]._echo.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4608)
hosts = [Swift(f"10.77.0.{{number + 1}}", 4.0) for number in range(100)]
ask(hosts)
await until(lambda: probe.tally().postponed > 3)
assert os.system("ip -n far addr add 10.99.0.2/24 dev gate") == 0
await until(lambda: all(host.answers for host in hosts))
result = [sum(len(host.losses) + len(host.blinds) for host in hosts), max(len(host.recalled) for host in hosts)]
""",
    )
    assert told["found"] == [0, 1]


@WAYS
def test_ring_that_comes_round_while_flights_are_open_loses_none(sysctl):
    told = on_the_wire(
        sysctl,
        f"""{SWIFT}
from services.poller.adapters.icmp_rounds import RING
held = []
wire.answer = lambda request: held.append(request) or []
first, second = Swift("10.55.0.7", 3.0), Swift("10.55.0.8", 3.0)
family = probe._families[4]
ask([first])
family._counter += RING - 1  # the next request takes the same place
ask([second])
await until(lambda: len(held) == 2)
for request in held:
    os.write(wire.file, wire.reply(request))
await until(lambda: not probe.in_flight)
result = [len(first.answers), first.recalled, len(second.fresh), len(second.answers)]
""",
    )
    assert told["found"] == [1, [1], 1, 0]
    assert counted(told) == {}
