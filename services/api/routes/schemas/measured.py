"""Charts and reports, as the REST API tells them."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field

from services.api.core.availability import Availability
from services.api.core.charts import Quality
from services.api.handlers.measured import Chart, HostMonth, Month, ReadingChart
from shared.contracts.vocabulary import Grade


class PointView(BaseModel):
    """A host over one step, which begins at `at`. Milliseconds; null where nothing came back."""

    at: datetime
    sent: int
    received: int
    loss_percent: float
    min_ms: float | None
    avg_ms: float | None
    max_ms: float | None
    p95_ms: float | None = Field(description="Of the slices' mean round trips.")
    jitter_ms: float | None


class ChartView(BaseModel):
    """Points in order. Where nothing was measured there is no point: a gap is a gap."""

    host_id: str
    begins: datetime = Field(serialization_alias="from")
    ends: datetime = Field(serialization_alias="to")
    level: str = Field(description="Where the points come from: raw, 1m, 5m or 1h.", examples=["5m"])
    step_s: int = Field(description="Seconds from one point to the next.")
    points: list[PointView]

    @classmethod
    def of(cls, host_id: str, chart: Chart) -> Self:
        """From what was read."""
        points = [PointView(**{name: getattr(each, name) for name in PointView.model_fields}) for each in chart.points]
        return cls(
            host_id=host_id,
            begins=chart.span.begins,
            ends=chart.span.ends,
            level=chart.wanted.level.name,
            step_s=chart.wanted.step_s,
            points=points,
        )


class ReadingPointView(BaseModel):
    """A value over one step, which begins at `at`."""

    at: datetime
    min: float
    avg: float
    max: float
    p95: float


class ReadingsView(BaseModel):
    """One value of a router; its unit is the end of the metric's name."""

    router_id: str
    metric: str
    part: str
    begins: datetime = Field(serialization_alias="from")
    ends: datetime = Field(serialization_alias="to")
    level: str
    step_s: int
    points: list[ReadingPointView]

    @classmethod
    def of(cls, router_id: str, metric: str, part: str, chart: ReadingChart) -> Self:
        """From what was read."""
        names = ReadingPointView.model_fields
        return cls(
            router_id=router_id,
            metric=metric,
            part=part,
            begins=chart.span.begins,
            ends=chart.span.ends,
            level=chart.wanted.level.name,
            step_s=chart.wanted.step_s,
            points=[ReadingPointView(**{name: getattr(each, name) for name in names}) for each in chart.points],
        )


class AvailabilityView(BaseModel):
    """Seconds in each state; together they are the span (of several hosts: their spans)."""

    up_s: float
    down_s: float
    unreachable_s: float = Field(description="Behind something that was down: counts for neither side.")
    unknown_s: float = Field(description="Nobody could ask, or nobody watched yet: left out.")
    maintenance_s: float = Field(description="Announced work: left out.")
    outages: int
    availability_percent: float | None = Field(description="up / (up + down); null where it was neither.")

    @classmethod
    def of(cls, found: Availability) -> Self:
        """From the sums."""
        sums = {name: getattr(found, name) for name in cls.model_fields if name != "availability_percent"}
        return cls(**sums, availability_percent=found.percent)


class QualityView(BaseModel):
    """A connection over the span, graded after ITU-T G.1010; hours without any answer are left out."""

    sent: int
    delay_ms: float
    jitter_ms: float | None
    loss_percent: float
    delay_grade: Grade
    jitter_grade: Grade | None
    loss_grade: Grade
    grade: Grade

    @classmethod
    def of(cls, quality: Quality) -> Self:
        """From what was graded."""
        return cls(**{name: getattr(quality, name) for name in cls.model_fields})


class HostMonthView(BaseModel):
    """One host over a month."""

    host_id: str
    name: str
    site_id: str
    site_name: str
    availability: AvailabilityView
    quality: QualityView | None = Field(description="Null: too few packets to say.")

    @classmethod
    def of(cls, row: HostMonth) -> Self:
        """From what was put together."""
        return cls(
            host_id=row.host.id,
            name=row.host.name,
            site_id=row.host.site_id,
            site_name=row.site_name,
            availability=AvailabilityView.of(row.availability),
            quality=None if row.quality is None else QualityView.of(row.quality),
        )


class MonthView(BaseModel):
    """A month of UTC as far as it has passed: all hosts together, and each of them."""

    month: str = Field(examples=["2026-11"])
    begins: datetime = Field(serialization_alias="from")
    ends: datetime = Field(serialization_alias="to")
    together: AvailabilityView
    hosts: list[HostMonthView]

    @classmethod
    def of(cls, month: Month) -> Self:
        """From what was put together."""
        return cls(
            month=month.month,
            begins=month.span.begins,
            ends=month.span.ends,
            together=AvailabilityView.of(month.together),
            hosts=[HostMonthView.of(row) for row in month.hosts],
        )
