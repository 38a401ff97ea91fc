"""What a router's ping and netwatch rows say of a host: pure, for both RouterOS lines."""

from __future__ import annotations

from dataclasses import dataclass

from shared.contracts.vocabulary import ProbeFailure
from shared.errors import Invalid
from shared.routeros import Row
from shared.routeros.durations import parse_duration

NETWATCH_COLUMNS = (".id", "host", "status", "disabled", "rtt-avg")
PINGED = ("time", "status", "received", "sent", "packet-loss", "host", "seq")

_STATUS = (
    ("unreachable", ProbeFailure.UNREACHABLE),
    ("ttl exceeded", ProbeFailure.TTL_EXCEEDED),
    ("prohibited", ProbeFailure.PROHIBITED),
    ("filtered", ProbeFailure.PROHIBITED),
    ("no route", ProbeFailure.UNREACHABLE),
)


@dataclass(frozen=True, slots=True)
class Said:
    """What is known of a host from a router: a round trip, or a failure, or why nothing is known."""

    rtt_ms: float | None = None
    failure: ProbeFailure | None = None
    unknown: str = ""


def pinged(rows: list[Row]) -> Said:
    """What one request of a router's ping came to: `time` on 7 such as `12ms408us`, on 6 `12ms`."""
    for row in rows:
        if (time := row.get("time")) is not None:
            return Said(rtt_ms=milliseconds(time))
    status = rows[-1].get("status", "").lower() if rows else ""
    return Said(failure=next((failure for word, failure in _STATUS if word in status), ProbeFailure.TIMEOUT))


def milliseconds(text: str) -> float:
    """A router's time as milliseconds; 0 where it cannot be read: 6 writes less than one as `0ms`."""
    try:
        return parse_duration(text).total_seconds() * 1000
    except Invalid:
        return 0.0


def watched_host(row: Row) -> str:
    """The address of an entry, without the VRF or interface that may be part of it."""
    return row.get("host", "").partition("@")[0].partition("%")[0].lower()


def netwatch_says(rows: list[Row], names: tuple[str, ...], router: str) -> Said:
    """What a router's netwatch knows of a host that is called by one of `names`. Several entries: the best counts."""
    wanted = {name.lower() for name in names}
    found = [row for row in rows if watched_host(row) in wanted]
    if not found:
        return Said(unknown=f"the netwatch of {router} has no entry for {names[0]}: add one there")
    enabled = [row for row in found if row.get("disabled") not in ("true", "yes")]
    if not enabled:
        return Said(unknown=f"the netwatch entry of {router} for {names[0]} is disabled: enable it there")
    for row in enabled:
        if row.get("status") == "up":
            return Said(rtt_ms=milliseconds(row["rtt-avg"]) if row.get("rtt-avg") else 0.0)
    if any(row.get("status") == "down" for row in enabled):
        return Said(failure=ProbeFailure.REPORTED)
    return Said(unknown=f"the netwatch of {router} has not tested {names[0]} yet; after a reboot it waits five minutes")
