"""Questions about routers: who are you, and which profiles do you have?"""

from __future__ import annotations

from services.provisioner.core.account import PROFILE_MENU
from services.provisioner.ports import Routers, TrialSessions
from shared.clock import Clock
from shared.contracts.queries import ListProfiles, ProfileList, RouterFound, TestRouter
from shared.contracts.vocabulary import Service
from shared.routeros import FeatureMissing, Query, Session, equals

NEEDED_POLICIES = frozenset({"api", "read", "write", "test"})
_TRIAL_USER = "default-trial"  # a hotspot's built-in row; no person


async def test_router(query: TestRouter, *, trials: TrialSessions, clock: Clock) -> RouterFound:
    """Log in and look round."""
    started = clock.monotonic()
    async with trials.open(query.router) as session:
        policies = await session.policies()
        return RouterFound(
            identity=session.facts.identity,
            version=str(session.facts.version),
            board=session.facts.board,
            uptime_s=int(session.facts.uptime.total_seconds()),
            policies=tuple(sorted(policies or ())),
            missing_policies=() if policies is None else tuple(sorted(NEEDED_POLICIES - policies)),
            hotspot_users=await _count(session, "/ip/hotspot/user", ~equals("name", _TRIAL_USER)),
            ppp_secrets=await _count(session, "/ppp/secret"),
            took_ms=round((clock.monotonic() - started) * 1000, 1),
        )


async def list_profiles(query: ListProfiles, *, routers: Routers) -> ProfileList:
    """The names of a router's profiles, as the router orders them."""
    async with routers.session(query.router_id, patient=True) as session:
        return ProfileList(
            hotspot=await _names(session, PROFILE_MENU[Service.HOTSPOT]),
            ppp=await _names(session, PROFILE_MENU[Service.PPP]),
        )


async def _count(session: Session, menu: str, query: Query | None = None) -> int | None:
    try:
        return await session.count(menu, query)
    except FeatureMissing:
        return None


async def _names(session: Session, menu: str) -> tuple[str, ...]:
    try:
        rows = await session.print_rows(menu, ("name",))
    except FeatureMissing:
        return ()
    return tuple(row["name"] for row in rows if "name" in row)
