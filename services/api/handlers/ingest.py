"""Routers that tell us things themselves: their secrets, and what they say."""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field

from services.api.core.faults import NotAuthenticated, TooManyAttempts
from services.api.core.ingest import read_fields, read_saying
from services.api.core.throttle import LoginThrottle
from services.api.handlers.audit import note
from services.api.ports import IngestToken, Store, Unit
from shared.bus.ports import Bus
from shared.clock import Clock
from shared.contracts.events import RouterSaid
from shared.contracts.ids import RouterId, new_id

TOKEN_PREFIX = "rr_"  # noqa: S105 - so that scanners for leaked secrets recognise ours
RATE_PER_S, BURST = 100.0, 2000.0  # of one token: a full hotspot logs in anew after a power cut
_KNOWN_FOR_S = 10.0  # a token that was revoked opens nothing after this
_MOST_KNOWN = 10_000


async def make_token(router_id: str, *, by: str, unit: Unit, clock: Clock) -> tuple[IngestToken, str]:
    """A new secret of a router beside those it has. Raises NotFound."""
    router = (await unit.routers.get(router_id)).entity
    secret = TOKEN_PREFIX + secrets.token_urlsafe(24)
    token = IngestToken(new_id(), router.id, _digest(secret), clock.now(), by)
    await unit.ingest_tokens.add(token)
    await note(unit, clock, by=by, action="ingest_token.added", entity="router", entity_id=router.id, token=token.id)
    return token, secret


async def revoke_token(router_id: str, token_id: str, *, by: str, unit: Unit, clock: Clock) -> None:
    """The secret opens nothing any more, within seconds. Raises NotFound."""
    await unit.ingest_tokens.remove(router_id, token_id)
    await note(unit, clock, by=by, action="ingest_token.removed", entity="router", entity_id=router_id, token=token_id)


@dataclass(slots=True)
class _Known:
    router_id: RouterId
    until: float
    left: float
    counted_at: float


@dataclass(slots=True)
class Gate:
    """Who a secret belongs to, and how often it may be used. Lives in one process' memory."""

    throttle: LoginThrottle = field(default_factory=LoginThrottle)
    _known: OrderedDict[str, _Known] = field(default_factory=OrderedDict)

    async def router_of(self, secret: str, *, address: str, store: Store, clock: Clock) -> RouterId:
        """The router. Raises NotAuthenticated, and TooManyAttempts for guessing and for flooding."""
        digest, now = _digest(secret), clock.monotonic()
        known = self._known.get(digest)
        if known is None or known.until <= now:
            router_id = await self._asked(digest, address, store, now)
            left, counted_at = (BURST, now) if known is None else (known.left, known.counted_at)
            known = self._known[digest] = _Known(router_id, now + _KNOWN_FOR_S, left, counted_at)
            while len(self._known) > _MOST_KNOWN:
                self._known.popitem(last=False)
        known.left = min(BURST, known.left + (now - known.counted_at) * RATE_PER_S) - 1
        known.counted_at = now
        if known.left < 0:
            known.left = 0.0
            raise TooManyAttempts("This router says too much at once; it is heard again in a second.", retry_after=1.0)
        return known.router_id

    async def _asked(self, digest: str, address: str, store: Store, now: float) -> RouterId:
        keys = (f"ingest:{address}",)
        wait_s = self.throttle.wait_s(keys, now)
        if wait_s > 0:
            raise TooManyAttempts("Too many calls with wrong tokens from this address.", retry_after=wait_s)
        async with store.unit() as unit:
            router_id = await unit.ingest_tokens.router_of(digest)
        if router_id is None:
            self._known.pop(digest, None)
            self.throttle.failed(keys, now)
            raise NotAuthenticated("Unknown token: make one with «ronda router token NAME» and put it into the script.")
        return router_id


async def take_saying(router_id: RouterId, body: bytes, content_type: str, *, bus: Bus, clock: Clock) -> RouterSaid:
    """Say on the bus what a router said. Raises Invalid for what cannot be read, Unreachable while the bus is away."""
    values = read_saying(read_fields(body, content_type), router_id)
    event = RouterSaid.model_validate({**values, "at": clock.now(), "said_id": new_id()})
    await bus.publish(event)
    return event


def _digest(secret: str) -> str:
    # The secrets have 192 random bits, so a plain hash cannot be guessed back.
    return hashlib.sha256(secret.encode()).hexdigest()
