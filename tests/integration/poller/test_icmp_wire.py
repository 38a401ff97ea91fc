"""What leaves and what comes back, packet by packet: a TUN device on whose other end the test answers as it likes."""

from __future__ import annotations

import itertools

import pytest

from tests.support.wire import BOTH, GATEWAY_OF_NO_ADDRESS, WAYS, counted, on_the_wire

pytestmark = pytest.mark.needs_root


@WAYS
@BOTH
def test_size_and_class_of_each_packet_are_its_policys(sysctl, there):
    told = on_the_wire(
        sysctl,
        f"""
wanted = [(24, 0), (24, 46), (1400, 0), (100, 10), (24, 0)] * 20  # more than one batch: places are dressed anew
for number, (payload, dscp) in enumerate(wanted):
    probe.ask(target({there!r}, payload, dscp), number, 1.0, asker)
await asker.until(len(wanted))
v4 = {there!r}[0] == "1"
classes = [packet[1] >> 2 if v4 else (packet[0] << 8 | packet[1]) >> 6 & 63 for packet in wire.requests]
sizes = [len(packet) - (28 if v4 else 48) for packet in wire.requests]
result = [sorted(zip(sizes, classes)), sorted(wanted)]
""",
    )
    seen, wanted = told["found"]
    assert seen == wanted
    assert sorted(told["answers"]) == list(range(100))
    assert counted(told) == {}


@WAYS
def test_checksums_are_right_whatever_the_counter_and_the_size(sysctl):
    told = on_the_wire(
        sysctl,
        """
family = probe._families[4]
for number, start in enumerate([0, 1, 0xFFFE, 0xFFFF, 0x10000, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF]):
    family._counter = start
    probe.ask(target("10.55.0.7", 24 + number % 2 * 101), number, 1.0, asker)
    probe.ask(target("10.55.0.8"), number, 1.0, asker)
    await asker.until(2 * number + 2)
result = [checksum(packet[20:]) for packet in wire.requests]
""",
    )
    assert told["found"] == [0] * 16
    assert len(told["answers"]) == 16


@WAYS
@BOTH
def test_second_answer_is_counted_apart(sysctl, there):
    told = on_the_wire(
        sysctl,
        f"""
wire.answer = lambda request: [(0.0, wire.reply(request)), (0.02, wire.reply(request))]
probe.ask(target({there!r}), 1, 1.0, asker)
await until(lambda: probe.tally().duplicates)
""",
    )
    assert (told["answers"], told["losses"]) == ([1], [])
    assert counted(told) == {"duplicates": 1}


@WAYS
def test_late_answer_is_a_loss_and_then_told(sysctl):
    told = on_the_wire(
        sysctl,
        """
wire.answer = lambda request: [(0.3, wire.reply(request))]
probe.ask(target("10.55.0.7"), 1, 0.1, asker)
await asker.until(2)
""",
    )
    assert (told["answers"], told["losses"]) == ([1], [1])
    assert 290 < told["rtts"][0] < 5000
    assert counted(told) == {"late": 1}


@WAYS
def test_answer_after_everybody_stopped_waiting_is_only_counted(sysctl):
    told = on_the_wire(
        sysctl,
        """
icmp_family.LATE_S = 0.1
wire.answer = lambda request: [(0.6, wire.reply(request))]
probe.ask(target("10.55.0.7"), 1, 0.1, asker)
await until(lambda: probe.tally().too_late)
""",
    )
    assert (told["answers"], told["losses"]) == ([], [1])
    assert counted(told) == {"too_late": 1}


@WAYS
@BOTH
def test_answer_of_another_address_is_none(sysctl, there):
    other = "fd55::8" if ":" in there else "10.55.0.8"
    told = on_the_wire(
        sysctl,
        f"""
other = socket.inet_pton(socket.AF_INET6 if ":" in {there!r} else socket.AF_INET, {other!r})
wire.answer = lambda request: [(0.0, wire.reply(request, source=other))]
probe.ask(target({there!r}), 1, 0.3, asker)
await asker.until(1)
wire.answer = lambda request: [(0.0, wire.reply(request, source=other)), (0.05, wire.reply(request))]
probe.ask(target({there!r}), 2, 1.0, asker)
await asker.until(2)
""",
    )
    assert (told["losses"], told["answers"]) == ([1], [2])
    assert counted(told) == {"foreign": 2}


@WAYS
def test_answer_with_ip_options_is_an_answer(sysctl):
    told = on_the_wire(
        sysctl,
        """
wire.answer = lambda request: [(0.0, wire.reply(request, options=bytes(4 * [1])))]
probe.ask(target("10.55.0.7"), 1, 1.0, asker)
await asker.until(1)
""",
    )
    assert (told["answers"], told["losses"]) == ([1], [])


ASK_100 = """
probe._families[4]._echo.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4608)
for number in range(100):
    probe.ask(target(f"10.77.0.{{number + 1}}"), number, {timeout_s}, asker)
"""


@WAYS
def test_full_socket_is_waited_for(sysctl):
    """Packets wait for the gateway's address in the kernel and fill the socket's buffer; then the gateway is there."""
    told = on_the_wire(
        sysctl + GATEWAY_OF_NO_ADDRESS,
        ASK_100.format(timeout_s=4.0)
        + """
await until(lambda: probe.tally().postponed > 3)
result = probe._families[4].waiting
assert os.system("ip -n far addr add 10.99.0.2/24 dev gate") == 0
await asker.until(100)
""",
    )
    assert sorted(told["answers"]) == list(range(100))
    assert told["found"] > 0
    assert (told["losses"], told["blinds"]) == ([], [])


@WAYS
def test_what_cannot_be_sent_for_its_whole_timeout_says_nothing_of_the_host(sysctl):
    told = on_the_wire(sysctl + GATEWAY_OF_NO_ADDRESS, ASK_100.format(timeout_s=0.3) + "await asker.until(100)")
    assert told["answers"] == []
    assert told["losses"], "those that left are lost"
    assert len(told["losses"]) + len(told["blinds"]) == 100
    assert len(told["blinds"]) == told["tally"]["unsent"] > 0
    assert all("cannot send to 10.77.0." in reason for _, reason in told["blinds"])


def test_a_rush_is_sent_in_portions_between_which_others_have_their_turn():
    told = on_the_wire(
        'sysctl -qw net.ipv4.ping_group_range="1 0"',
        """
family, result = probe._families[4], []
for number in range(2000):
    probe.ask(target(f"127.1.{number >> 8}.{number & 255}"), number, 3.0, asker)
while family.waiting:
    result.append(family.waiting)
    await asyncio.sleep(0)
result.append(0)
await asker.until(2000)
""",
    )
    left = told["found"]
    assert left[0] == 2000
    assert max(before - after for before, after in itertools.pairwise(left)) <= 256
    assert sorted(told["answers"]) == list(range(2000))
