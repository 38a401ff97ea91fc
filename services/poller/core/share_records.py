"""What pollers keep on the bus about sharing: a lease per poller and one table; other programs may read both."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.poller.core.shards import Hold, Member, Part, Table
from shared.contracts.ids import SiteId
from shared.contracts.subjects import escape_token

MEMBERS = "poller."
TABLE_KEY = "poller"


def member_key(name: str) -> str:
    """Where a poller's lease lies."""
    return MEMBERS + escape_token(name)


class MemberRecord(BaseModel):
    """A poller's lease. It is written again each second and runs out with the bucket's time."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    instance: str
    sites: frozenset[SiteId] | None = None

    @classmethod
    def of(cls, member: Member) -> MemberRecord:
        """As it lies there."""
        return cls(name=member.name, instance=member.instance, sites=member.sites)

    def member(self) -> Member:
        """As the rules know it."""
        return Member(self.name, self.instance, self.sites)


class TableRecord(BaseModel):
    """The table of holders: `[holder, epoch]` by part; an empty holder is nobody."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    holds: dict[str, tuple[str, int]] = Field(default_factory=dict)
    pins: dict[str, frozenset[str]] = Field(default_factory=dict)
    checks: int = 0

    @classmethod
    def of(cls, table: Table) -> TableRecord:
        """As it lies there."""
        return cls(
            holds={part: (hold.holder, hold.epoch) for part, hold in table.holds.items()},
            pins=dict(table.pins),
            checks=table.checks,
        )

    def table(self) -> Table:
        """As the rules know it."""
        return Table(
            holds={Part(part): Hold(holder, epoch) for part, (holder, epoch) in self.holds.items()},
            pins={SiteId(site_id): names for site_id, names in self.pins.items()},
            checks=self.checks,
        )


def read_member(value: bytes) -> Member | None:
    """A lease, or None if it cannot be read."""
    try:
        return MemberRecord.model_validate_json(value).member()
    except ValidationError:
        return None


def read_table(value: bytes) -> Table:
    """The table; one that cannot be read counts as empty (all parts are free again)."""
    try:
        return TableRecord.model_validate_json(value).table()
    except ValidationError:
        return Table()
