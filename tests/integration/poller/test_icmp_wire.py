"""What leaves and what comes back, packet by packet: a TUN device on whose other end the test answers as it likes."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.support.namespaces import run_apart

pytestmark = pytest.mark.needs_root

WAYS = pytest.mark.parametrize(
    "sysctl",
    [
        pytest.param('sysctl -qw net.ipv4.ping_group_range="1 0"', id="raw"),
        pytest.param('sysctl -qw net.ipv4.ping_group_range="0 2147483647"', id="unprivileged"),
    ],
)
WIRE = """
import asyncio, dataclasses, fcntl, json, os, socket, struct
from services.poller.adapters import icmp_family
from services.poller.adapters.icmp import IcmpProbe
from services.poller.ports import Target
from shared.contracts.vocabulary import ProbeKind

class Asker:
    def __init__(self):
        self.answers, self.losses, self.blinds = [], [], []
    def answer(self, number, rtt_ms):
        self.answers.append((number, rtt_ms))
    def loss(self, number, age_s, failure):
        self.losses.append((number, age_s, failure))
    def blind(self, number, reason):
        self.blinds.append((number, reason))
    async def until(self, count):
        await until(lambda: len(self.answers) + len(self.losses) + len(self.blinds) >= count)

def checksum(content):
    content += b"\\0" * (len(content) % 2)
    total = sum(struct.unpack(f"!{len(content) // 2}H", content))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF

class Wire:
    '''Every echo request that leaves for 10.55.0.0/16 or fd55::/16, and the way back.'''
    def __init__(self):
        self.file = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(self.file, 0x400454CA, struct.pack("16sH22x", b"wire", 0x1001))
        for words in ("link set wire up", "addr add 10.55.0.1/16 dev wire", "-6 addr add fd55::1/16 dev wire nodad"):
            assert os.system("ip " + words) == 0
        self.requests = []
        self.answer = lambda request: [(0.0, self.reply(request))]
    def listen(self):
        asyncio.get_running_loop().add_reader(self.file, self.read)
    def read(self):
        while True:
            try:
                packet = os.read(self.file, 70000)
            except BlockingIOError:
                return
            v4 = packet[0] >> 4 == 4
            kind = packet[20] if v4 else packet[40]
            if kind != (8 if v4 else 128):
                continue
            self.requests.append(packet)
            for after_s, reply in self.answer(packet):
                asyncio.get_running_loop().call_later(after_s, os.write, self.file, reply)
    def reply(self, request, source=None, options=b""):
        if request[0] >> 4 == 4:
            to, by = request[12:16], source or request[16:20]
            echo = b"\\0\\0\\0\\0" + request[24:]
            echo = echo[:2] + struct.pack("!H", checksum(echo)) + echo[4:]
            head = struct.pack("!BBHHHBBH", 0x45 + len(options) // 4, 0, 20 + len(options) + len(echo), 0, 0, 64, 1, 0)
            head += by + to + options
            return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + echo
        to, by = request[8:24], source or request[24:40]
        echo = b"\\x81\\0\\0\\0" + request[44:]
        pseudo = by + to + struct.pack("!II", len(echo), 58)
        echo = echo[:2] + struct.pack("!H", checksum(pseudo + echo)) + echo[4:]
        return struct.pack("!IHBB", 6 << 28, len(echo), 58, 64) + by + to + echo

def target(address, payload=24, dscp=0):
    return Target(ProbeKind.ICMP, address, None, payload, dscp)

async def until(condition, deadline_s=5.0):
    async with asyncio.timeout(deadline_s):
        while not condition():
            await asyncio.sleep(0.005)

async def main():
    wire, probe, asker = Wire(), IcmpProbe(), Asker()
    wire.listen()
    found = await story(wire, probe, asker)
    probe.close()
    print(json.dumps({"answers": [number for number, _ in asker.answers], "rtts": [rtt for _, rtt in asker.answers],
                      "losses": [number for number, *_ in asker.losses], "blinds": asker.blinds,
                      "tally": dataclasses.asdict(probe_tally[0]), "found": found}))
probe_tally = []
"""
BOTH = pytest.mark.parametrize("there", ["10.55.0.7", "fd55::7"])


def on_the_wire(sysctl: str, story: str) -> Any:
    body = "".join(f"    {line}\n" for line in story.strip().splitlines())
    ending = "    probe_tally.append(probe.tally())\n    return result\n"
    return run_apart(
        sysctl, f"{WIRE}\nasync def story(wire, probe, asker):\n    result = None\n{body}{ending}asyncio.run(main())\n"
    )


def counted(told: Any) -> dict[str, int]:
    return {name: count for name, count in told["tally"].items() if count}


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


GATEWAY_OF_NO_ADDRESS = """
ip netns add far
ip link add near type veth peer name gate netns far
ip addr add 10.99.0.1/24 dev near
ip link set near up
ip -n far link set lo up
ip -n far link set gate up
ip -n far route add local 10.77.0.0/16 dev lo
ip route add 10.77.0.0/16 via 10.99.0.2
"""
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
