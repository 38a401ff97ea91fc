"""The part of tracing that needs OpenTelemetry; imported only where traces are collected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import unquote

import httpx
import structlog
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import NonRecordingSpan, SpanContext, StatusCode, TraceFlags

from shared.telemetry.tracing import AttributeValue, TraceParent

log = structlog.get_logger(__name__)

_TIMEOUT_S: Final = 5.0
_SCOPE: Final = "ronda"
# opentelemetry/proto/trace/v1/trace.proto: the API's kinds count from 0, the wire's from 1
_FIRST_KIND: Final = 1
_ERROR: Final = 2


@contextmanager
def collecting(service: str, instance: str, endpoint: str, environ: Mapping[str, str]) -> Iterator[trace.Tracer]:
    """A tracer whose spans go to `endpoint`; what is left is sent when the context closes."""
    resource = Resource.create({"service.name": f"ronda-{service}", "service.instance.id": instance})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    exporter = OtlpJsonExporter(endpoint, _headers(environ.get("OTEL_EXPORTER_OTLP_HEADERS", "")))
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=2000))
    try:
        yield provider.get_tracer(_SCOPE)
    finally:
        provider.shutdown()


@contextmanager
def recorded(
    tracer: trace.Tracer, name: str, parent: TraceParent | None, attributes: Mapping[str, AttributeValue]
) -> Iterator[TraceParent]:
    """One span; nested ones of the same task hang below it, unless they name another trace."""
    context = None if _continues(parent) else _context_of(parent)
    with tracer.start_as_current_span(
        name, context=context, attributes=dict(attributes), record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield _own(current)
        except Exception as error:
            current.set_status(StatusCode.ERROR, type(error).__name__)
            raise


def _continues(parent: TraceParent | None) -> bool:
    """Whether the span around us belongs to the same trace already (or no trace is named)."""
    around = trace.get_current_span().get_span_context()
    return parent is None or (around.is_valid and around.trace_id == int(parent.trace_id, 16))


def _context_of(parent: TraceParent | None) -> Any:
    if parent is None:
        return None
    flags = TraceFlags(TraceFlags.SAMPLED if parent.sampled else TraceFlags.DEFAULT)
    remote = SpanContext(int(parent.trace_id, 16), int(parent.span_id, 16), is_remote=True, trace_flags=flags)
    return trace.set_span_in_context(NonRecordingSpan(remote))


def _own(current: trace.Span) -> TraceParent:
    context = current.get_span_context()
    return TraceParent(f"{context.trace_id:032x}", f"{context.span_id:016x}", context.trace_flags.sampled)


class OtlpJsonExporter(SpanExporter):
    """OTLP/HTTP with JSON, https://opentelemetry.io/docs/specs/otlp/#otlphttp. Runs in the processor's thread."""

    def __init__(self, endpoint: str, headers: Mapping[str, str]) -> None:
        self._url = f"{endpoint.rstrip('/')}/v1/traces"
        self._client = httpx.Client(timeout=_TIMEOUT_S, headers=dict(headers))
        self._failing = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send a batch. A batch that is refused is lost: traces may be."""
        try:
            self._client.post(self._url, json=as_otlp(spans)).raise_for_status()
        except httpx.HTTPError as error:
            if not self._failing:
                log.warning("traces are not delivered", reason=type(error).__name__)
            self._failing = True
            return SpanExportResult.FAILURE
        self._failing = False
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        self._client.close()


def as_otlp(spans: Sequence[ReadableSpan]) -> dict[str, Any]:
    """The body of an export request; all spans are of one process, so of one resource."""
    resource = spans[0].resource.attributes if spans else {}
    scope_spans = [{"scope": {"name": _SCOPE}, "spans": [_span(each) for each in spans]}]
    return {"resourceSpans": [{"resource": {"attributes": _attributes(resource)}, "scopeSpans": scope_spans}]}


def _span(each: ReadableSpan) -> dict[str, Any]:
    context = each.get_span_context()
    written: dict[str, Any] = {
        "traceId": f"{context.trace_id if context else 0:032x}",
        "spanId": f"{context.span_id if context else 0:016x}",
        "name": each.name,
        "kind": each.kind.value + _FIRST_KIND,
        "startTimeUnixNano": str(each.start_time),
        "endTimeUnixNano": str(each.end_time),
        "attributes": _attributes(each.attributes or {}),
        "status": {},
    }
    if each.parent is not None:
        written["parentSpanId"] = f"{each.parent.span_id:016x}"
    if each.status.status_code is StatusCode.ERROR:
        written["status"] = {"code": _ERROR, "message": each.status.description or ""}
    return written


def _attributes(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in attributes.items()]


def _value(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case _:
            return {"stringValue": str(value)}


def _headers(text: str) -> dict[str, str]:
    """`name=value,name=value`, values percent-encoded, as the OpenTelemetry specification has it."""
    pairs = (pair.partition("=") for pair in text.split(",") if "=" in pair)
    return {name.strip(): unquote(value.strip()) for name, _, value in pairs}
