"""The ICMP engine on real sockets: 127.0.0.0/8 and ::1."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from services.poller.adapters.icmp import IcmpProbe
from services.poller.ports import Target
from shared.contracts.vocabulary import ProbeFailure, ProbeKind
from tests.fakes.asker import RecordingAsker


def icmp(address: str) -> Target:
    return Target(ProbeKind.ICMP, address)


@pytest.fixture
async def probe() -> Iterator[IcmpProbe]:
    engine = IcmpProbe()
    if not engine.permitted:
        pytest.fail(f"these tests need ICMP: {engine.refusals}")
    yield engine
    engine.close()


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.8.7", "::1"])
async def test_loopback_answers_with_a_round_trip_time(probe, address):
    asker = RecordingAsker()
    probe.ask(icmp(address), 7, 1.0, asker)
    await asker.until(1)
    [(number, rtt_ms)] = asker.answers
    assert number == 7
    assert 0.0 < rtt_ms < 1000.0


async def test_targets_that_share_an_address_get_their_own_answers(probe):
    askers = [RecordingAsker() for _ in range(50)]
    for number, asker in enumerate(askers):
        probe.ask(icmp("127.0.0.1"), number, 1.0, asker)
    await asyncio.gather(*(asker.until(1) for asker in askers))
    assert [asker.answers[0][0] for asker in askers] == list(range(50))
    assert all(len(asker.answers) == 1 for asker in askers)


async def test_address_that_drops_everything_is_a_timeout(probe):
    """Broadcast of loopback: sent without an error, answered by nobody."""
    asker = RecordingAsker()
    probe.ask(icmp("127.255.255.254"), 1, 0.2, asker)
    await asker.until(1)
    assert asker.answers or asker.losses[0][2] is ProbeFailure.TIMEOUT
