"""What is seen on hosts, routers and pollers besides up and down, as troubles, reliefs and notices.

Such an event has no transition number; the second in which its trouble began takes its place, and one more for its end,
so that an end that comes by another way before its beginning waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.notifier.core.incidents import AlertKind, Detail, Relief, Subject, Trouble
from services.notifier.core.reasons import WhyNot
from shared.contracts import events as e
from shared.contracts.ids import RouterId, SiteId
from shared.contracts.vocabulary import RouterResource, Severity, Threat

NO_SITE = SiteId("")


@dataclass(frozen=True, slots=True)
class Place:
    """What the inventory adds to an event: names that it does not carry itself."""

    site_name: str = ""
    address: str = ""


Where = Callable[[SiteId, RouterId | None], Place]
"""The name of a site and the address of a router."""

_HOT = frozenset({RouterResource.TEMPERATURE, RouterResource.VOLTAGE})
_PASSING = frozenset({Threat.LOGIN_FAILURES, Threat.ROGUE_DHCP, Threat.TRAFFIC_ABNORMAL})
_THREAT_SEVERITY = {
    Threat.LOGIN_FAILURES: Severity.WARNING,
    Threat.UNKNOWN_LOGIN: Severity.CRITICAL,
    Threat.CONFIGURATION_CHANGED: Severity.WARNING,
    Threat.ROGUE_DHCP: Severity.CRITICAL,
    Threat.TRAFFIC_ABNORMAL: Severity.WARNING,
}


# ── hosts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _host(kind: AlertKind, event: e.HostObservation) -> Subject:
    return Subject(kind, event.host_id, event.host_name, event.address, event.site_id, event.site_name)


def flapping(event: e.HostFlapping, _where: Where) -> Trouble:
    """A host that changes all the time."""
    return _trouble(
        _host(AlertKind.HOST_FLAPPING, event), event, Severity.WARNING, changes=event.changes, window_s=event.window_s
    )


def steady(event: e.HostSteady, _where: Where) -> Relief:
    """It has stopped doing so."""
    return _relief(_host(AlertKind.HOST_FLAPPING, event), event, event.flapping_since, state=event.state)


def degraded(event: e.HostDegraded, _where: Where) -> Trouble:
    """A connection much worse than usual."""
    seen = event.quality
    return _trouble(
        _host(AlertKind.HOST_DEGRADED, event),
        event,
        event.severity,
        faults=",".join(event.faults),
        loss_percent=seen.loss_percent,
        delay_ms=seen.delay_ms,
        jitter_ms=seen.jitter_ms,
        usual_ms=event.usual_ms,
        words=event.words or None,
    )


def restored(event: e.HostRestored, _where: Where) -> Relief:
    """It is as it was."""
    return _relief(_host(AlertKind.HOST_DEGRADED, event), event, event.degraded_since)


def silent(event: e.HostSilent, _where: Where) -> Trouble:
    """A host that lives and answers no probe."""
    return _trouble(
        _host(AlertKind.HOST_SILENT, event),
        event,
        Severity.WARNING,
        since=event.since,
        witness=event.witness,
        seen_by=event.seen_by,
    )


def heard(event: e.HostHeard, _where: Where) -> Relief:
    """It answers again."""
    return _relief(_host(AlertKind.HOST_SILENT, event), event, event.silent_since)


# ── many hosts, pollers ─────────────────────────────────────────────────────────────────────────────────────────────


def _outage(event: e.OutageBegan | e.OutageEnded, where: Where) -> Subject:
    return Subject(
        AlertKind.OUTAGE,
        event.outage_id,
        event.object_name,
        "",
        event.site_id,
        where(event.site_id, None).site_name,
    )


def outage(event: e.OutageBegan, where: Where) -> Trouble:
    """Many hosts fell silent together."""
    return _trouble(
        _outage(event, where),
        event,
        Severity.CRITICAL,
        since=event.since,
        hosts=event.hosts,
        of=event.of,
        extent=event.extent,
    )


def outage_over(event: e.OutageEnded, where: Where) -> Relief:
    """What is left is told one by one."""
    return _relief(_outage(event, where), event, event.since, still_down=event.still_down)


def _poller(kind: AlertKind, instance: str, cause: str = "") -> Subject:
    return Subject(kind, instance, instance, "", NO_SITE, "", cause)


def blind(event: e.PollerBlind, _where: Where) -> Trouble:
    """A poller that sees nothing: what it watches is unknown."""
    return _trouble(
        _poller(AlertKind.POLLER_BLIND, event.instance),
        event,
        Severity.CRITICAL,
        since=event.since,
        sentinels=", ".join(event.sentinels),
    )


def sighted(event: e.PollerSighted, _where: Where) -> Relief:
    """It sees again."""
    return _relief(_poller(AlertKind.POLLER_BLIND, event.instance), event, event.blind_since)


def returned(event: e.PollerReturned, _where: Where) -> Trouble:
    """A poller that was cut off has told what it saw: one summary in place of many late alarms."""
    return _notice(
        _poller(AlertKind.POLLER_RETURNED, event.instance, event.away_since.isoformat()),
        event,
        Severity.WARNING if event.hosts_down else Severity.INFO,
        since=event.away_since,
        facts=event.facts,
        down=len(event.hosts_down),
        names=", ".join(event.hosts_down[:5]),
    )


# ── routers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _router(
    kind: AlertKind, event: e.RouterObservation | e.SessionsDropped | e.SessionsReturned, where: Where, cause: str = ""
) -> Subject:
    place = where(event.site_id, event.router_id)
    return Subject(kind, event.router_id, event.router_name, place.address, event.site_id, place.site_name, cause)


def stressed(event: e.RouterStressed, where: Where) -> Trouble:
    """A value beyond its limit."""
    return _trouble(
        _router(AlertKind.ROUTER_STRESSED, event, where, f"{event.resource}:{event.part}"),
        event,
        Severity.CRITICAL if event.resource in _HOT else Severity.WARNING,
        since=event.since,
        resource=event.resource,
        part=event.part,
        value=event.value,
        limit=event.limit,
        unit=event.unit,
    )


def relieved(event: e.RouterRelieved, where: Where) -> Relief:
    """It is well below again."""
    subject = _router(AlertKind.ROUTER_STRESSED, event, where, f"{event.resource}:{event.part}")
    return _relief(subject, event, event.stressed_since, value=event.value)


def rebooted(event: e.RouterRebooted, where: Where) -> Trouble:
    """A router started anew."""
    subject = _router(AlertKind.ROUTER_REBOOTED, event, where, event.message_id())
    return _notice(
        subject,
        event,
        Severity.WARNING,
        since=event.booted_at,
        uptime_before_s=event.uptime_before_s,
        words=event.words or None,
    )


def upgraded(event: e.RouterUpgraded, where: Where) -> Trouble:
    """A router runs another version."""
    subject = _router(AlertKind.ROUTER_UPGRADED, event, where, event.at.isoformat())
    return _notice(subject, event, Severity.INFO, version=event.version, version_before=event.version_before)


def neighbor(event: e.NeighborSeen, where: Where) -> Trouble:
    """A neighbour that was never seen before: kept, not told; whoever wants it subscribes to the event."""
    subject = _router(AlertKind.NEIGHBOR_SEEN, event, where, event.mac)
    held = WhyNot.FOR_THE_RECORD
    return _notice(subject, event, Severity.INFO, held=held, mac=event.mac, interface=event.interface)


def interface_down(event: e.InterfaceDown, where: Where) -> Trouble:
    """A link is gone."""
    subject = _router(AlertKind.INTERFACE_DOWN, event, where, event.interface)
    return _trouble(
        subject,
        event,
        Severity.WARNING,
        transition=event.change,
        interface=event.interface,
        comment=event.comment,
    )


def interface_up(event: e.InterfaceUp, where: Where) -> Relief:
    """The link is back."""
    return Relief(
        _router(AlertKind.INTERFACE_DOWN, event, where, event.interface),
        event.at,
        event.change,
        follows_trouble=event.down_since is not None,
    )


def interface_withdrawn(event: e.InterfaceWithdrawn, where: Where) -> Relief:
    """Nobody expects the link any more."""
    subject = _router(AlertKind.INTERFACE_DOWN, event, where, event.interface)
    return Relief(subject, event.at, event.change, details={"withdrawn": 1})


def threat(event: e.ThreatSuspected, where: Where) -> Trouble:
    """Something that a person should look at; what does not last is over as soon as it is told."""
    return _trouble(
        _router(AlertKind.THREAT, event, where, event.threat_id),
        event,
        _THREAT_SEVERITY[event.threat],
        since=event.since,
        notice=event.threat not in _PASSING,
        threat=event.threat,
        source=event.source,
        user=event.user,
        via=event.via,
        count=event.count,
        value=event.value,
        usual=event.usual,
        unit=event.unit,
        words=event.words or None,
    )


def threat_over(event: e.ThreatPassed, where: Where) -> Relief:
    """It has stopped."""
    return _relief(_router(AlertKind.THREAT, event, where, event.threat_id), event, event.suspected_since)


def dropped(event: e.SessionsDropped, where: Where) -> Trouble:
    """Many sessions ended together."""
    return _trouble(
        _router(AlertKind.SESSIONS_DROPPED, event, where, event.drop_id),
        event,
        Severity.CRITICAL,
        since=event.since,
        lost=event.lost,
        of=event.of,
        cause=event.cause,
        cause_name=event.cause_name,
    )


def came_back(event: e.SessionsReturned, where: Where) -> Relief:
    """Most of them are back."""
    subject = _router(AlertKind.SESSIONS_DROPPED, event, where, event.drop_id)
    return _relief(subject, event, event.dropped_at, back=event.back)


# ── inside ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _trouble(
    subject: Subject,
    event: e.Event,
    severity: Severity,
    *,
    since: datetime | None = None,
    transition: int | None = None,
    notice: bool = False,
    held: WhyNot | None = None,
    words: str | None = None,
    **details: Detail,
) -> Trouble:
    began = since or event.at
    return Trouble(
        subject=subject,
        severity=severity,
        since=began,
        at=event.at,
        transition=_second(began) if transition is None else transition,
        blip_s=0.0,
        words=words,
        details=dict(_known(details.items())),
        notice=notice,
        held=held or (WhyNot.BACKFILLED if event.backfilled else None),
    )


def _notice(subject: Subject, event: e.Event, severity: Severity, **more: Any) -> Trouble:
    return _trouble(subject, event, severity, notice=True, **more)


def _relief(subject: Subject, event: e.Event, began: datetime, **details: Detail) -> Relief:
    outage_s = max(0.0, (event.at - began).total_seconds())
    return Relief(subject, event.at, _second(began) + 1, outage_s, details=dict(_known(details.items())))


def _second(moment: datetime) -> int:
    return int(moment.timestamp())


def _known(details: Iterable[tuple[str, Detail]]) -> Iterable[tuple[str, Detail]]:
    return ((name, value) for name, value in details if value not in (None, ""))


TROUBLES: dict[type[e.Event], Callable[[Any, Where], Trouble]] = {
    e.HostFlapping: flapping,
    e.HostDegraded: degraded,
    e.HostSilent: silent,
    e.OutageBegan: outage,
    e.PollerBlind: blind,
    e.PollerReturned: returned,
    e.RouterStressed: stressed,
    e.RouterRebooted: rebooted,
    e.RouterUpgraded: upgraded,
    e.NeighborSeen: neighbor,
    e.InterfaceDown: interface_down,
    e.ThreatSuspected: threat,
    e.SessionsDropped: dropped,
}
RELIEFS: dict[type[e.Event], Callable[[Any, Where], Relief]] = {
    e.HostSteady: steady,
    e.HostRestored: restored,
    e.HostHeard: heard,
    e.OutageEnded: outage_over,
    e.PollerSighted: sighted,
    e.RouterRelieved: relieved,
    e.InterfaceUp: interface_up,
    e.InterfaceWithdrawn: interface_withdrawn,
    e.ThreatPassed: threat_over,
    e.SessionsReturned: came_back,
}
