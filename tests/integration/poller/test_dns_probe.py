"""Name servers on real sockets."""

from __future__ import annotations

import socket
import struct
from collections.abc import AsyncIterator, Callable

import pytest

from services.poller.adapters.dns import DnsProbe
from services.poller.ports import target_of
from shared.contracts.ids import HostId, SiteId
from shared.contracts.inventory import PROBE_POLICIES, DnsCheck, Host
from shared.contracts.vocabulary import ProbeFailure, ProbeKind
from tests.fakes.asker import RecordingAsker
from tests.support.name_server import NameServer, name_server, wire_name

V4 = socket.inet_aton("203.0.113.7")
RECORDS = {
    ("isp.test", "A"): [socket.inet_aton("203.0.113.9"), V4],
    ("isp.test", "AAAA"): [socket.inet_pton(socket.AF_INET6, "2001:db8::7")],
    ("www.isp.test", "CNAME"): [wire_name("Portal.ISP.test")],
    ("isp.test", "NS"): [wire_name("ns1.isp.test")],
    ("isp.test", "MX"): [struct.pack(">H", 10) + wire_name("mail.isp.test")],
    ("isp.test", "TXT"): [b"\x06v=spf1\x05 -all"],
    ("isp.test", "SOA"): [wire_name("ns1.isp.test") + wire_name("noc.isp.test") + struct.pack(">IIIII", 7, 1, 1, 1, 1)],
    ("7.113.0.203.in-addr.arpa", "PTR"): [wire_name("isp.test")],
}
Ask = Callable[..., object]


@pytest.fixture
async def ask() -> AsyncIterator[Ask]:
    probe = DnsProbe()

    async def one(port: int, name: str = "isp.test", timeout_s: float = 5.0, **check: object) -> RecordingAsker:
        asker = RecordingAsker()
        host = Host(
            id=HostId("01dns"),
            site_id=SiteId("waru"),
            name="ns1",
            address="127.0.0.1",
            probe=ProbeKind.DNS,
            port=port,
            dns=DnsCheck.model_validate({"name": name, **check}),
        )
        probe.ask(target_of(host, "127.0.0.1", PROBE_POLICIES["standard"]), 1, timeout_s, asker)
        await asker.until(1, 10)
        return asker

    yield one
    await probe.close()


@pytest.mark.parametrize(
    ("name", "record", "expected"),
    [
        pytest.param("isp.test", "A", ("203.0.113.7",), id="a"),
        pytest.param("ISP.test.", "A", ("203.0.113.7", "203.0.113.9"), id="all-of-them-in-any-order"),
        pytest.param("isp.test", "AAAA", ("2001:0DB8::0007",), id="aaaa-however-written"),
        pytest.param("www.isp.test", "CNAME", ("portal.isp.test.",), id="cname-any-case"),
        pytest.param("isp.test", "NS", ("ns1.isp.test",), id="ns"),
        pytest.param("isp.test", "MX", ("mail.isp.test",), id="mx"),
        pytest.param("isp.test", "MX", ("10 mail.isp.test",), id="mx-with-preference"),
        pytest.param("isp.test", "TXT", ("v=spf1 -all",), id="txt-of-two-parts"),
        pytest.param("isp.test", "SOA", ("ns1.isp.test noc.isp.test 7",), id="soa"),
        pytest.param("7.113.0.203.in-addr.arpa", "PTR", ("isp.test",), id="ptr"),
        pytest.param("isp.test", "A", (), id="whatever"),
    ],
)
async def test_expected_record_is_an_answer(ask, name, record, expected):
    async with name_server(NameServer(RECORDS)) as server:
        asker = await ask(server.port, name, record=record, expected=expected)
    assert asker.answers, asker.losses + asker.blinds
    assert [way for way, *_ in server.asked] == ["udp"]


@pytest.mark.parametrize(
    ("server", "check", "failure"),
    [
        pytest.param(NameServer(RECORDS), {"expected": ("198.51.100.1",)}, ProbeFailure.WRONG_ANSWER, id="other"),
        pytest.param(NameServer(RECORDS), {"name": "no.test"}, ProbeFailure.WRONG_ANSWER, id="no-such-name"),
        pytest.param(NameServer(RECORDS), {"name": "www.isp.test"}, ProbeFailure.WRONG_ANSWER, id="no-such-record"),
        pytest.param(NameServer(RECORDS, code=2), {}, ProbeFailure.WRONG_ANSWER, id="server-failure"),
        pytest.param(NameServer(RECORDS, code=5), {}, ProbeFailure.WRONG_ANSWER, id="refused-by-policy"),
        pytest.param(NameServer(silent=True), {"timeout_s": 0.2}, ProbeFailure.TIMEOUT, id="silent"),
    ],
)
async def test_anything_else_is_a_loss(ask, server, check, failure):
    async with name_server(server):
        asker = await ask(server.port, **check)
    assert [loss[2] for loss in asker.losses] == [failure], asker.answers + asker.blinds


async def test_answer_that_does_not_fit_is_asked_for_by_tcp(ask):
    async with name_server(NameServer(RECORDS, cut_udp=True)) as server:
        asker = await ask(server.port, expected=("203.0.113.7",))
    assert asker.answers
    assert [way for way, *_ in server.asked] == ["udp", "tcp"]


async def test_packet_with_another_number_is_passed_over(ask):
    server = NameServer({("isp.test", "A"): [V4]}, forged_first=True)
    async with name_server(server):
        assert (await ask(server.port, expected=("203.0.113.7",))).answers


async def test_closed_port_refuses_at_once(ask):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    assert (await ask(port)).losses[0][2] is ProbeFailure.REFUSED


async def test_name_that_is_none_says_so(ask):
    assert "not a domain name" in (await ask(1, "a..b")).blinds[0][1]
