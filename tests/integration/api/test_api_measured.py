"""Charts and reports by REST: from what is said on the bus to what is answered."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.contracts.events import Event, HostDown, HostUnknown, HostUnreachable, HostUp
from shared.contracts.samples import HostSlices, RouterReadings
from tests.integration.api.conftest import Running
from tests.support.waiting import until

MONTH = "2026-10"
BEGIN = datetime(2026, 10, 1, tzinfo=UTC)


async def host_of(ronda: Running, name: str = "core-1", site: str = "Waru") -> dict[str, Any]:
    sites = (await ronda.client.get(f"/api/v1/sites?name={site}")).json()["items"]
    site_id = sites[0]["id"] if sites else (await ronda.client.post("/api/v1/sites", json={"name": site})).json()["id"]
    body = {"site_id": site_id, "name": name, "address": "10.20.0.1"}
    return dict((await ronda.client.post("/api/v1/hosts", json=body)).json())


async def get(ronda: Running, path: str, **query: str) -> dict[str, Any]:
    answer = await ronda.client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def change(kind: type[Any], host: dict[str, Any], number: int, after: timedelta) -> Event:
    at = (BEGIN + after).isoformat()
    own = {"host_id": host["id"], "transition": number, "at": at}
    since = {"since": at} if "since" in kind.model_fields else {}
    made: Event = kind.model_validate(kind.EXAMPLE | own | since)
    return made


async def tell(ronda: Running, events: Sequence[Event]) -> None:
    for event in events:
        await ronda.bus.publish(event)

    async def projected() -> bool:
        kept = await get(ronda, "/api/v1/events", limit="500")
        return len([each for each in kept["items"] if each["type"].startswith("host.")]) >= len(events)

    assert await until(projected)


def slices(host: dict[str, Any], at: datetime, rtt: float | None) -> HostSlices:
    answered = rtt is not None
    return HostSlices(
        instance="p",
        at=at,
        slice_s=10,
        hosts=(host["id"],),
        sent=(10,),
        received=(10 if answered else 0,),
        rtt_min_ms=(rtt,),
        rtt_avg_ms=(rtt,),
        rtt_max_ms=(rtt,),
        jitter_ms=(0.5 if answered else None,),
    )


async def test_month_of_a_host_from_what_the_poller_told(ronda: Running) -> None:
    host = await host_of(ronda)
    day = timedelta(days=1)
    told = [
        change(HostUp, host, 1, timedelta(0)),
        change(HostDown, host, 2, 10 * day),
        change(HostUp, host, 3, 11 * day),
        change(HostUnreachable, host, 4, 20 * day),
        change(HostUnknown, host, 5, 21 * day),
        change(HostUp, host, 6, 23 * day),
    ]
    await tell(ronda, [told[5], told[1], told[0], told[4], told[3], told[2]])
    found = await get(ronda, f"/api/v1/hosts/{host['id']}/availability", month=MONTH)
    (row,) = found["hosts"]
    sums = row["availability"]
    assert (sums["down_s"], sums["unreachable_s"], sums["unknown_s"]) == (86_400, 86_400, 2 * 86_400)
    assert sums["up_s"] == (31 - 4) * 86_400
    assert sums["availability_percent"] == pytest.approx(100 * 27 / 28)
    assert sums["outages"] == 1
    assert row["quality"] is None
    assert found["to"] == "2026-11-01T00:00:00Z"


async def test_a_host_that_nobody_watches_is_unknown(ronda: Running) -> None:
    host = await host_of(ronda)
    now = datetime.now(UTC)  # noqa: TID251 - the service's clock is the machine's
    path = f"/api/v1/hosts/{host['id']}"
    up = HostUp.EXAMPLE | {"host_id": host["id"], "transition": 1, "at": (now - timedelta(seconds=30)).isoformat()}
    await tell(ronda, [HostUp.model_validate(up)])

    async def sums() -> dict[str, Any]:
        months = [await get(ronda, f"{path}/availability")]
        return dict(months[0]["hosts"][0]["availability"])

    (await ronda.client.patch(path, json={"enabled": False})).raise_for_status()
    off = await sums()

    async def passed() -> bool:
        return (await sums())["unknown_s"] > off["unknown_s"] + 0.2

    assert await until(passed)
    assert (await sums())["up_s"] == off["up_s"]
    (await ronda.client.patch(path, json={"enabled": True})).raise_for_status()

    async def counts_again() -> bool:
        return (await sums())["up_s"] > off["up_s"] + 0.2

    assert await until(counts_again)


async def test_report_of_all_hosts_as_csv(ronda: Running) -> None:
    one, other = await host_of(ronda), await host_of(ronda, "=cmd", "Rungkut")
    await tell(ronda, [change(HostUp, one, 1, timedelta(0)), change(HostUp, other, 1, timedelta(days=30))])
    path = "/api/v1/reports/availability"
    for asked in (
        {"params": {"month": MONTH, "format": "csv"}},
        {"params": {"month": MONTH}, "headers": {"Accept": "text/csv"}},
    ):
        answer = await ronda.client.get(path, **asked)  # type: ignore[arg-type]
        assert answer.headers["content-type"].startswith("text/csv")
        assert "availability-2026-10.csv" in answer.headers["content-disposition"]
        rows = {row["host_id"]: row for row in csv.DictReader(answer.text.splitlines())}
        assert rows[one["id"]]["availability_percent"] == "100.0"
        assert rows[one["id"]]["site"] == "Waru"
        assert rows[other["id"]]["unknown_s"] == str(30 * 86_400)
        assert rows[other["id"]]["host"] == "'=cmd"
    plain = await get(ronda, path, month=MONTH)
    assert [row["name"] for row in plain["hosts"]] == ["=cmd", "core-1"]
    assert plain["together"]["up_s"] == 32 * 86_400
    site = await get(ronda, f"/api/v1/sites/{one['site_id']}/availability", month=MONTH)
    assert [row["name"] for row in site["hosts"]] == ["core-1"]


async def test_chart_from_samples_on_the_bus(ronda: Running) -> None:
    host = await host_of(ronda)
    now = datetime.now(UTC).replace(microsecond=0)  # noqa: TID251 - the service's clock is the machine's
    begins = now.replace(second=0) - timedelta(minutes=5)

    async def recorded() -> bool:
        await ronda.bus.publish_sample(slices(host, now - timedelta(hours=2), 1))
        chart = await get(ronda, path, **{"from": (now - timedelta(hours=3)).isoformat()})
        return bool(chart["points"])

    path = f"/api/v1/hosts/{host['id']}/chart"
    assert await until(recorded)
    for second in (10, 20, 30, 120):  # nothing between: a gap
        await ronda.bus.publish_sample(
            slices(host, begins + timedelta(seconds=second), None if second == 30 else second)
        )

    async def all_there() -> list[dict[str, Any]] | None:
        span = {"from": begins.isoformat(), "to": (begins + timedelta(minutes=3)).isoformat()}
        chart = await get(ronda, path, **span)
        assert (chart["level"], chart["step_s"]) == ("raw", 1)
        return chart["points"] if len(chart["points"]) == 4 else None

    points = await until(all_there)
    assert points is not None
    assert [point["avg_ms"] for point in points] == [10, 20, None, 120]
    assert [point["loss_percent"] for point in points] == [0, 0, 100, 0]
    day = await get(ronda, path)
    assert (day["level"], day["step_s"]) == ("5m", 300)
    assert sum(point["sent"] for point in day["points"]) >= 50
    assert max(point["max_ms"] for point in day["points"]) == 120


async def test_readings_of_a_router(ronda: Running) -> None:
    body = {"name": "waru-gw", "host": "10.0.0.1", "username": "ronda", "password": "router-secret"}
    router = (await ronda.client.post("/api/v1/routers", json=body)).json()
    now = datetime.now(UTC)  # noqa: TID251 - the service's clock is the machine's
    path = f"/api/v1/routers/{router['id']}/readings"

    async def answered() -> dict[str, Any] | None:
        said = RouterReadings.EXAMPLE | {"router_id": router["id"], "at": (now - timedelta(minutes=5)).isoformat()}
        await ronda.bus.publish_sample(RouterReadings.model_validate(said))
        answer = await ronda.client.get(path, params={"metric": "rx_bps", "part": "ether1"})
        return dict(answer.json()) if answer.status_code == 200 and answer.json()["points"] else None

    found = await until(answered)
    assert found is not None
    assert found["points"][0]["avg"] == pytest.approx(48_200_000)
    refused = await ronda.client.get(path, params={"metric": "rx_bps", "part": "ether9"})
    assert refused.status_code == 404
    assert "rx_bps/ether1" in refused.json()["detail"]


WRONG = (
    ("hosts/{host}/chart", {"from": "2026-11-20T10:00:00Z", "to": "2026-11-20T09:00:00Z"}, "to"),
    ("hosts/{host}/chart", {"from": "2026-11-20T10:00:00"}, "from"),
    ("hosts/{host}/chart", {"from": "yesterday"}, "from"),
    ("hosts/{host}/availability", {"month": "2026-13"}, "month"),
    ("hosts/{host}/availability", {"month": "2999-01"}, "month"),
    ("reports/availability", {"month": "november"}, "month"),
    ("reports/availability", {"format": "xml"}, "format"),
)


async def test_wrong_questions_are_told_what_is_wrong(ronda: Running) -> None:
    host = await host_of(ronda)
    for path, query, field in WRONG:
        answer = await ronda.client.get(f"/api/v1/{path.format(host=host['id'])}", params=query)
        assert answer.status_code == 422, answer.text
        assert [fault["field"] for fault in answer.json()["faults"]] == [field]
    for path in ("hosts/none/chart", "hosts/none/availability", "sites/none/availability"):
        assert (await ronda.client.get(f"/api/v1/{path}")).status_code == 404
        async with ronda.anonymous() as anonymous:
            assert (await anonymous.get(f"/api/v1/{path}")).status_code == 401
