"""From an event to what the api shows of it: history, standings, sessions, how far an account is.

Runs at least once per event, in any order across subjects: the inbox drops repeats, and transition numbers and
generations keep an older fact from overwriting a newer one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from services.api.core.account import Failure, settle_applied, settle_failed
from services.api.core.availability import Change, Counted
from services.api.core.standings import Condition, HostStanding, RouterStanding, RouterState
from services.api.handlers.live import BoardBell
from services.api.ports import Store, Unit
from shared.bus.context import current_envelope
from shared.bus.ports import Handler
from shared.contracts.envelope import Envelope
from shared.contracts.events import (
    AccountApplied,
    AccountFailed,
    AlertAcknowledged,
    AlertEvent,
    AlertOpened,
    AlertResolved,
    Event,
    HostDegraded,
    HostDown,
    HostFlapping,
    HostHeard,
    HostObservation,
    HostRestored,
    HostSilent,
    HostSteady,
    HostTransition,
    HostUnknown,
    HostUnreachable,
    HostUp,
    RouterReachable,
    RouterUnreachable,
    SessionChanged,
    SessionClosed,
    SessionOpened,
)
from shared.contracts.message import Message
from shared.contracts.vocabulary import HostState, LikelyCause
from shared.errors import NotFound

CONSUMER = "api-projection"


class Projector(Protocol):
    """Takes one event in."""

    async def __call__(self, event: Event, envelope: Envelope, *, store: Store, bell: BoardBell) -> None: ...


async def project(event: Event, envelope: Envelope, *, store: Store, bell: BoardBell) -> None:
    """Take one event in, once."""
    async with store.unit() as unit:
        if not await unit.first_time(CONSUMER, envelope.id):
            return
        await unit.history.record(envelope, event)
        if isinstance(event, HostTransition):
            await unit.measured.note_change(event.host_id, change_of(event))
        step = PROJECTIONS.get(type(event))
        if step is not None:
            await step(event, unit)
    bell.ring()


def change_of(event: HostTransition) -> Change:
    """What availability is reckoned from: a host that went down was so since its first lost probe."""
    states = {HostUp: Counted.UP, HostDown: Counted.DOWN, HostUnreachable: Counted.UNREACHABLE}
    since = event.since if isinstance(event, HostDown | HostUnreachable) else event.at
    in_maintenance = bool(getattr(event, "in_maintenance", False))
    return Change(since, event.transition, states.get(type(event), Counted.UNKNOWN), in_maintenance)


async def host_down(event: HostDown, unit: Unit) -> None:
    """The host is down since its first lost probe."""
    standing = HostStanding(
        event.host_id,
        HostState.DOWN,
        event.since,
        event.transition,
        likely_causes=event.likely_causes,
        reason=event.failure,
    )
    await unit.history.set_host(standing)


async def host_up(event: HostUp, unit: Unit) -> None:
    """The host answers."""
    await unit.history.set_host(
        HostStanding(event.host_id, HostState.UP, event.at, event.transition, rtt_ms=event.rtt_ms)
    )


async def host_unknown(event: HostUnknown, unit: Unit) -> None:
    """Nobody can ask the host."""
    await unit.history.set_host(
        HostStanding(event.host_id, HostState.UNKNOWN, event.at, event.transition, reason=event.reason)
    )


async def host_unreachable(event: HostUnreachable, unit: Unit) -> None:
    """What the host hangs on is down: nobody can say more of it."""
    await unit.history.set_host(
        HostStanding(
            event.host_id,
            HostState.UNREACHABLE,
            event.since,
            event.transition,
            likely_causes=(LikelyCause.PARENT_DOWN,) if event.behind else (),
        )
    )


async def host_condition(event: HostObservation, unit: Unit) -> None:
    """A host that answers is not well, or is well again."""
    condition = _CONDITIONS[type(event)]
    begun = isinstance(event, HostFlapping | HostDegraded | HostSilent)
    await unit.history.set_condition(event.host_id, condition, since=event.at if begun else None, at=event.at)


_CONDITIONS: dict[type[HostObservation], Condition] = {
    HostFlapping: Condition.FLAPPING,
    HostSteady: Condition.FLAPPING,
    HostDegraded: Condition.DEGRADED,
    HostRestored: Condition.DEGRADED,
    HostSilent: Condition.SILENT,
    HostHeard: Condition.SILENT,
}


async def router_reachable(event: RouterReachable, unit: Unit) -> None:
    """The router's API answers."""
    standing = RouterStanding(
        event.router_id,
        RouterState.REACHABLE,
        event.at,
        event.transition,
        identity=event.identity,
        version=event.version,
        board=event.board,
        uptime_s=event.uptime_s,
    )
    await unit.history.set_router(standing)


async def router_unreachable(event: RouterUnreachable, unit: Unit) -> None:
    """The router's API cannot be asked; its sessions stay as they were last known."""
    await unit.history.set_router(
        RouterStanding(event.router_id, RouterState.UNREACHABLE, event.at, event.transition, reason=event.reason)
    )


async def session_opened(event: SessionOpened, unit: Unit) -> None:
    """A subscriber is on line."""
    await unit.history.open_session(event)


async def session_changed(event: SessionChanged, unit: Unit) -> None:
    """A session goes on with another address or device."""
    await unit.history.change_session(event)


async def session_closed(event: SessionClosed, unit: Unit) -> None:
    """A subscriber's session ended, whether or not we knew that it was open."""
    await unit.history.close_session(event)


async def account_applied(event: AccountApplied, unit: Unit) -> None:
    """The router follows a generation."""
    try:
        account = await unit.accounts.get(event.account_id, lock=True)
    except NotFound:
        return
    settled = settle_applied(account, event.generation, event.at, event.took_ms)
    if settled is not account:
        await unit.accounts.replace(settled)


async def account_failed(event: AccountFailed, unit: Unit) -> None:
    """The router refused a generation."""
    try:
        account = await unit.accounts.get(event.account_id, lock=True)
    except NotFound:
        return
    settled = settle_failed(account, event.generation, Failure(event.code, event.router_words, event.advice))
    if settled is not account:
        await unit.accounts.replace(settled)


async def alert_told(event: AlertEvent, unit: Unit) -> None:
    """What became of an alert; its events know different parts of it."""
    await unit.alerts.take_in(event)


PROJECTIONS: dict[type[Event], Callable[[Any, Unit], Awaitable[None]]] = {
    HostDown: host_down,
    HostUp: host_up,
    HostUnknown: host_unknown,
    HostUnreachable: host_unreachable,
    **dict.fromkeys(_CONDITIONS, host_condition),
    RouterReachable: router_reachable,
    RouterUnreachable: router_unreachable,
    SessionOpened: session_opened,
    SessionChanged: session_changed,
    SessionClosed: session_closed,
    AccountApplied: account_applied,
    AccountFailed: account_failed,
    AlertOpened: alert_told,
    AlertAcknowledged: alert_told,
    AlertResolved: alert_told,
}


def bind(
    handlers: Mapping[type[Event], Sequence[Projector]], *, store: Store, bell: BoardBell
) -> dict[type[Message], Sequence[Handler]]:
    """The handlers as the bus calls them: with the message alone."""

    def bound(projector: Projector) -> Handler:
        async def handle(event: Event) -> None:
            envelope = current_envelope()
            if envelope is None:
                raise RuntimeError("an event is projected outside of its delivery")
            await projector(event, envelope, store=store, bell=bell)

        return handle

    return {event: [bound(projector) for projector in projectors] for event, projectors in handlers.items()}
