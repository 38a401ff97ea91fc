"""A TUN device in a namespace of its own, on whose other end a test answers as it likes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.namespaces import run_apart

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
