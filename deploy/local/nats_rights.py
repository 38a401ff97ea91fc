"""Who may say and hear what on the bus: one table, from which every server configuration is written.

A service that lacks a right gets no answer and an error `bus forbids` in its log; then the line belongs here. Making
and widening streams is open to all services (whoever starts first does it), emptying and deleting to the operator only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shared.contracts.streams import (
    ACTIONS,
    BUCKETS,
    DESIRED,
    DLQ,
    EVENTS,
    INVENTORY_BUCKET,
    LEASES_BUCKET,
    NOTIFY,
    SHARDS_BUCKET,
    STATE_BUCKET,
    STREAMS,
    TIMERS,
    BucketSpec,
    StreamSpec,
)
from shared.contracts.subjects import ROOT, Kind, every

OPERATOR = "operator"
LEAF = "leaf"
HUB_DOMAIN = "hub"  # the hub's JetStream as servers of far sites call it
# A server of a far site learns of subjects as the hub's streams take them (`evt.>`, `$JS.hub.API.>`), and only of those
# that its rights contain whole: so these are wide, and what a poller has no business with is forbidden by name.
_NOT_FOR_LEAVES = (
    *(every(Kind.EVENT, domain) for domain in ("account", "alert", "chat", "inventory", "notifier", "provisioner")),
    *(
        f"$JS.{HUB_DOMAIN}.API.{what}.>"
        for what in (
            "STREAM.DELETE",
            "STREAM.PURGE",
            "STREAM.MSG.DELETE",
            "STREAM.SNAPSHOT",
            "STREAM.RESTORE",
            "CONSUMER.DELETE",
            "CONSUMER.DURABLE",
            f"$KV.{INVENTORY_BUCKET.name}",
            "DIRECT.GET.DESIRED",
            "CONSUMER.CREATE.DESIRED",
            "CONSUMER.CREATE.NOTIFY",
            "CONSUMER.CREATE.ACTIONS",
        )
    ),
)


@dataclass(frozen=True, slots=True)
class Rights:
    """What one user needs. `says` and `hears` are subjects of ours; the rest becomes subjects of JetStream."""

    user: str
    says: tuple[str, ...] = ()
    hears: tuple[str, ...] = ()  # core subscriptions: queries it answers, samples it records
    reads: tuple[StreamSpec, ...] = ()  # streams it consumes or reads
    looks_into: tuple[BucketSpec, ...] = ()
    writes: tuple[BucketSpec, ...] = ()  # which it may look into as well
    never_says: tuple[str, ...] = ()  # of what `says` would allow


RIGHTS: tuple[Rights, ...] = (
    Rights(
        user="poller",
        says=(
            every(Kind.EVENT, "host"),
            every(Kind.EVENT, "router"),
            every(Kind.EVENT, "session"),
            every(Kind.EVENT, "poller"),
            every(Kind.EVENT, "outage"),
            every(Kind.EVENT, "lease"),
            every(Kind.EVENT, "security"),
            every(Kind.SAMPLE),
            every(Kind.QUERY, "poller"),
            every(Kind.DEAD),
        ),
        hears=(every(Kind.QUERY, "poller"),),
        reads=(EVENTS,),
        looks_into=(INVENTORY_BUCKET,),
        writes=(STATE_BUCKET, LEASES_BUCKET, SHARDS_BUCKET),
    ),
    Rights(
        user="provisioner",
        says=(
            every(Kind.EVENT, "account"),
            every(Kind.EVENT, "router"),
            every(Kind.EVENT, "provisioner"),
            every(Kind.SAMPLE),
            every(Kind.DEAD),
        ),
        hears=(every(Kind.QUERY, "provisioner"),),
        reads=(EVENTS, DESIRED, ACTIONS),
        looks_into=(INVENTORY_BUCKET,),
        writes=(STATE_BUCKET, LEASES_BUCKET),
    ),
    Rights(
        user="notifier",
        says=(
            every(Kind.EVENT, "alert"),
            every(Kind.EVENT, "chat"),
            every(Kind.EVENT, "notifier"),
            every(Kind.NOTIFY),
            every(Kind.TIMER),
            every(Kind.QUERY),
            every(Kind.DEAD),
        ),
        hears=(every(Kind.QUERY, "notifier"),),
        reads=(EVENTS, NOTIFY, TIMERS),
        looks_into=(INVENTORY_BUCKET, STATE_BUCKET),
        writes=(LEASES_BUCKET,),
    ),
    Rights(
        user="api",
        says=(
            every(Kind.EVENT),
            every(Kind.DESIRED),
            every(Kind.ACTION),
            every(Kind.TIMER),
            every(Kind.SAMPLE),
            every(Kind.QUERY),
            every(Kind.DEAD),
        ),
        hears=(every(Kind.QUERY, "api"), every(Kind.SAMPLE)),
        reads=(EVENTS, DESIRED, TIMERS, DLQ),
        looks_into=(STATE_BUCKET,),
        writes=(INVENTORY_BUCKET, LEASES_BUCKET),
    ),
    Rights(
        user=LEAF,
        says=(
            every(Kind.EVENT),
            every(Kind.SAMPLE),
            every(Kind.QUERY, "poller"),
            every(Kind.DEAD),
            f"$JS.{HUB_DOMAIN}.API.>",
            "_INBOX.>",  # answers to whoever asked
        ),
        never_says=_NOT_FOR_LEAVES,
        hears=(every(Kind.QUERY, "poller"), "_INBOX.poller.>"),
        reads=(EVENTS,),
        looks_into=(INVENTORY_BUCKET,),
        writes=(STATE_BUCKET, LEASES_BUCKET, SHARDS_BUCKET),
    ),
    Rights(user=OPERATOR, says=(f"{ROOT}.>", "$JS.>", "$KV.>", "_INBOX.>"), hears=(f"{ROOT}.>", "$JS.EVENT.>")),
)

USERS: tuple[str, ...] = tuple(rights.user for rights in RIGHTS)


def publish_subjects(rights: Rights) -> tuple[str, ...]:
    """What the server lets this user publish."""
    buckets = (*rights.looks_into, *rights.writes)
    return (
        *rights.says,
        *(f"$KV.{bucket.name}.>" for bucket in rights.writes),
        *_setting_up(),
        *(subject for stream in rights.reads for subject in _reading(stream.name)),
        *(subject for bucket in buckets for subject in _reading(f"KV_{bucket.name}")),
    )


def subscribe_subjects(rights: Rights) -> tuple[str, ...]:
    """What the server lets this user hear; its answers come to a place of its own."""
    return (*rights.hears, f"_INBOX.{rights.user}.>")


def _setting_up() -> Iterator[str]:
    for name in (*(stream.name for stream in STREAMS), *(f"KV_{bucket.name}" for bucket in BUCKETS)):
        for verb in ("INFO", "CREATE", "UPDATE"):
            yield f"$JS.API.STREAM.{verb}.{name}"


def _reading(stream: str) -> Iterator[str]:
    yield f"$JS.API.CONSUMER.CREATE.{stream}.>"
    yield f"$JS.API.CONSUMER.MSG.NEXT.{stream}.>"
    yield f"$JS.API.DIRECT.GET.{stream}"
    yield f"$JS.API.DIRECT.GET.{stream}.>"
    yield f"$JS.ACK.{stream}.>"
