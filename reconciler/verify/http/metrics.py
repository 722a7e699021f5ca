"""What is counted, for Prometheus. No label can take more values than the code has words for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import isfinite
from typing import TypeAlias

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from reconciler.verify.http.message import NO_STORE, Answer, Noted, length
from reconciler.verify.interface import Freshness

TYPE = b"text/plain; version=0.0.4; charset=utf-8"
BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5)
NO_KIND = "none"

_Outcome: TypeAlias = tuple[str, int, str, "str | None"]
"""Endpoint, status, reason and kind."""


class Metrics:
    """The metrics of one process; of all workers together, where they share a folder."""

    def __init__(
        self, freshness: Callable[[], Freshness], dropped: Callable[[], int], folder: str | None = None
    ) -> None:
        registry = CollectorRegistry()
        self._requests = Counter(
            "reconciler_http_requests", "Requests answered.", ("endpoint", "status"), registry=registry
        )
        self._seconds = Histogram(
            "reconciler_http_request_seconds",
            "Seconds from the head of a request to its answer.",
            ("endpoint",),
            buckets=BUCKETS,
            registry=registry,
        )
        self._checks = Counter(
            "reconciler_checks", "Checks of presented tokens.", ("reason", "kind"), registry=registry
        )
        self._lines = Counter(
            "reconciler_log_lines_dropped", "Lines of the log that nobody read in time.", registry=registry
        )
        self._dropped = dropped
        self._told = registry
        if folder is not None:
            self._told = CollectorRegistry()
            MultiProcessCollector(self._told, folder)  # type: ignore[no-untyped-call]
        self._told.register(_Store(freshness))
        self._observing: dict[str, Callable[[float], None]] = {}
        self._waiting: dict[_Outcome, int] = {}
        self._settled = 0

    def count(self, endpoint: str, status: int, noted: Noted, seconds: float) -> None:
        """One request that was answered."""
        key = (endpoint, status, noted.reason, noted.kind)
        self._waiting[key] = self._waiting.get(key, 0) + 1
        observe = self._observing.get(endpoint)
        if observe is None:
            observe = self._observing[endpoint] = self._seconds.labels(endpoint).observe
        observe(seconds)

    def settle(self) -> None:
        """Hands over what was counted since: that is dearer than to count."""
        waiting, self._waiting = self._waiting, {}
        for (endpoint, status, reason, kind), count in waiting.items():
            self._requests.labels(endpoint, str(status)).inc(count)
            if reason:
                self._checks.labels(reason, kind or NO_KIND).inc(count)
        dropped = self._dropped()
        self._lines.inc(dropped - self._settled)
        self._settled = dropped

    def answer(self) -> Answer:
        """All of it, in the text format."""
        self.settle()
        body = generate_latest(self._told)
        return Answer(200, (length(body), (b"content-type", TYPE), NO_STORE), body)


class _Store(Collector):
    """How fresh the live records are, in the process that answers."""

    def __init__(self, freshness: Callable[[], Freshness]) -> None:
        self._freshness = freshness

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """The gauges, as of now."""
        found = self._freshness()
        age = found.age if isfinite(found.age) else float("inf")
        for name, says, value in (
            ("reconciler_ready", "Whether the live records are fresh enough.", float(found.ready)),
            ("reconciler_store_age_seconds", "Seconds since the live store last answered.", age),
            ("reconciler_store_revision", "Revision of the live store.", float(found.revision)),
            ("reconciler_tokens", "Tokens that are live.", float(found.tokens)),
        ):
            yield GaugeMetricFamily(name, says, value=value)
