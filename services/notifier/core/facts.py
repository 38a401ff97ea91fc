"""What the events of other services mean here: a trouble that begins or one that ends."""

from __future__ import annotations

from services.notifier.core.incidents import AlertKind, Relief, Subject, Trouble
from services.notifier.core.reasons import WhyNot
from shared.contracts.events import HostDown, HostTransition, HostUp, RouterEvent, RouterReachable, RouterUnreachable
from shared.contracts.inventory import ProbePolicy
from shared.contracts.vocabulary import HostState, Severity

CRITICAL_POLICY = "infra"


def host_subject(event: HostTransition) -> Subject:
    """The alert that a host's transitions belong to."""
    return Subject(
        kind=AlertKind.HOST_DOWN,
        object_id=event.host_id,
        name=event.host_name,
        address=event.address,
        site_id=event.site_id,
        site_name=event.site_name,
    )


def host_trouble(event: HostDown, policy: ProbePolicy) -> Trouble:
    """A host that stopped answering: critical where the policy says infrastructure, a warning otherwise."""
    return Trouble(
        subject=host_subject(event),
        severity=Severity.CRITICAL if event.policy == CRITICAL_POLICY else Severity.WARNING,
        since=event.since,
        at=event.at,
        transition=event.transition,
        blip_s=policy.blip_s,
        failure=event.failure,
        likely_causes=event.likely_causes,
        details={"outage_id": event.outage_id} if event.outage_id else {},
        held=_reason_to_hold(event),
    )


def _reason_to_hold(event: HostDown) -> WhyNot | None:
    """Why a host that is down is not told now: something else tells it, or will."""
    if event.backfilled:
        return WhyNot.BACKFILLED
    if event.in_maintenance:
        return WhyNot.IN_MAINTENANCE
    return WhyNot.PART_OF_OUTAGE if event.outage_id else None


def host_relief(event: HostUp) -> Relief:
    """A host that answers again; an outage is told only where the poller measured one."""
    outage_s = event.outage_s if event.previous is not HostState.UNKNOWN else None
    return Relief(
        host_subject(event),
        event.at,
        event.transition,
        outage_s,
        follows_trouble=event.previous is HostState.DOWN,
    )


def router_subject(event: RouterEvent, *, address: str, site_name: str) -> Subject:
    """The alert that a router's transitions belong to. Address and site's name come from the inventory."""
    return Subject(
        kind=AlertKind.ROUTER_UNREACHABLE,
        object_id=event.router_id,
        name=event.router_name,
        address=address,
        site_id=event.site_id,
        site_name=site_name,
    )


def router_trouble(event: RouterUnreachable, subject: Subject, policy: ProbePolicy) -> Trouble:
    """A router whose API cannot be asked: always critical, its subscribers are behind it."""
    return Trouble(
        subject=subject,
        severity=Severity.CRITICAL,
        since=event.at,
        at=event.at,
        transition=event.transition,
        blip_s=policy.blip_s,
        words=event.reason,
    )


def router_relief(event: RouterReachable, subject: Subject) -> Relief:
    """A router that can be asked again."""
    since = event.unreachable_since
    outage_s = (event.at - since).total_seconds() if since else None
    return Relief(subject, event.at, event.transition, outage_s, follows_trouble=since is not None)
