"""Many sessions of a router that end together are one thing: which, how many, of how many, and when they are back.

A window over closings, grouped by what carried the sessions. Pure: whoever closes a session asks `undecided` whether to
wait with telling it, and `drop_of` what it belongs to.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from itertools import islice

from shared.contracts.vocabulary import DropCause

WINDOW = timedelta(seconds=10)  # a cut line is noticed by each session's own keepalive, 10 s by default
FEWEST = 10  # that end together; below, each is told for itself
SHARE = 0.2  # of what the cause carried; below, it is the usual coming and going
NEARLY_ALL = 0.8  # of what a cause carried: then it is the cause, however wide
QUIET = timedelta(seconds=2)  # so long without a further loss: the count is whole
TOGETHER = timedelta(seconds=1)  # what ends so close to another may be a part of something
LONGEST = timedelta(seconds=15)  # after which it is told whatever still comes
HINT = 3  # losses within a second that make the others wait for whether more come
PATIENCE = timedelta(minutes=30)  # for their return

_NARROW_FIRST = (DropCause.VLAN, DropCause.INTERFACE, DropCause.POOL, DropCause.ROUTER)
_ACCOUNTS_NAMED = 50


@dataclass(frozen=True, slots=True)
class Carrier:
    """Something that carries sessions: vlan101, ether2, a pool, the router itself."""

    cause: DropCause
    name: str


@dataclass(frozen=True, slots=True)
class Loss:
    """A session that ended."""

    session_id: str
    account: str
    carriers: frozenset[Carrier]
    at: datetime


@dataclass(frozen=True, slots=True)
class Dropped:
    """`lost` of `of` sessions of one carrier ended between `since` and `at`."""

    drop_id: str
    carrier: Carrier
    since: datetime
    at: datetime
    lost: int
    of: int
    accounts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Returned:
    """`back` of the `lost` are on line again: most of them, or patience is over."""

    drop_id: str
    carrier: Carrier
    dropped_at: datetime
    at: datetime
    back: int
    lost: int


@dataclass
class _Drop:
    """One drop from its first loss to its end. `carried`: what its router carried before."""

    drop_id: str
    losses: list[Loss]
    counted: Counter[Carrier]  # the losses by what carried them
    carried: Counter[Carrier]
    carrier: Carrier
    told_at: datetime | None = None
    back: set[str] = field(default_factory=set)

    def add(self, loss: Loss) -> None:
        self.losses.append(loss)
        self.counted.update(loss.carriers)

    def of_carrier(self) -> list[Loss]:
        return [loss for loss in self.losses if self.carrier in loss.carriers]


class MassDropWatch:
    """The closings of one router. `carried` says how many open sessions each carrier has now."""

    def __init__(self, carried: Callable[[], Counter[Carrier]]) -> None:
        self._carried = carried
        self._recent: deque[Loss] = deque()
        self._now: _Drop | None = None  # being counted
        self._told: list[_Drop] = []  # waiting for their sessions
        self._drop_ids: dict[str, str] = {}  # by session, while it may still be asked for
        self._together: set[str] = set()  # sessions that did not end alone
        self._look_again_at = FEWEST  # losses; looking at all that is carried costs time

    def lost(self, loss: Loss) -> None:
        """A session ended; it is counted as open no more."""
        self._forget(loss.at)
        self._recent.append(loss)
        near = [other for other in islice(reversed(self._recent), HINT) if loss.at - other.at <= TOGETHER]
        if len(near) == HINT:
            self._together.update(other.session_id for other in near)
        if self._now is not None:
            self._now.add(loss)
            self._now.carrier = _cause(self._now) or self._now.carrier
        elif (late := self._late(loss)) is not None:
            late.add(loss)
            self._drop_ids[loss.session_id] = late.drop_id
        elif len(self._recent) >= self._look_again_at:
            self._now = self._begin()

    def undecided(self, loss: Loss, now: datetime) -> bool:
        """Whether it is too early to tell this ending: more may follow that make it a part of something."""
        if self._now is not None or loss.session_id not in self._together or loss.session_id in self._drop_ids:
            return False
        return now - self._recent[-1].at < TOGETHER and now - loss.at < WINDOW / 2

    def drop_of(self, loss: Loss) -> str | None:
        """What this ending is a part of."""
        if self._now is not None and self._now.carrier in loss.carriers:
            return self._now.drop_id
        return self._drop_ids.get(loss.session_id)

    def opened(self, account: str, at: datetime) -> list[Returned]:
        """Somebody is on line (again)."""
        for drop in [self._now, *self._told]:
            if drop is not None:
                drop.back.add(account)
        return self._returned(at)

    def due(self, now: datetime) -> list[Dropped | Returned]:
        """What time alone decides."""
        found: list[Dropped | Returned] = []
        drop = self._now
        if drop is not None:
            since, last = drop.losses[0].at, drop.losses[-1].at
            if now - last >= QUIET or now - since >= LONGEST:
                found.append(self._tell(drop, now))
        return [*found, *self._returned(now)]

    def next_at(self) -> datetime | None:
        """When `due` may have something to say."""
        moments = [drop.told_at + PATIENCE for drop in self._told if drop.told_at is not None]
        if self._now is not None:
            moments.append(min(self._now.losses[-1].at + QUIET, self._now.losses[0].at + LONGEST))
        return min(moments, default=None)

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _begin(self) -> _Drop | None:
        losses = list(self._recent)
        counted = Counter(carrier for loss in losses for carrier in loss.carriers)
        carried = self._carried()
        carried.update(counted)
        if not any(_noticeable(counted[carrier], carried[carrier]) for carrier in counted):
            self._look_again_at = len(losses) + max(1, len(losses) // 5)
            return None
        self._look_again_at = FEWEST
        first = losses[0]
        drop_id = blake2b(first.session_id.encode(), digest_size=6).hexdigest()
        drop = _Drop(drop_id, losses, counted, carried, Carrier(DropCause.ROUTER, ""))
        drop.carrier = _cause(drop) or drop.carrier
        return drop

    def _tell(self, drop: _Drop, now: datetime) -> Dropped:
        losses = drop.of_carrier()
        drop.told_at, self._now = now, None
        self._told.append(drop)
        self._drop_ids |= {loss.session_id: drop.drop_id for loss in losses}
        accounts = tuple(dict.fromkeys(loss.account for loss in losses))[:_ACCOUNTS_NAMED]
        of = max(len(losses), drop.carried[drop.carrier])
        return Dropped(drop.drop_id, drop.carrier, losses[0].at, now, len(losses), of, accounts)

    def _forget(self, now: datetime) -> None:
        while self._recent and now - self._recent[0].at > WINDOW:
            old = self._recent.popleft().session_id
            self._drop_ids.pop(old, None)
            self._together.discard(old)
            self._look_again_at = FEWEST

    def _late(self, loss: Loss) -> _Drop | None:
        for drop in self._told:
            if drop.carrier in loss.carriers and drop.told_at is not None and loss.at - drop.told_at <= WINDOW:
                return drop
        return None

    def _returned(self, now: datetime) -> list[Returned]:
        found: list[Returned] = []
        for drop in list(self._told):
            losses = drop.of_carrier()
            back = sum(loss.account in drop.back for loss in losses)
            told_at = drop.told_at or now
            if back >= NEARLY_ALL * len(losses) or now - told_at >= PATIENCE:
                self._told.remove(drop)
                found.append(Returned(drop.drop_id, drop.carrier, told_at, now, back, len(losses)))
        return found


def _noticeable(lost: int, of: int) -> bool:
    return lost >= FEWEST and lost >= SHARE * of


def _cause(drop: _Drop) -> Carrier | None:
    """The narrowest thing that explains nearly all losses, of those that lost nearly all they had if there are any."""
    counted = drop.counted
    fitting = [carrier for carrier in counted if _noticeable(counted[carrier], drop.carried[carrier])]
    emptied = [carrier for carrier in fitting if counted[carrier] >= NEARLY_ALL * drop.carried[carrier]]
    most = max((counted[carrier] for carrier in emptied), default=len(drop.losses))
    explaining = [carrier for carrier in emptied or fitting if counted[carrier] >= NEARLY_ALL * most]
    return min(explaining, key=lambda carrier: (_NARROW_FIRST.index(carrier.cause), carrier.name), default=None)
