"""The poller's own way to an address."""

from __future__ import annotations

import pytest

from services.poller.adapters.traceroute import trace_route
from services.poller.core.roster import Roster
from services.poller.handlers.live.paths import trace_target
from shared.contracts.ids import HostId
from shared.contracts.live import TraceTarget
from shared.errors import NotFound
from tests.fakes.network import FakeResolver


@pytest.mark.needs_root
async def test_way_to_this_very_machine_is_one_step():
    query = TraceTarget(target="here.test", max_hops=3)
    route = await trace_target(
        query, roster=Roster(), resolver=FakeResolver({"here.test": "127.0.0.1"}), trace=trace_route
    )
    assert [hop.address for hop in route.hops] == ["127.0.0.1"]
    assert route.reached


async def test_host_that_nobody_watches_is_not_found():
    with pytest.raises(NotFound):
        await trace_target(
            TraceTarget(target="x", host_id=HostId("01no")), roster=Roster(), resolver=FakeResolver(), trace=trace_route
        )
