"""The ICMP engine on real sockets: 127.0.0.0/8 and ::1."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from services.poller.adapters.icmp import IcmpProbe
from services.poller.ports import Target
from shared.contracts.vocabulary import ProbeKind
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


async def test_thousands_at_once_are_all_answered(probe):
    asker = RecordingAsker()
    for number in range(4000):
        probe.ask(icmp(f"127.1.{number >> 8}.{number & 255 or 1}"), number, 2.0, asker)
        if number % 200 == 0:
            await asyncio.sleep(0)
    await asker.until(4000, deadline_s=20)
    assert sorted(number for number, _ in asker.answers) == list(range(4000))


async def test_answers_that_waited_in_the_socket_while_we_were_stopped_are_no_losses(probe):
    """The process sleeps longer than the timeout: the kernel has the answer, and its time is the true one."""
    asker = RecordingAsker()
    probe.ask(icmp("127.0.0.1"), 1, 0.05, asker)
    time.sleep(0.3)  # noqa: ASYNC251 -- the whole event loop stands still: that is the story
    await asker.until(1)
    await asyncio.sleep(0)
    [(_, rtt_ms)] = asker.answers
    assert asker.losses == []
    assert rtt_ms < 100.0
