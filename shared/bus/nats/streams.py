"""Streams, buckets and consumers on the server as the contracts describe them.

Several services do this at the same time at every start, so every step may find that another was faster. Nothing is
ever deleted or narrowed: what the server keeps longer or takes more of than we ask stays so.
"""

from __future__ import annotations

from typing import Any

import structlog

from shared.bus.nats.session import Session
from shared.bus.ports import ConsumerSpec
from shared.contracts.streams import BUCKETS, STREAMS, BucketSpec, Retention, StreamSpec
from shared.errors import Misconfigured, NotFound, Rejected

log = structlog.get_logger("bus")

_NS = 1_000_000_000
_SHORTEST_WINDOW_S = 120.0
_TOGGLES = ("allow_msg_ttl", "allow_msg_schedules", "allow_rollup_hdrs", "allow_direct")
_LIMITS = {"max_age": 0, "max_msgs_per_subject": -1}  # the value that means: no limit


def nanoseconds(seconds: float) -> int:
    """Seconds as the server counts them."""
    return int(seconds * _NS)


def stream_config(spec: StreamSpec) -> dict[str, Any]:
    """The server's configuration of a stream."""
    config: dict[str, Any] = {
        "name": spec.name,
        "description": spec.purpose,
        "subjects": list(spec.subjects),
        "retention": spec.retention.value,
        "storage": "file",
        "discard": "old",
        "max_age": nanoseconds(spec.max_age_s),
        "max_msgs_per_subject": spec.max_per_subject,
        "duplicate_window": nanoseconds(_window(spec.duplicate_window_s, spec.max_age_s)),
        "allow_direct": True,
        "allow_msg_ttl": spec.message_ttl,
    }
    if spec.schedules:
        config["allow_msg_schedules"] = True
        config["allow_rollup_hdrs"] = True
    return config


def bucket_config(spec: BucketSpec) -> dict[str, Any]:
    """The server's configuration of the stream behind a bucket (ADR-8 of nats-io/nats-architecture-and-design)."""
    config: dict[str, Any] = {
        "name": bucket_stream(spec),
        "description": spec.purpose,
        "subjects": [f"$KV.{spec.name}.>"],
        "retention": Retention.LIMITS.value,
        "storage": "file",
        "discard": "new",
        "max_age": nanoseconds(spec.ttl_s),
        "max_msgs_per_subject": spec.history,
        "duplicate_window": nanoseconds(_window(_SHORTEST_WINDOW_S, spec.ttl_s)),
        "allow_direct": True,
        "allow_rollup_hdrs": True,
        "allow_msg_ttl": True,
        "deny_delete": True,
    }
    if spec.marker_ttl_s:
        config["subject_delete_marker_ttl"] = nanoseconds(spec.marker_ttl_s)
    return config


def bucket_stream(spec: BucketSpec) -> str:
    """The name of the stream behind a bucket."""
    return f"KV_{spec.name}"


def consumer_config(spec: ConsumerSpec) -> dict[str, Any]:
    """The server's configuration of a durable consumer.

    How often a message may fail is for `workbench` to count: the server cannot tell a bug from a chat that is away.
    """
    return {
        "durable_name": spec.name,
        "name": spec.name,
        "deliver_policy": "all",
        "ack_policy": "explicit",
        "ack_wait": nanoseconds(spec.ack_wait_s),
        "max_deliver": -1,
        "max_ack_pending": -1,  # what waits for its next try must not stop the rest; `room` bounds what is in hand
        "filter_subjects": list(spec.filters),
        "replay_policy": "instant",
    }


async def ensure_everything(session: Session) -> None:
    """All streams and buckets of the contracts."""
    for stream in STREAMS:
        await ensure_stream(session, stream)
    for bucket in BUCKETS:
        await ensure_bucket(session, bucket)


async def ensure_stream(session: Session, spec: StreamSpec) -> None:
    """Make the stream or widen it; raises Misconfigured if the server has one that can never become it."""
    await _ensure(session, stream_config(spec))


async def ensure_bucket(session: Session, spec: BucketSpec) -> None:
    """Make the bucket or widen it."""
    await _ensure(session, bucket_config(spec))


async def ensure_consumer(session: Session, spec: ConsumerSpec) -> None:
    """Make the consumer, or change its filters and times to what is asked."""
    request = {"stream_name": spec.stream.name, "config": consumer_config(spec), "action": ""}
    verb = f"CONSUMER.CREATE.{spec.stream.name}.{spec.name}"
    try:
        await session.api(verb, request)
    except NotFound:
        await ensure_stream(session, spec.stream)
        await session.api(verb, request)


async def _ensure(session: Session, wanted: dict[str, Any]) -> None:
    name = wanted["name"]
    try:
        present = (await session.api(f"STREAM.INFO.{name}"))["config"]
    except NotFound:
        try:
            await session.api(f"STREAM.CREATE.{name}", wanted)
        except Rejected:
            # Another service was faster, with another version of the contracts: see what it made.
            present = (await session.api(f"STREAM.INFO.{name}"))["config"]
        else:
            log.info("stream made", stream=name)
            return
    widened = widen(present, wanted)
    if widened != present:
        await session.api(f"STREAM.UPDATE.{name}", widened)
        log.info("stream widened", stream=name)


def widen(present: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """The present configuration with whatever `wanted` needs more; never less of anything."""
    if present["retention"] != wanted["retention"]:
        raise Misconfigured(
            f"the stream {wanted['name']} has retention {present['retention']}, not {wanted['retention']}: "
            "it has to be emptied and deleted by hand before this version can run"
        )
    result = dict(present)
    result["subjects"] = [*present["subjects"], *(one for one in wanted["subjects"] if one not in present["subjects"])]
    for toggle in _TOGGLES:
        if wanted.get(toggle) and not present.get(toggle):
            result[toggle] = True
    for limit, unlimited in _LIMITS.items():
        have, want = present.get(limit, unlimited), wanted[limit]
        if have != unlimited and (want == unlimited or want > have):
            result[limit] = want
    for longest in ("duplicate_window", "subject_delete_marker_ttl"):
        if wanted.get(longest, 0) > present.get(longest, 0):
            result[longest] = wanted[longest]
    return result


def _window(window_s: float, max_age_s: float) -> float:
    # The server refuses a window that is longer than what it looks back at lives.
    return min(window_s, max_age_s) if max_age_s else window_s
