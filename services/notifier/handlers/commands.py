"""The bot's commands. None of them knows through which channel it was given."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from services.notifier.core import targets
from services.notifier.core.commands import CommandName, incident_number
from services.notifier.core.incidents import AlertKind, Incident
from services.notifier.core.markup import Document
from services.notifier.core.messages import bot
from services.notifier.core.reasons import WhyNot
from services.notifier.core.targets import Target, resolve, visible
from services.notifier.handlers.alerts import take_on
from services.notifier.handlers.desk import Ask, CommandHandler, Desk
from shared.contracts.queries import ListWatched, PingTarget, WatchReport
from shared.contracts.vocabulary import HostState
from shared.errors import RondaError

DEFAULT_COUNT, MOST_PINGS = 4, 20
PING_MARGIN = timedelta(seconds=5)


async def menu(ask: Ask, desk: Desk) -> Document:  # noqa: ARG001 - one signature for all commands
    """`/start`, `/menu`, `/help`: what this chat can do here."""
    return bot.menu(ask.chat.role, ask.say)


async def ping(ask: Ask, desk: Desk) -> Document:
    """`/ping <host or address> [count]`."""
    if not ask.arguments:
        return bot.ping_usage(ask.say)
    written = ask.arguments[0]
    target = resolve(written, desk.directory.hosts(), desk.directory.routers(), ask.chat.site_ids)
    if not isinstance(target, Target):
        return bot.target_unclear(written, target, ask.say)
    count = _count(ask.arguments)
    query = PingTarget(target=target.address, host_id=target.host_id, count=count)
    try:
        report = await desk.bus.request(query, deadline=timedelta(seconds=count) + PING_MARGIN)
    except RondaError as error:
        return bot.failed(str(error), ask.say)
    return bot.ping_result(target, report, ask.say)


async def monitor(ask: Ask, desk: Desk) -> Document:
    """`/monitor`: every host and router that this chat may see, with its state."""
    try:
        report, blind = await desk.bus.request(ListWatched()), None
    except RondaError as error:
        report, blind = WatchReport(), str(error)
    open_now = {incident.subject.object_id: incident for incident in await desk.store.open_incidents()}
    rows = [*_hosts(ask, desk, report, open_now), *_routers(ask, desk, report, open_now)]
    return bot.monitor(rows, ask.say, blind=blind)


async def ack(ask: Ask, desk: Desk) -> Document:
    """`ack <number>`, or `ack` as the answer to an alert's message, or its button: take an alert on."""
    number = incident_number(ask.arguments)
    if number is None and ask.incoming.reply_to is not None:
        number = await desk.store.number_of_message(ask.chat.id, ask.incoming.reply_to)
    if number is None:
        return bot.ack_refused(None, None, ask.say)
    async with desk.store.unit() as unit:
        incident = await unit.incident_numbered(number)
        if incident is None or not visible(incident.subject.site_id, ask.chat.site_ids):
            return bot.ack_refused(number, None, ask.say)
        after = await take_on(
            incident,
            by=ask.incoming.sender_name,
            at=desk.clock.now(),
            unit=unit,
            directory=desk.directory,
            messengers=desk.messengers,
        )
    return bot.ack_refused(number, after, ask.say) if isinstance(after, WhyNot) else bot.acknowledged(after, ask.say)


COMMANDS: Mapping[CommandName, CommandHandler] = {
    CommandName.START: menu,
    CommandName.MENU: menu,
    CommandName.HELP: menu,
    CommandName.PING: ping,
    CommandName.MONITOR: monitor,
    CommandName.ACK: ack,
}


def _count(arguments: tuple[str, ...]) -> int:
    written = arguments[1] if len(arguments) > 1 else ""
    count = int(written) if written.isascii() and written.isdigit() and len(written) < 4 else DEFAULT_COUNT
    return min(max(count, 1), MOST_PINGS)


def _hosts(ask: Ask, desk: Desk, report: WatchReport, open_now: dict[str, Incident]) -> list[bot.Watched]:
    seen = {watched.host_id: watched for watched in report.hosts}
    rows = []
    for host in desk.directory.hosts():
        if not host.enabled or not targets.visible(host.site_id, ask.chat.site_ids):
            continue
        watched = seen.get(host.id)
        state = watched.state if watched else HostState.DOWN if host.id in open_now else HostState.UNKNOWN
        note = f"{ask.say.number(watched.rtt_ms, 1)} ms" if watched and watched.rtt_ms is not None else ""
        rows.append(bot.Watched(host.name, host.address, desk.directory.site_name(host.site_id), state, note))
    return rows


def _routers(ask: Ask, desk: Desk, report: WatchReport, open_now: dict[str, Incident]) -> list[bot.Watched]:
    rows = []
    for router in desk.directory.routers():
        if not router.enabled or not targets.visible(router.site_id, ask.chat.site_ids):
            continue
        incident = open_now.get(router.id)
        sessions = report.sessions.get(router.id)
        state = HostState.UNKNOWN if sessions is None else HostState.UP
        if incident is not None and incident.subject.kind is AlertKind.ROUTER_UNREACHABLE:
            state, sessions = HostState.UNREACHABLE, None  # blind is not gone: no number is better than an old one
        note = "" if sessions is None else bot.sessions_note(sessions, ask.say)
        rows.append(bot.Watched(router.name, router.host, desk.directory.site_name(router.site_id), state, note))
    return rows
