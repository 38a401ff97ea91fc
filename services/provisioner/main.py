"""The provisioner, put together: desired states and orders on one side, routers on the other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

from services.provisioner.adapters.desired_states import StreamedStates
from services.provisioner.adapters.progress import BucketProgress
from services.provisioner.adapters.routers import Connect, InventoryRouters, Trials
from services.provisioner.handlers import ANSWERS, HANDLERS
from services.provisioner.handlers.accounts import AccountWork, carry_out
from services.provisioner.loop import RouterDesks, mind_returns
from services.provisioner.settings import ProvisionerSettings
from shared.bus.nats import NatsBus
from shared.bus.ports import Bus, ConsumerSpec, Handler
from shared.clock import Clock, SystemClock
from shared.contracts.actions import DisconnectSession
from shared.contracts.desired import DesiredAccount
from shared.contracts.message import Message
from shared.contracts.queries import ListProfiles, TestRouter
from shared.contracts.streams import ACTIONS, DESIRED, INVENTORY_BUCKET, STATE_BUCKET
from shared.errors import Unreachable
from shared.lifecycle import Service, run_service
from shared.routeros import RouterSession
from shared.telemetry import Check

_NAME = "provisioner"
_BUS_GRACE_S = 15.0


def main() -> int:
    """Run until a signal; answers the exit code."""
    return run_service(_NAME, ProvisionerSettings, build)


@asynccontextmanager
async def build(
    settings: ProvisionerSettings,
    *,
    clock: Clock | None = None,
    bus: Bus | None = None,
    connect: Connect = RouterSession.connect,
) -> AsyncIterator[Service]:
    """The provisioner, ready to run. What a test gives takes the place of the real thing."""
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        if bus is None:
            connection = NatsBus.connect(settings.nats_url, name=settings.instance, source=_NAME, clock=clock)
            bus = await stack.enter_async_context(connection)
        yield await _assemble(settings, clock, bus, connect)


async def _assemble(settings: ProvisionerSettings, clock: Clock, bus: Bus, connect: Connect) -> Service:
    keys = settings.key_ring()
    inventory, state = await bus.bucket(INVENTORY_BUCKET), await bus.bucket(STATE_BUCKET)
    routers = InventoryRouters(
        keys=keys, clock=clock, session_wait_s=settings.provisioner_session_wait_s, connect=connect
    )
    work = AccountWork(
        routers=routers,
        progress=BucketProgress(state),
        publisher=bus,
        keys=keys,
        clock=clock,
    )
    desks = RouterDesks(partial(carry_out, work=work), places=settings.provisioner_places)
    ports: dict[type[Message], dict[str, Any]] = {
        DesiredAccount: {"desks": desks},
        DisconnectSession: {"routers": routers},
        TestRouter: {"trials": Trials(keys=keys, connect=connect), "clock": clock},
        ListProfiles: {"routers": routers},
    }
    handlers: dict[type[Message], list[Handler]] = {
        kind: [partial(handler, **ports[kind]) for handler in several] for kind, several in HANDLERS.items()
    }

    async def inventory_read() -> None:
        if not routers.known.is_set():
            raise Unreachable("the inventory has not been read yet")

    async def bus_connected() -> None:
        if not bus.connected:
            raise Unreachable("the bus is away")

    async def consume(spec: ConsumerSpec) -> None:
        await routers.known.wait()  # a router that was not read yet would look as if it were away
        await bus.consume(spec, handlers)

    desired = ConsumerSpec(_NAME, DESIRED, (DesiredAccount.filter(),))
    actions = ConsumerSpec(_NAME, ACTIONS, (DisconnectSession.filter(),))
    return Service(
        loops={
            "routers": partial(routers.follow, inventory),
            "desks": desks.work,
            "returns": partial(mind_returns, routers, StreamedStates(bus), desks),
            "desired": partial(consume, desired),
            "actions": partial(consume, actions),
            **{
                kind.NAME: partial(bus.serve, kind, partial(answer, **ports[kind]), queue=_NAME)
                for kind, answer in ANSWERS.items()
            },
        },
        checks={"bus": Check(bus_connected, grace_s=_BUS_GRACE_S), "inventory": Check(inventory_read)},
    )
