"""Facts of hosts and routers become alerts: opened and resolved, told or in the ledger, in one transaction."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.notifier.core import facts, lifecycle
from services.notifier.core.announcements import announcements
from services.notifier.core.incidents import Incident, Relief, Seen, Subject, Trouble
from services.notifier.core.plan import about_incident, nothing, plan
from services.notifier.core.reasons import WhyNot
from services.notifier.handlers import audience
from services.notifier.handlers.lateness import let_newer_pass
from services.notifier.ports import Directory, Messengers, Store, Unit
from shared.clock import Clock
from shared.contracts.events import (
    HostDown,
    HostUnreachable,
    HostUp,
    OutageEnded,
    RouterEvent,
    RouterReachable,
    RouterUnreachable,
)
from shared.contracts.queries import AcknowledgeAlert, AlertTaken
from shared.errors import Conflict, NotFound, Temporary

CONSUMER = "notifier-alerts"
TOO_EARLY_S = 0.2


async def open_host_alert(event: HostDown, *, store: Store, directory: Directory, messengers: Messengers) -> None:
    """A host stopped answering."""
    let_newer_pass(event)
    trouble = facts.host_trouble(event, directory.policy(event.policy))
    await begin(event.message_id(), trouble, store=store, directory=directory, messengers=messengers)


async def resolve_host_alert(event: HostUp, *, store: Store, directory: Directory, messengers: Messengers) -> None:
    """A host answers again."""
    relief = facts.host_relief(event)
    await end(event.message_id(), relief, store=store, directory=directory, messengers=messengers)


async def explain_unreachable(event: HostUnreachable, *, store: Store, **_ports: object) -> None:
    """A host whose parents are down has no alert of its own; the ledger says so. One that was told stays open."""
    async with store.unit() as unit:
        if not await unit.first_time(CONSUMER, event.message_id()):
            return
        alert_id = facts.host_subject(event).alert_id
        _current, seen = await unit.newest_incident(alert_id)
        if not lifecycle.overtaken(event.transition, event.at, seen):
            await unit.saw(alert_id, Seen(event.transition, event.at))
        reason = WhyNot.PART_OF_OUTAGE if event.outage_id else WhyNot.BEHIND_PARENT
        await unit.keep(nothing(alert_id, reason, event.at, words=", ".join(event.behind)))


async def release_outage(event: OutageEnded, *, store: Store, directory: Directory, messengers: Messengers) -> None:
    """The outage of many hosts is over: what is still down of it is told one by one, with its own beginning."""
    async with store.unit() as unit:
        if not await unit.first_time(f"{CONSUMER}-release", event.message_id()):
            return
        for incident in await unit.held_for_outage(event.outage_id):
            after = lifecycle.release_leftover(incident, event.at)
            if isinstance(after, WhyNot):
                continue
            await unit.change_incident(after)
            await tell(unit, after, event.at, directory=directory, messengers=messengers)


async def open_router_alert(
    event: RouterUnreachable, *, store: Store, directory: Directory, messengers: Messengers
) -> None:
    """A router cannot be asked any more."""
    let_newer_pass(event, unless_held=True)  # no summary names routers
    trouble = facts.router_trouble(event, _router(event, directory), directory.policy(facts.CRITICAL_POLICY))
    await begin(event.message_id(), trouble, store=store, directory=directory, messengers=messengers)


async def resolve_router_alert(
    event: RouterReachable, *, store: Store, directory: Directory, messengers: Messengers
) -> None:
    """A router can be asked again."""
    relief = facts.router_relief(event, _router(event, directory))
    await end(event.message_id(), relief, store=store, directory=directory, messengers=messengers)


async def tell(unit: Unit, incident: Incident, at: datetime, *, directory: Directory, messengers: Messengers) -> None:
    """Plan who hears of the incident's newest transition, keep the plan, and announce it on the bus."""
    told = await unit.told(incident.id)
    channels = {channel: messenger.abilities for channel, messenger in messengers.items()}
    everybody = await audience.chats(unit, directory)
    planned = plan(about_incident(incident, at), everybody, channels=channels, told=told)
    await unit.keep(planned)
    for event in announcements(incident, at, planned.audience):
        await unit.publish(event)


