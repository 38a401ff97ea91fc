"""Metrics for Prometheus: one registry per service, names `ronda_…` with their unit, few labels, never an id."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
FAST_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


@final
class Metrics:
    """Makes a service's metrics and writes them out. Names are given without `ronda_`."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)

    def counter(self, name: str, description: str, labels: Sequence[str] = ()) -> Counter:
        """Counts what happened; `name` ends with `_total`."""
        _demand(name, "_total")
        return Counter(name, description, labels, namespace="ronda", registry=self._registry)

    def gauge(self, name: str, description: str, labels: Sequence[str] = ()) -> Gauge:
        """Something that goes up and down."""
        return Gauge(name, description, labels, namespace="ronda", registry=self._registry)

    def watch(self, name: str, description: str, value: Callable[[], float]) -> None:
        """A gauge that is asked when somebody looks."""
        self.gauge(name, description).set_function(value)

    def histogram(
        self, name: str, description: str, labels: Sequence[str] = (), buckets: Sequence[float] = FAST_S
    ) -> Histogram:
        """How long or how large things are; `name` ends with its unit, `_seconds` or `_bytes`."""
        _demand(name, "_seconds", "_bytes")
        return Histogram(name, description, labels, namespace="ronda", registry=self._registry, buckets=buckets)

    def render(self) -> bytes:
        """The text that Prometheus reads, of type `CONTENT_TYPE`."""
        return generate_latest(self._registry)


def _demand(name: str, *endings: str) -> None:
    if not name.endswith(endings):
        raise ValueError(f"the metric {name} must end with {' or '.join(endings)}")
