"""What a service tells about itself: log lines, metrics, traces, and whether it is well.

`configure_logging` once at start, `Metrics` one per service, `HealthServer` for /healthz, /readyz and /metrics, `span`
around what is worth timing. `shared.lifecycle` puts them together.
"""

from shared.telemetry.health import Check, HealthServer
from shared.telemetry.logs import configure_logging
from shared.telemetry.metrics import Metrics
from shared.telemetry.tracing import TraceParent, span, tracing

__all__ = ["Check", "HealthServer", "Metrics", "TraceParent", "configure_logging", "span", "tracing"]