async def take_on(
    incident: Incident, *, by: str, at: datetime, unit: Unit, directory: Directory, messengers: Messengers
) -> Incident | WhyNot:
    """A person takes an alert on, wherever they said so. Who was first stays: their incident comes back unchanged."""
    after = lifecycle.acknowledge(incident, by=by, at=at)
    if after is WhyNot.ALREADY_TOLD:
        return incident
    if isinstance(after, WhyNot):
        return after
    await unit.change_incident(after)
    await tell(unit, after, at, directory=directory, messengers=messengers)
    return after


async def acknowledge_alert(
    query: AcknowledgeAlert, *, store: Store, directory: Directory, messengers: Messengers, clock: Clock
) -> AlertTaken:
    """As `take_on`, asked for by another service. Raises NotFound, and Conflict when the alert is over."""
    async with store.unit() as unit:
        incident = await unit.incident(query.incident_id)
        if incident is None:
            raise NotFound("there is no such alert")
        after = await take_on(
            incident, by=query.by, at=clock.now(), unit=unit, directory=directory, messengers=messengers
        )
    if isinstance(after, WhyNot) or after.acknowledged_at is None:
        raise Conflict(f"alert #{incident.number} is over already")
    return AlertTaken(
        incident_id=after.id, number=after.number, by=after.acknowledged_by or "?", at=after.acknowledged_at
    )


async def begin(
    message_id: str, trouble: Trouble, *, store: Store, directory: Directory, messengers: Messengers
) -> None:
    """A trouble becomes an incident, once, unless it is open already or something newer is known."""
    async with store.unit() as unit:
        if not await unit.first_time(CONSUMER, message_id):
            return
        alert_id = trouble.subject.alert_id
        current, seen = await unit.newest_incident(alert_id)
        after = lifecycle.notice(trouble, seen) if trouble.notice else lifecycle.begin(current, trouble, seen)
        if after is not WhyNot.OVERTAKEN:
            await unit.saw(alert_id, Seen(trouble.transition, trouble.at))
        if isinstance(after, WhyNot):
            await unit.keep(nothing(alert_id, after, trouble.at))
            return
        if current is not None and after.id == current.id:  # kept to ourselves until now
            await unit.change_incident(after)
            incident = after
        else:
            incident = await unit.add_incident(after)
        await tell(unit, incident, trouble.at, directory=directory, messengers=messengers)


async def end(message_id: str, relief: Relief, *, store: Store, directory: Directory, messengers: Messengers) -> None:
    """A relief resolves the incident of its trouble, once; one that came too early waits for it."""
    async with store.unit() as unit:
        if not await unit.first_time(CONSUMER, message_id):
            return
        alert_id = relief.subject.alert_id
        current, seen = await unit.newest_incident(alert_id)
        await _wait_for_trouble(message_id, lifecycle.patience(relief, seen), store)
        after = lifecycle.end(current, relief, seen)
        if after is not WhyNot.OVERTAKEN:
            await unit.saw(alert_id, Seen(relief.transition, relief.at))
        if isinstance(after, WhyNot):
            await unit.keep(nothing(alert_id, after, relief.at))
            return
        await unit.change_incident(after)
        await tell(unit, after, relief.at, directory=directory, messengers=messengers)


async def _wait_for_trouble(message_id: str, patience: timedelta, store: Store) -> None:
    """An end that came before its beginning is tried again, until nobody can expect the beginning any more."""
    if patience and not await store.has_waited(message_id, patience):
        raise Temporary("the beginning of this has not been handled yet", retry_after=TOO_EARLY_S)


def _router(event: RouterEvent, directory: Directory) -> Subject:
    router = directory.router(event.router_id)
    return facts.router_subject(
        event, address=router.host if router else "?", site_name=directory.site_name(event.site_id)
    )
