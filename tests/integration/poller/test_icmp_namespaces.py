"""The ICMP engine where it matters what we may do and what routers say: in network namespaces of the test's own.

One namespace is the poller's machine, the next a router that forwards, refuses, forbids and swallows, the last one a
router that sends everything back.
"""

from __future__ import annotations

import pytest

from tests.support.namespaces import run_apart

pytestmark = pytest.mark.needs_root

UNPRIVILEGED = 'sysctl -qw net.ipv4.ping_group_range="0 2147483647"'
ONLY_RAW = 'sysctl -qw net.ipv4.ping_group_range="1 0"'
ROUTER = """
ip netns add far
ip link add near type veth peer name gate netns far
ip netns add beyond
ip -n far link add side type veth peer name beyond netns beyond
ip addr add 10.99.0.1/24 dev near
ip -6 addr add fd99::1/64 dev near nodad
ip link set near up
ip netns exec far sh -e <<'FAR'
ip link set lo up
ip addr add 10.99.0.2/24 dev gate
ip -6 addr add fd99::2/64 dev gate nodad
ip link set gate up
ip addr add 10.98.0.1/24 dev side
ip -6 addr add fd98::1/64 dev side nodad
ip link set side up
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
ip route add unreachable 10.66.1.0/24
ip route add prohibit 10.66.2.0/24
ip route add blackhole 10.66.3.0/24
ip -6 route add unreachable fd66:1::/64
ip route add 10.66.4.0/24 via 10.98.0.2
ip -6 route add fd66:4::/64 via fd98::2
ip -6 route add prohibit fd66:2::/64
ip -6 route add blackhole fd66:3::/64
FAR
ip netns exec beyond sh -e <<'BEYOND'
ip addr add 10.98.0.2/24 dev beyond
ip -6 addr add fd98::2/64 dev beyond nodad
ip link set beyond up
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
ip route add default via 10.98.0.1
ip -6 route add default via fd98::1
BEYOND
ip route add default via 10.99.0.2
ip -6 route add default via fd99::2
"""
ASK = """
import asyncio, json
from services.poller.adapters.icmp import IcmpProbe
from services.poller.ports import Target
from shared.contracts.vocabulary import ProbeKind

class Asker(asyncio.Future):
    def answer(self, number, rtt_ms):
        self.set_result("answer")
    def loss(self, number, age_s, failure):
        self.set_result(failure)
    def blind(self, number, reason):
        self.set_result(reason)

async def ask(probe, address):
    asker = Asker()
    probe.ask(Target(ProbeKind.ICMP, address), 1, 0.5, asker)
    return await asyncio.wait_for(asker, 5)

async def main():
    probe = IcmpProbe()
    addresses = %r
    neighbours = {"10.99.0.2", "fd99::2", "10.98.0.2", "fd98::2"} & set(addresses)
    for neighbour in neighbours:  # a new link takes a moment to find them
        for _ in range(20):
            if await ask(probe, neighbour) == "answer":
                break
    raw = sorted({family.raw for family in probe._families.values()})
    found = await asyncio.gather(*(ask(probe, address) for address in addresses))
    by = {address: told.by for address in addresses if (told := probe.refusal(address))}
    refused = probe.tally().refused
    print(json.dumps({"raw": raw, "refusals": probe.refusals, "found": dict(zip(addresses, found)), "by": by,
                      "refused": refused}))
    probe.close()

asyncio.run(main())
"""
WAYS = pytest.mark.parametrize(
    ("sysctl", "raw"), [pytest.param(ONLY_RAW, True, id="raw"), pytest.param(UNPRIVILEGED, False, id="unprivileged")]
)


def ask(setup: str, *addresses: str, without_net_raw: bool = False) -> dict:
    return run_apart(setup, ASK % (list(addresses),), without_net_raw=without_net_raw)


@WAYS
def test_what_routers_say_is_told(sysctl, raw):
    expected = {
        "10.99.0.2": "answer",
        "fd99::2": "answer",
        "10.98.0.2": "answer",
        "fd98::2": "answer",
        "10.66.1.7": "unreachable",
        "10.66.2.7": "prohibited",
        "10.66.3.7": "timeout",
        "10.66.4.7": "ttl_exceeded",  # the two routers send it to each other
        "fd66:1::7": "unreachable",
        "fd66:2::7": "prohibited",
        "fd66:4::7": "ttl_exceeded",
        "fd66:3::7": "timeout",
        "10.99.0.77": "timeout",  # nobody there: the machine's own ARP error comes only after 3 s
    }
    result = ask(f"{sysctl}\n{ROUTER}", *expected)
    assert result["raw"] == [raw]
    assert result["found"] == expected
    # Who said so. A loop ends wherever the number of hops runs out.
    refused = {address for address, outcome in expected.items() if outcome not in {"answer", "timeout"}}
    assert result["by"].keys() == refused
    assert {result["by"][address] for address in refused if address.startswith("10.66.")} <= {"10.99.0.2", "10.98.0.2"}
    assert result["by"]["10.66.2.7"] == "10.99.0.2"
    assert result["by"]["fd66:2::7"] == "fd99::2"
    assert result["refused"] == len(refused)


def test_unprivileged_socket_works_without_any_right():
    result = ask(UNPRIVILEGED, "127.0.0.1", "::1", without_net_raw=True)
    assert (result["raw"], set(result["found"].values())) == ([False], {"answer"})


def test_without_any_permission_the_reason_says_what_to_do():
    result = ask(ONLY_RAW, "127.0.0.1", "::1", without_net_raw=True)
    assert result["raw"] == []
    for reason in result["found"].values():
        assert "net.ipv4.ping_group_range" in reason
        assert "CAP_NET_RAW" in reason


@WAYS
def test_machine_without_a_way_out_is_blind(sysctl, raw):
    result = ask(sysctl, "203.0.113.7", "2001:db8::7")
    assert all("unreachable" in reason and "cannot send" in reason for reason in result["found"].values())


@WAYS
def test_one_refused_address_does_not_disturb_the_others(sysctl, raw):
    """An unprivileged socket reports errors of one packet on the next call: they must not be blamed on another."""
    bad = [f"10.66.1.{number}" for number in range(1, 5)]  # Linux sends five such errors in a row
    result = ask(f"{sysctl}\n{ROUTER}", *bad[:2], "10.99.0.2", *bad[2:])
    assert result["found"]["10.99.0.2"] == "answer"
    assert {result["found"][address] for address in bad} == {"unreachable"}
