"""Charts and reports: which level, which span, and what is put together from several reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from services.api.core.availability import Availability, Span, availability_of, month_span
from services.api.core.charts import Point, Quality, ReadingPoint, graded
from services.api.core.cursor import MAX_PAGE, PageWish, decode_cursor
from services.api.core.faults import Fault, Faulty
from services.api.core.measurements import HOST_LEVELS, READING_LEVELS, Kept, Wanted, wanted
from services.api.ports import Table, Unit
from shared.clock import Clock
from shared.contracts.ids import SiteId
from shared.contracts.inventory import Host, Site
from shared.errors import NotFound

DAY = timedelta(hours=24)
E = TypeVar("E", Site, Host)


@dataclass(frozen=True, slots=True)
class Chart:
    """A host's points over a span, with the level that they come from."""

    wanted: Wanted
    span: Span
    points: Sequence[Point]


@dataclass(frozen=True, slots=True)
class ReadingChart:
    """As `Chart`, of one value of a router."""

    wanted: Wanted
    span: Span
    points: Sequence[ReadingPoint]


@dataclass(frozen=True, slots=True)
class HostMonth:
    """How a host was over a month. `quality` None: too little was measured to say."""

    host: Host
    site_name: str
    availability: Availability
    quality: Quality | None


@dataclass(frozen=True, slots=True)
class Month:
    """Several hosts over a month, as far as it has passed."""

    month: str
    span: Span
    hosts: Sequence[HostMonth]

    @property
    def together(self) -> Availability:
        """All of them: seconds and outages added up."""
        return sum((each.availability for each in self.hosts), Availability())


def chart_span(begins: datetime | None, ends: datetime | None, now: datetime) -> Span:
    """From and to as asked for; the last 24 hours where nothing was said. Raises Faulty without a time zone."""
    for name, moment in (("from", begins), ("to", ends)):
        if moment is not None and moment.tzinfo is None:
            raise Faulty(
                [Fault(name, "no_time_zone", f"Write «{name}» with its time zone, like 2026-11-20T14:00:00Z.")]
            )
    ends = ends or (max(now, begins) if begins else now)
    return Span(begins or ends - DAY, ends)


async def host_chart(host_id: str, asked: Span, *, unit: Unit, clock: Clock, kept: Kept) -> Chart:
    """A host's points. Raises NotFound and Faulty."""
    choice = wanted(HOST_LEVELS, asked.begins, asked.ends, now=clock.now(), kept=kept)
    await unit.hosts.get(host_id)
    span = _on_steps(asked, choice)
    return Chart(choice, span, await unit.measured.chart(host_id, choice, span))


async def router_readings(
    router_id: str, metric: str, part: str, asked: Span, *, unit: Unit, clock: Clock, kept: Kept
) -> ReadingChart:
    """One value of a router. Raises Faulty, and NotFound also for a value that it never said."""
    choice = wanted(READING_LEVELS, asked.begins, asked.ends, now=clock.now(), kept=kept)
    await unit.routers.get(router_id)
    known = await unit.measured.series(router_id)
    if (metric, part) not in known:
        there = ", ".join(f"{name}/{of}" if of else name for name, of in known) or "nothing yet"
        raise NotFound(f"This router has never said «{metric}» of «{part}»; there is: {there}.")
    span = _on_steps(asked, choice)
    return ReadingChart(choice, span, await unit.measured.readings(router_id, metric, part, choice, span))


async def host_month(host_id: str, month: str, *, unit: Unit, clock: Clock) -> Month:
    """One host. Raises NotFound and Faulty."""
    span = month_span(month, clock.now())
    host = (await unit.hosts.get(host_id)).entity
    site = (await unit.sites.get(host.site_id)).entity
    return await _month(month, span, [host], {site.id: site}, unit)


async def site_month(site_id: str, month: str, *, unit: Unit, clock: Clock) -> Month:
    """The hosts of a site. Raises NotFound and Faulty."""
    span = month_span(month, clock.now())
    site = (await unit.sites.get(site_id)).entity
    return await _month(month, span, await _every(unit.hosts, site_id=site_id), {site.id: site}, unit)


async def all_months(month: str, *, unit: Unit, clock: Clock) -> Month:
    """Every host there is, by name. Raises Faulty."""
    span = month_span(month, clock.now())
    sites = {site.id: site for site in await _every(unit.sites)}
    return await _month(month, span, await _every(unit.hosts), sites, unit)


async def _month(month: str, span: Span, hosts: Sequence[Host], sites: Mapping[SiteId, Site], unit: Unit) -> Month:
    ids = [host.id for host in hosts]
    changes = await unit.measured.changes(ids, span)
    work = await unit.measured.work(span)
    measured = await unit.measured.quality(ids, span)
    rows = [
        HostMonth(
            host,
            sites[host.site_id].name if host.site_id in sites else "",
            availability_of(host, changes.get(host.id, ()), work, span),
            graded(measured.get(host.id)),
        )
        for host in hosts
    ]
    return Month(month, span, rows)


async def _every(table: Table[E], **equal: str) -> list[E]:
    """All rows of a kind, page by page, by name."""
    found: list[E] = []
    after: tuple[str, ...] | None = None
    while True:
        page = await table.find(PageWish(MAX_PAGE, after), **equal)
        found += [kept.entity for kept in page.items]
        if page.next_cursor is None:
            return found
        after = decode_cursor(page.next_cursor)


def _on_steps(asked: Span, choice: Wanted) -> Span:
    """The span from the begin of a step, so that the first point is a whole one."""
    begins = asked.begins.timestamp() // choice.step_s * choice.step_s
    return Span(datetime.fromtimestamp(begins, asked.begins.tzinfo), asked.ends)
