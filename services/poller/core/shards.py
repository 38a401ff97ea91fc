"""Who watches what when several pollers share the work, and what one of them may do about it now.

The watch is cut into parts: 64 shards, into which hosts and routers fall by the hash of their id, and one part for each
site that is pinned to pollers of its own. The table says who holds which part; it changes only when a part changes
hands, by compare-and-set. Who *should* hold a part follows from who is alive alone (rendezvous hashing: the highest
hash of poller and part wins), so all pollers agree without talking, and one that comes or goes moves no part but its
own. A part goes over in two steps: its holder lets go (having told what it saw), then the other takes it.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NewType

from shared.contracts.ids import SiteId

SHARDS = 64  # even for ten pollers each holds six or so; a move is small
NOBODY = ""

Part = NewType("Part", str)

PARTS: tuple[Part, ...] = tuple(Part(f"{number:02d}") for number in range(SHARDS))


@dataclass(frozen=True, slots=True)
class Member:
    """A poller that lives. `name` is of this life of it; `sites` are those it is pinned to (None: it takes shards)."""

    name: str
    instance: str
    sites: frozenset[SiteId] | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """Who holds a part, since the how-manieth change of hands."""

    holder: str = NOBODY
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """Who holds what. `pins`: the sites with pollers of their own, by whose wish. `checks` counts looks that count."""

    holds: Mapping[Part, Hold] = field(default_factory=dict)
    pins: Mapping[SiteId, frozenset[str]] = field(default_factory=dict)
    checks: int = 0

    def parts(self) -> tuple[Part, ...]:
        """Everything that somebody should hold."""
        return (*PARTS, *(part_of_site(site_id) for site_id in sorted(self.pins)))

    def hold(self, part: Part) -> Hold:
        """Who holds a part."""
        return self.holds.get(part, Hold())

    def held_by(self, name: str) -> dict[Part, int]:
        """The parts that a poller holds, with their epochs."""
        return {part: hold.epoch for part, hold in self.holds.items() if hold.holder == name}


def part_of_site(site_id: SiteId) -> Part:
    """The part that a pinned site is."""
    return Part(f"site.{site_id}")


def part_of(token: str, site_id: SiteId | None, pins: Iterable[SiteId]) -> Part:
    """Where a host or router belongs; `token` is its id as keys of the memory have it."""
    if site_id is not None and site_id in pins:
        return part_of_site(site_id)
    return PARTS[zlib.crc32(token.encode()) % SHARDS]


def should_hold(part: Part, members: Iterable[Member]) -> str:
    """The poller to which a part belongs; NOBODY if none of these may have it."""
    able = [member.name for member in members if _may_hold(member, part)]
    return max(able, key=lambda name: _score(name, part), default=NOBODY)


def to_release(table: Table, members: Mapping[str, Member], me: str) -> frozenset[Part]:
    """What I hold and another should have."""
    mine = table.held_by(me)
    return frozenset(part for part in mine if should_hold(part, members.values()) not in (me, NOBODY))


def to_take(table: Table, members: Mapping[str, Member], me: str, *, robbing: bool = True) -> frozenset[Part]:
    """What belongs to me and nobody holds, or (if `robbing`) somebody who does not live any more."""
    return frozenset(
        part
        for part in table.parts()
        if (holder := table.hold(part).holder) == NOBODY or (robbing and holder not in members)
        if should_hold(part, members.values()) == me
    )


def taken(table: Table, parts: Iterable[Part], me: str) -> Table:
    """The table after I took these."""
    return replace(table, holds={**table.holds, **{part: Hold(me, table.hold(part).epoch + 1) for part in parts}})


def released(table: Table, parts: Iterable[Part], me: str) -> Table:
    """The table after I let go of these. What is not mine is left as it is."""
    free = {part: Hold(NOBODY, table.hold(part).epoch) for part in parts if table.hold(part).holder == me}
    return replace(table, holds={**table.holds, **free})


def checked(table: Table) -> Table:
    """The same table, written again: whoever wanted to write on the strength of an older look has to look again."""
    return replace(table, checks=table.checks + 1)


def pinned(table: Table, instance: str, sites: frozenset[SiteId]) -> Table:
    """The table in which this poller wants these sites and no others. The last wish that is withdrawn frees a site.

    A poller that is away wishes on: its site lies behind a line that is cut, and nobody else could see it.
    """
    wishes = {site_id: set(names) - {instance} for site_id, names in table.pins.items()}
    for site_id in sites:
        wishes.setdefault(site_id, set()).add(instance)
    pins = {site_id: frozenset(names) for site_id, names in wishes.items() if names}
    gone = {part_of_site(site_id) for site_id in table.pins.keys() - pins.keys()}
    if pins == dict(table.pins):
        return table
    return replace(table, pins=pins, holds={part: hold for part, hold in table.holds.items() if part not in gone})


def _may_hold(member: Member, part: Part) -> bool:
    if part.startswith("site."):
        return member.sites is not None and SiteId(part.removeprefix("site.")) in member.sites
    return member.sites is None


def _score(name: str, part: Part) -> tuple[bytes, str]:
    return hashlib.blake2b(f"{part}/{name}".encode(), digest_size=8).digest(), name
