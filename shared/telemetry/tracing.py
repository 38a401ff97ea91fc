"""Traces: W3C trace context, and spans where somebody collects them.

Without OTEL_EXPORTER_OTLP_ENDPOINT a span costs nothing and OpenTelemetry is not even imported. With it, spans go there
as OTLP over HTTP in JSON, in batches, from a thread of their own.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from shared.bus.context import current_envelope

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

ENDPOINT: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"

# https://www.w3.org/TR/trace-context/#traceparent-header
_TRACEPARENT: Final = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")

AttributeValue = str | int | float | bool

_active: list[Tracer] = []  # at most one; a list so that `tracing` needs no `global`


@dataclass(frozen=True, slots=True)
class TraceParent:
    """The `traceparent` header in parts."""

    trace_id: str
    span_id: str
    sampled: bool

    @classmethod
    def parse(cls, text: str | None) -> TraceParent | None:
        """Read a header; None for anything that the standard calls invalid (then a new trace begins)."""
        found = _TRACEPARENT.fullmatch((text or "").strip())
        if found is None:
            return None
        version, trace_id, span_id, flags, rest = found.groups()
        if version == "ff" or (version == "00" and rest) or not int(trace_id, 16) or not int(span_id, 16):
            return None
        return cls(trace_id, span_id, bool(int(flags, 16) & 1))

    @classmethod
    def new(cls) -> TraceParent:
        """The beginning of a trace."""
        return cls(secrets.token_hex(16), secrets.token_hex(8), sampled=True)

    def child(self) -> TraceParent:
        """A further step of the same trace."""
        return TraceParent(self.trace_id, secrets.token_hex(8), self.sampled)

    def __str__(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-{int(self.sampled):02x}"


@contextmanager
def span(
    name: str, *, parent: str | None = None, attributes: Mapping[str, AttributeValue] | None = None
) -> Iterator[TraceParent | None]:
    """Time a piece of work as part of the trace of `parent`, or else of the message being handled now.

    Gives the span's own trace context, None where nobody collects traces. An error that passes is recorded by its
    class; its text may hold what a trace must not.
    """
    if not _active:
        yield None
        return
    from shared.telemetry.otel import recorded

    envelope = current_envelope()
    above = TraceParent.parse(parent or (envelope.traceparent if envelope else None))
    with recorded(_active[0], name, above, attributes or {}) as own:
        yield own


@contextmanager
def tracing(service: str, instance: str, *, environ: Mapping[str, str] | None = None) -> Iterator[bool]:
    """Collect spans while the context is open, if the environment says where to; gives whether it does."""
    endpoint = (os.environ if environ is None else environ).get(ENDPOINT, "").strip()
    if not endpoint:
        yield False
        return
    from shared.telemetry.otel import collecting

    with collecting(service, instance, endpoint, os.environ if environ is None else environ) as tracer:
        _active.append(tracer)
        try:
            yield True
        finally:
            _active.remove(tracer)
