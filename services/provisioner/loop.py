"""What wakes the provisioner besides the bus: a router that can be asked again."""

from __future__ import annotations

import asyncio

import structlog

from services.provisioner.handlers.accounts import AccountWork, apply_backlog
from services.provisioner.ports import DesiredStates
from shared.contracts.ids import RouterId
from shared.errors import Temporary

log = structlog.get_logger(__name__)

_AGAIN_S = 2.0


async def mind_returns(states: DesiredStates, work: AccountWork) -> None:
    """Apply the backlog of every router that returns, each router on its own, until cancelled."""
    running: dict[RouterId, asyncio.Task[None]] = {}
    async with asyncio.TaskGroup() as group:
        async for router_id in work.routers.returned():
            if earlier := running.get(router_id):
                earlier.cancel()  # harmless once it is done
            running[router_id] = group.create_task(_catch_up(router_id, states, work))


async def _catch_up(router_id: RouterId, states: DesiredStates, work: AccountWork) -> None:
    while True:
        try:
            await apply_backlog(router_id, states=states, work=work)
        except Temporary as problem:
            log.warning("the backlog could not be applied, trying again", router=router_id, reason=str(problem))
            await asyncio.sleep(_AGAIN_S)
        else:
            return
