"""Keep a poller's lease, and hold exactly the parts of the watch that are its own.

The lease is one key that is written each second and runs out 3 s after the last time. Whoever cannot write it stops
telling before anybody else may take over: by its own monotonic clock, which also runs while a process is frozen. After
that nothing is told until the lease is written again and the table was written (not only read) by us, so that whoever
wanted to take over on the strength of an older look has to look again, and sees us.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable
from typing import Final, Protocol

import structlog

from services.poller.core.shards import (
    NOBODY,
    Member,
    Part,
    Table,
    checked,
    part_of,
    pinned,
    released,
    taken,
    to_release,
    to_take,
)
from services.poller.core.share_records import (
    MEMBERS,
    TABLE_KEY,
    MemberRecord,
    TableRecord,
    member_key,
    read_member,
    read_table,
)
from services.poller.handlers.claims import Claim
from shared.bus.ports import Bucket, Entry, Gone
from shared.clock import Clock
from shared.contracts.ids import SiteId
from shared.contracts.streams import LEASES_BUCKET
from shared.errors import Conflict, RondaError, Temporary

RENEW_S: Final = 1.0
TRUST_S: Final = LEASES_BUCKET.ttl_s - 0.5  # the others count from when the server wrote the lease, which is later
_PATIENCE_S: Final = 1.5  # for one renewal; the next try may go through
_SILENT_S: Final = LEASES_BUCKET.ttl_s + 1.0  # a poller not heard of for so long may be dead: ask
_SETTLE_S: Final = LEASES_BUCKET.ttl_s  # after we were away: the others may be on their way back, too
_PIN_S: Final = 1.5  # between saying that a site is pinned and taking it: those who have it let go

log = structlog.get_logger(__name__)


class Holder(Protocol):
    """Who does the work of the parts."""

    async def occupy(self, parts: frozenset[Part]) -> None:
        """These are ours now: remember them and watch them."""
        ...

    async def vacate(self, parts: frozenset[Part]) -> None:
        """Watch these no longer, and tell what was seen."""
        ...

    def lose(self, parts: frozenset[Part]) -> None:
        """Another poller has these: what we saw of them is void."""
        ...

    def redrawn(self) -> None:
        """Other sites than before are pinned: hosts and routers belong to other parts."""
        ...


class Tenure:
    """One poller's lease and holdings. `open` and `stands` are what the teller asks."""

    def __init__(
        self,
        leases: Bucket,
        shards: Bucket,
        holder: Holder,
        clock: Clock,
        *,
        name: str,
        instance: str,
        sites: Callable[[], frozenset[SiteId] | None] = lambda: None,
        on_away: Callable[[float], None] = lambda _since: None,
        on_return: Callable[[float], None] = lambda _since: None,
        on_table: Callable[[Table], None] = lambda _table: None,
    ) -> None:
        """`sites`: to which the poller is pinned, as far as they are known by now; None: it takes shards.

        `on_away` and `on_return` hear since when (monotonic seconds) the lease is or was not ours; `on_return` before
        anything is told. `on_table` hears of every new table.
        """
        self._leases = leases
        self._shards = shards
        self._holder = holder
        self._clock = clock
        self._sites = sites
        self._on_away = on_away
        self._on_return = on_return
        self._on_table = on_table
        self.name = name
        self.instance = instance
        self._members: dict[str, tuple[Member, float]] = {}
        self._table = Table()
        self._revision = 0
        self._held: dict[Part, int] = {}
        self._occupied: set[Part] = set()
        self._trusted_until = float("-inf")
        self._renewed_at = float("-inf")
        self._rob_from = float("-inf")
        self._take_from = float("-inf")
        self._seen_members = False
        self._may_tell = asyncio.Event()
        self._look = asyncio.Event()
        self._trouble = ""
        self._away_since: float | None = None  # monotonic; None while the lease is ours, and before it first was
        self.settled = False
        self.takeovers_total = 0

    def assume(self, table: Table, *, away_since: float) -> None:
        """Begin with what an earlier life of this poller knew: the bus is away. Nothing is told before it is back."""
        self._table = table
        self._held = table.held_by(self.name)
        self._occupied = set(self._held)
        self._away_since = away_since
        self.settled = True

    # ── what others ask ─────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def valid(self) -> bool:
        """Whether nobody else can have taken what we hold."""
        return self._clock.monotonic() < self._trusted_until

    @property
    def parts(self) -> Collection[Part]:
        """What we hold, as far as we know."""
        return self._held.keys()

    @property
    def pins(self) -> Collection[SiteId]:
        """The sites that have pollers of their own."""
        return self._table.pins.keys()

    @property
    def lease_age_s(self) -> float:
        """Seconds since the lease was written."""
        return self._clock.monotonic() - self._renewed_at

    def part(self, token: str, site_id: SiteId | None) -> Part:
        """Where a host or a router belongs now."""
        return part_of(token, site_id, self._table.pins)

    def holds(self, part: Part) -> bool:
        """Whether this part is ours to watch."""
        return part in self._occupied

    def others(self) -> list[Member]:
        """The other pollers that live."""
        return [member for name, member in self._live().items() if name != self.name]

    def claim(self, part: Part) -> Claim | None:
        """In whose name a fact of this part is told; None if it is not ours."""
        epoch = self._held.get(part)
        return None if epoch is None else Claim(part, epoch)

    def stands(self, claim: Claim) -> bool:
        """Whether the part has been ours all the time since the claim was made."""
        return self._held.get(claim.part) == claim.epoch

    async def open(self) -> None:
        """Wait until we may tell."""
        while not self.valid:
            self._may_tell.clear()
            await self._may_tell.wait()

    # ── the lease ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def renew(self) -> None:
        """Write the lease each second until cancelled."""
        while True:
            began = self._clock.monotonic()
            try:
                await self._renew_once(began)
            except (Temporary, TimeoutError, Conflict) as problem:
                self._say_trouble(str(problem) or "the lease could not be written in time")
                self._note_absence()
                await asyncio.sleep(RENEW_S / 4)
                continue
            self._trouble = ""
            self._look.set()
            await asyncio.sleep(max(0.0, began + RENEW_S - self._clock.monotonic()))

    async def _renew_once(self, began: float) -> None:
        lapsed = not self.valid
        self._note_absence()
        sites = self._sites()
        me = Member(self.name, self.instance, sites)
        async with asyncio.timeout(_PATIENCE_S):
            await self._leases.put(member_key(self.name), MemberRecord.of(me).model_dump_json().encode())
            self._members[self.name] = me, began
            if lapsed:
                await self._check(began)
        if self._clock.monotonic() >= began + TRUST_S:
            return  # we slept meanwhile: this says nothing any more
        self._renewed_at = began
        self._trusted_until = began + TRUST_S
        if self._away_since is not None:
            away_since, self._away_since = self._away_since, None
            self._on_return(away_since)
        self._may_tell.set()

    def _note_absence(self) -> None:
        if self._away_since is None and not self.valid and self._renewed_at > float("-inf"):
            self._away_since = self._trusted_until
            self._on_away(self._away_since)

    async def _check(self, began: float) -> None:
        """We were away (or are new): see what is still ours, in a way that stops whoever is about to take it."""
        if self._trusted_until > float("-inf"):
            self._rob_from = began + _SETTLE_S
        await self._read_table()
        while self._table.held_by(self.name):
            try:
                await self._write_table(checked(self._table))
            except Conflict:
                await self._read_table()
            else:
                return

    def _say_trouble(self, reason: str) -> None:
        if self._trouble != reason:  # changes, not repetitions
            self._trouble = reason
            log.warning("the lease cannot be renewed", reason=reason)

    # ── who lives, who holds ────────────────────────────────────────────────────────────────────────────────────────

    async def follow_members(self) -> None:
        """Follow the leases until cancelled."""
        async for change in self._leases.watch(MEMBERS):
            if change is None:
                self._seen_members = True
            elif isinstance(change, Gone):
                self._forget(change.key)
            else:
                self._heard(change)
                continue  # only a new face is news, and `_heard` says so
            self._look.set()

    async def follow_table(self) -> None:
        """Follow the table until cancelled."""
        async for change in self._shards.watch(TABLE_KEY):
            if isinstance(change, Entry) and change.key == TABLE_KEY:
                self._take_over(read_table(change.value), change.revision)
                self._look.set()

    def _heard(self, entry: Entry) -> None:
        member = read_member(entry.value)
        if member is None:
            return
        if member.name not in self._members or self._members[member.name][0] != member:
            log.info("a poller is here", name=member.name, sites=sorted(member.sites or ()))
            self._look.set()
        self._members[member.name] = member, self._clock.monotonic()

    def _forget(self, key: str) -> None:
        for name in [name for name in self._members if name != self.name and member_key(name) == key]:
            log.info("a poller is gone", name=name)
            del self._members[name]

    def _live(self) -> dict[str, Member]:
        """The pollers heard of lately. Whether one is dead is asked again before anything is taken from it."""
        limit = self._clock.monotonic() - _SILENT_S
        return {name: member for name, (member, at) in self._members.items() if name == self.name or at > limit}

    async def _read_table(self) -> None:
        asked_at = self._revision
        entry = await self._shards.get(TABLE_KEY)
        revision = entry.revision if entry else 0
        if revision < asked_at:
            self._revision = -1  # the bucket was made anew: its numbers start again
        self._take_over(read_table(entry.value) if entry else Table(), revision)

    async def _write_table(self, table: Table) -> None:
        """Raises Conflict if somebody wrote since we looked."""
        value = TableRecord.of(table).model_dump_json().encode()
        if self._revision == 0:
            revision = await self._shards.create(TABLE_KEY, value)
        else:
            revision = await self._shards.update(TABLE_KEY, value, revision=self._revision)
        self._take_over(table, revision)

    def _take_over(self, table: Table, revision: int) -> None:
        """This is the table now; what another holds is lost to us. An older one than we know is no news."""
        if revision <= self._revision:
            return
        redrawn = table.pins != self._table.pins
        self._table, self._revision = table, revision
        self._on_table(table)
        held = table.held_by(self.name)
        lost = frozenset(part for part, epoch in self._held.items() if held.get(part) != epoch)
        self._held = held
        if redrawn:
            self._holder.redrawn()
        if gone := lost & self._occupied:
            log.warning("another poller has taken over", parts=len(gone))
            self._occupied -= gone
            self._holder.lose(gone)

    # ── taking and letting go ───────────────────────────────────────────────────────────────────────────────────────

    async def arrange(self) -> None:
        """Take what should be ours and let go of what should not, until cancelled."""
        while True:
            await self._look.wait()
            self._look.clear()
            if not (self.valid and self._seen_members):
                continue
            try:
                await self._arrange_once()
            except (Temporary, Conflict) as problem:
                log.info("the table changed or cannot be written", reason=str(problem))
                await self._look_again()

    async def _look_again(self) -> None:
        try:
            await self._read_table()
        except RondaError:
            return  # the next renewal looks again
        self._look.set()

    async def _arrange_once(self) -> None:
        await self._pin()
        if unused := frozenset(self._held.keys() - self._occupied):
            await self._occupy(unused)  # ours since before: a restart under the same name
        live = self._live()
        if away := to_release(self._table, live, self.name):
            await self._release(away)
        now = self._clock.monotonic()
        wanted = to_take(self._table, live, self.name, robbing=now >= self._rob_from)
        if now < self._take_from:
            wanted -= {part for part in wanted if part.startswith("site.")}
        if wanted:
            await self._take(wanted)
        self.settled = True

    async def _pin(self) -> None:
        table = pinned(self._table, self.instance, self._sites() or frozenset())
        if table is not self._table:
            await self._write_table(table)
            self._take_from = self._clock.monotonic() + _PIN_S

    async def _release(self, parts: frozenset[Part]) -> None:
        """In this order: stop watching, tell what was seen, let go."""
        self._occupied -= parts
        await self._holder.vacate(parts)
        await self._write_table(released(self._table, parts, self.name))
        log.info("parts were handed over", parts=len(parts), left=len(self._held))

    async def _take(self, parts: frozenset[Part]) -> None:
        await self._read_table()
        holders = {part: self._table.hold(part).holder for part in parts}
        alive = await self._really_alive(set(holders.values()) - {NOBODY})
        parts = frozenset(part for part, holder in holders.items() if holder not in alive)
        robbed = sum(holder != NOBODY for part, holder in holders.items() if part in parts)
        if not parts:
            return
        await self._write_table(taken(self._table, parts, self.name))
        self.takeovers_total += robbed
        log.info("parts were taken", parts=len(parts), of_the_dead=robbed, held=len(self._held))
        await self._occupy(parts)

    async def _really_alive(self, names: Iterable[str]) -> set[str]:
        alive = set()
        for name in names:
            entry = await self._leases.get(member_key(name))
            if entry is not None:
                self._heard(entry)
                alive.add(name)
        return alive

    async def _occupy(self, parts: frozenset[Part]) -> None:
        self._occupied |= parts
        try:
            await self._holder.occupy(parts)
        except RondaError:
            self._occupied -= parts  # tried again at the next look
            raise

    async def leave(self) -> None:
        """Say goodbye: whoever should have our parts may take them at once. What was seen has been told before."""
        self._occupied.clear()
        await self._leases.delete(member_key(self.name))
        while self._table.held_by(self.name):
            try:
                await self._write_table(released(self._table, self._table.held_by(self.name), self.name))
            except Conflict:
                await self._read_table()
        self._trusted_until = float("-inf")
