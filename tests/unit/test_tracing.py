"""Trace context after the standard; spans as OTLP JSON to a real socket, and nothing at all when nobody collects."""

import asyncio
import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from shared.bus.memory import MemoryBus
from shared.bus.ports import ConsumerSpec
from shared.clock import SystemClock
from shared.contracts.envelope import Envelope, new_traceparent
from shared.contracts.events import AlertOpened, HostDown
from shared.contracts.streams import EVENTS
from shared.contracts.subjects import Kind, every
from shared.telemetry.tracing import TraceParent, span, tracing

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        (f"00-{TRACE}-{SPAN}-01", TraceParent(TRACE, SPAN, sampled=True)),
        (f" 00-{TRACE}-{SPAN}-00 ", TraceParent(TRACE, SPAN, sampled=False)),
        (f"cc-{TRACE}-{SPAN}-03-new", TraceParent(TRACE, SPAN, sampled=True)),
        (f"00-{TRACE}-{SPAN}-01-more", None),
        (f"ff-{TRACE}-{SPAN}-01", None),
        (f"00-{'0' * 32}-{SPAN}-01", None),
        (f"00-{TRACE}-{'0' * 16}-01", None),
        (f"00-{TRACE.upper()}-{SPAN}-01", None),
        ("", None),
        (None, None),
    ],
)
def test_traceparent_is_read_as_the_standard_says(text: str | None, parsed: TraceParent | None):
    assert TraceParent.parse(text) == parsed


def test_traceparent_is_written_and_continued():
    first = TraceParent.new()
    assert TraceParent.parse(str(first)) == first
    assert TraceParent.parse(new_traceparent()) is not None
    assert first.child().trace_id == first.trace_id
    assert first.child().span_id != first.span_id


class Collector(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, dict(self.headers), json.loads(body)))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *args):
        pass


@pytest.fixture
def collector():
    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        server.requests, server.status = [], 200
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def environ(server: HTTPServer) -> dict[str, str]:
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{server.server_port}/",
        "OTEL_EXPORTER_OTLP_HEADERS": "x-tenant=warung%20kopi",
    }


def failing_step():
    with span("step"):
        raise ValueError("rahasia")


def test_spans_arrive_as_otlp_json(collector):
    with tracing("poller", "p1", environ=environ(collector)) as collected:
        assert collected
        with span("round", parent=f"00-{TRACE}-{SPAN}-01", attributes={"hosts": 3, "ok": True}) as own:
            assert own is not None
            with pytest.raises(ValueError, match="rahasia"):
                failing_step()
    (request,) = collector.requests
    path, headers, body = request
    assert path == "/v1/traces"
    assert headers["Content-Type"] == "application/json"
    assert headers["x-tenant"] == "warung kopi"
    resource = {each["key"]: each["value"] for each in body["resourceSpans"][0]["resource"]["attributes"]}
    assert resource["service.name"] == {"stringValue": "ronda-poller"}
    step, outer = body["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert (outer["traceId"], outer["parentSpanId"]) == (TRACE, SPAN)
    assert outer["spanId"] == own.span_id
    assert outer["attributes"] == [
        {"key": "hosts", "value": {"intValue": "3"}},
        {"key": "ok", "value": {"boolValue": True}},
    ]
    assert (step["traceId"], step["parentSpanId"]) == (TRACE, own.span_id)
    assert step["status"] == {"code": 2, "message": "ValueError"}
    assert "rahasia" not in json.dumps(body)
    assert int(step["startTimeUnixNano"]) <= int(step["endTimeUnixNano"])


def test_a_collector_that_fails_does_not_disturb(collector):
    collector.status = 500
    with tracing("poller", "p1", environ=environ(collector)), span("round"):
        pass
    assert collector.requests


def test_without_a_collector_nothing_is_imported():
    code = (
        "import sys; from shared.telemetry import span, tracing\n"
        "with tracing('x', 'y', environ={}) as on, span('s') as own: assert not on and own is None\n"
        "assert not [name for name in sys.modules if name.startswith('opentelemetry')]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


async def test_a_handled_message_is_a_span_and_what_it_says_follows_from_it(collector):
    clock = SystemClock()
    spec = ConsumerSpec("tracer", EVENTS, (every(Kind.EVENT),))
    with tracing("notifier", "n1", environ=environ(collector)):
        bus = MemoryBus(source="notifier/n1", clock=clock)

        async def handle(event: HostDown) -> None:
            await bus.publish(AlertOpened.example())

        consumer = asyncio.create_task(bus.consume(spec, {HostDown: [handle]}))
        cause = Envelope.around(HostDown.example(), source="poller/1", now=clock.now())
        await bus.publish(HostDown.example(), cause=cause)
        async for received in bus.read(EVENTS, AlertOpened.filter(), after_sequence=0):
            if received is not None:
                effect = received.envelope
                break
        consumer.cancel()
        await asyncio.gather(consumer, return_exceptions=True)
    spans = collector.requests[0][2]["resourceSpans"][0]["scopeSpans"][0]["spans"]
    (handled,) = [each for each in spans if each["name"] == "handle ronda.v1.evt.host.down"]
    assert handled["traceId"] == TraceParent.parse(cause.traceparent).trace_id
    assert TraceParent.parse(effect.traceparent).span_id == handled["spanId"]
