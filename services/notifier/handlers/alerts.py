"""Facts of hosts and routers become alerts: opened and resolved, told or in the ledger, in one transaction."""

from __future__ import annotations

from datetime import datetime

from services.notifier.core import facts, lifecycle
from services.notifier.core.announcements import announcement
from services.notifier.core.incidents import Incident, Relief, Subject, Trouble
from services.notifier.core.plan import about_incident, nothing, plan
from services.notifier.core.reasons import WhyNot
from services.notifier.handlers import audience
from services.notifier.ports import Directory, Messengers, Store, Unit
from shared.contracts.events import HostDown, HostUp, RouterEvent, RouterReachable, RouterUnreachable

CONSUMER = "notifier-alerts"


async def open_host_alert(event: HostDown, *, store: Store, directory: Directory, messengers: Messengers) -> None:
    """A host stopped answering."""
    trouble = facts.host_trouble(event, directory.policy(event.policy))
    await _begin(event.message_id(), trouble, store=store, directory=directory, messengers=messengers)


async def resolve_host_alert(event: HostUp, *, store: Store, directory: Directory, messengers: Messengers) -> None:
    """A host answers again."""
    relief = facts.host_relief(event)
    await _end(event.message_id(), relief, store=store, directory=directory, messengers=messengers)


async def open_router_alert(
    event: RouterUnreachable, *, store: Store, directory: Directory, messengers: Messengers
) -> None:
    """A router cannot be asked any more."""
    trouble = facts.router_trouble(event, _router(event, directory), directory.policy(facts.CRITICAL_POLICY))
    await _begin(event.message_id(), trouble, store=store, directory=directory, messengers=messengers)


async def resolve_router_alert(
    event: RouterReachable, *, store: Store, directory: Directory, messengers: Messengers
) -> None:
    """A router can be asked again."""
    relief = facts.router_relief(event, _router(event, directory))
    await _end(event.message_id(), relief, store=store, directory=directory, messengers=messengers)


async def tell(unit: Unit, incident: Incident, at: datetime, *, directory: Directory, messengers: Messengers) -> None:
    """Plan who hears of the incident's newest transition, keep the plan, and announce it on the bus."""
    told = await unit.told(incident.id)
    channels = {channel: messenger.abilities for channel, messenger in messengers.items()}
    everybody = await audience.chats(unit, directory)
    await unit.keep(plan(about_incident(incident, at), everybody, channels=channels, told=told))
    await unit.publish(announcement(incident, at))


async def _begin(
    message_id: str, trouble: Trouble, *, store: Store, directory: Directory, messengers: Messengers
) -> None:
    async with store.unit() as unit:
        if not await unit.first_time(CONSUMER, message_id):
            return
        after = lifecycle.begin(await unit.newest_incident(trouble.subject.alert_id), trouble)
        if isinstance(after, WhyNot):
            await unit.keep(nothing(trouble.subject.alert_id, after, trouble.at))
            return
        incident = await unit.add_incident(after)
        await tell(unit, incident, trouble.at, directory=directory, messengers=messengers)


async def _end(message_id: str, relief: Relief, *, store: Store, directory: Directory, messengers: Messengers) -> None:
    async with store.unit() as unit:
        if not await unit.first_time(CONSUMER, message_id):
            return
        after = lifecycle.end(await unit.newest_incident(relief.subject.alert_id), relief)
        if isinstance(after, WhyNot):
            await unit.keep(nothing(relief.subject.alert_id, after, relief.at))
            return
        await unit.change_incident(after)
        await tell(unit, after, relief.at, directory=directory, messengers=messengers)


def _router(event: RouterEvent, directory: Directory) -> Subject:
    router = directory.router(event.router_id)
    return facts.router_subject(
        event, address=router.host if router else "?", site_name=directory.site_name(event.site_id)
    )
