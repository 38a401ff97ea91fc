"""Streams and buckets as plain descriptions; `shared.bus` makes them so on the server, at every start.

Durations are seconds. The subjects are disjoint: a message lands in one stream at most.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from shared.contracts.subjects import Kind, every

DAY_S = 86_400.0


class Retention(StrEnum):
    """What makes a message leave a stream."""

    LIMITS = "limits"
    WORK_QUEUE = "workqueue"


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """A stream as it must be."""

    name: str
    subjects: tuple[str, ...]
    purpose: str
    retention: Retention = Retention.LIMITS
    max_age_s: float = 0.0  # 0: no limit
    max_per_subject: int = -1
    duplicate_window_s: float = 120.0
    message_ttl: bool = False
    schedules: bool = False


@dataclass(frozen=True, slots=True)
class BucketSpec:
    """A key-value bucket as it must be. `ttl_s` 0: entries stay."""

    name: str
    purpose: str
    history: int = 1
    ttl_s: float = 0.0
    marker_ttl_s: float = 0.0  # how long watchers can learn that an entry ran out


EVENTS = StreamSpec(
    name="EVENTS",
    subjects=(every(Kind.EVENT),),
    purpose="Facts. Kept for days so that a service that was away reads what it missed.",
    max_age_s=14 * DAY_S,
    duplicate_window_s=600.0,
)
DESIRED = StreamSpec(
    name="DESIRED",
    subjects=(every(Kind.DESIRED),),
    purpose="The last desired state per account; a newer one replaces the one still waiting.",
    max_per_subject=1,
)
ACTIONS = StreamSpec(
    name="ACTIONS",
    subjects=(every(Kind.ACTION),),
    purpose="One-off orders with an expiry of their own.",
    retention=Retention.WORK_QUEUE,
    max_age_s=DAY_S,
    message_ttl=True,
)
TIMERS = StreamSpec(
    name="TIMERS",
    subjects=(every(Kind.TIMER), every(Kind.DUE)),
    purpose="What must happen at a time: the server stores it under `due` at that second.",
    schedules=True,
    message_ttl=True,
)
NOTIFY = StreamSpec(
    name="NOTIFY",
    subjects=(every(Kind.NOTIFY),),
    purpose="Deliveries waiting for a chat; they survive an outage of the internet.",
    retention=Retention.WORK_QUEUE,
    max_age_s=7 * DAY_S,
)
DLQ = StreamSpec(
    name="DLQ",
    subjects=(every(Kind.DEAD),),
    purpose="What could not be handled, with the reason.",
    max_age_s=30 * DAY_S,
)

STREAMS: tuple[StreamSpec, ...] = (EVENTS, DESIRED, ACTIONS, TIMERS, NOTIFY, DLQ)

INVENTORY_BUCKET = BucketSpec("inventory", "Sites, routers, hosts, policies, chats, subscribers.")
STATE_BUCKET = BucketSpec("state", "Last hard state of every host, open sessions, applied generations.")
LEASES_BUCKET = BucketSpec("leases", "Who does what right now.", ttl_s=3.0, marker_ttl_s=2.0)
SHARDS_BUCKET = BucketSpec("shards", "Which of several like services holds which part of the work.")

BUCKETS: tuple[BucketSpec, ...] = (INVENTORY_BUCKET, STATE_BUCKET, LEASES_BUCKET, SHARDS_BUCKET)
