"""Ping on demand."""

from __future__ import annotations

import pytest

from services.poller.core.roster import Roster
from services.poller.handlers.pinging import answer_ping
from shared.contracts.ids import HostId, SiteId
from shared.contracts.inventory import Host
from shared.contracts.queries import PingReport, PingTarget
from shared.contracts.vocabulary import ProbeKind
from shared.errors import Invalid, NotAllowed, NotFound
from tests.fakes.network import FakeNetwork, FakeResolver
from tests.fakes.virtual_time import run_virtually


def ping(query: PingTarget, network: FakeNetwork | None = None, roster: Roster | None = None) -> PingReport:
    network = network or FakeNetwork()
    probes = {ProbeKind.ICMP: network, ProbeKind.TCP: network}
    resolver = FakeResolver({"core.example": "10.9.9.9"})
    return run_virtually(answer_ping(query, roster=roster or Roster(), probes=probes, resolver=resolver))


def test_all_answered():
    report = ping(PingTarget(target="core.example"))
    assert (report.address, report.sent, report.received, report.loss_percent) == ("10.9.9.9", 4, 4, 0.0)
    assert report.rtt_avg_ms == pytest.approx(2.0)


def test_dead_target_is_full_loss_and_no_times():
    network = FakeNetwork()
    network.cut.add("10.9.9.9")
    report = ping(PingTarget(target="10.9.9.9", count=2), network)
    assert (report.received, report.loss_percent, report.rtt_avg_ms) == (0, 100.0, None)


def test_watched_host_is_asked_its_own_way():
    roster = Roster()
    host = Host(id=HostId("h1"), site_id=SiteId("s"), name="web", address="10.1.1.1", probe=ProbeKind.TCP, port=443)
    roster.put(host.key(), host.model_dump_json().encode())
    network = FakeNetwork()
    report = ping(PingTarget(target="web", host_id=host.id), network, roster)
    assert (report.target, report.address) == ("web", "10.1.1.1")


@pytest.mark.parametrize(
    ("target", "error"),
    [
        pytest.param("nobody.example", NotFound, id="no-such-name"),
        pytest.param("two words", Invalid, id="white-space"),
        pytest.param("  ", Invalid, id="empty"),
        pytest.param("224.0.0.1", Invalid, id="multicast"),
        pytest.param("255.255.255.255", Invalid, id="broadcast"),
        pytest.param("0.0.0.0", Invalid, id="nowhere"),
    ],
)
def test_what_cannot_be_pinged_is_refused(target, error):
    with pytest.raises(error):
        ping(PingTarget(target=target))


def test_missing_right_is_said_as_such():
    network = FakeNetwork()
    network.no_way_out = True
    with pytest.raises(NotAllowed, match="cannot send"):
        ping(PingTarget(target="10.9.9.9"), network)
