"""Figures of the running service, in the text format of Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from .compute.pool import Pool
from .compute.pool_records import PoolEvents

REFUSALS = {401: "key", 403: "scope", 408: "body time", 413: "body size", 421: "host"}
"""Reasons of refusals by HTTP status; those of compute processes come from the pool."""
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)


class Metrics(PoolEvents):
    """Counters of one application, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._seconds = Histogram(
            "twin_request_seconds",
            "Time from request to answer.",
            ("route", "status"),
            buckets=BUCKETS_S,
            registry=registry,
        )
        self._refusals = Counter("twin_refusals", "Requests refused, by reason.", ("reason",), registry=registry)
        self._networks = Counter(
            "twin_network_cache", "Questions whose network was compiled before, or not.", ("result",), registry=registry
        )
        self._restarts = Counter("twin_process_restarts", "Compute processes that were replaced.", registry=registry)
        self._waiting = Gauge("twin_questions_waiting", "Questions in the queue.", registry=registry)
        self._running = Gauge("twin_questions_running", "Questions in compute processes.", registry=registry)

    def observe(self, pool: Pool) -> None:
        """Read the length of the queue of a pool whenever the figures are asked for."""
        self._waiting.set_function(lambda: pool.n_waiting)
        self._running.set_function(lambda: pool.n_running)

    def requested(self, route: str, status: int, duration_s: float) -> None:
        """Note a request.

        Args:
            route: path with its parameters unfilled.
            status: HTTP status.
            duration_s: time until the answer was sent.
        """
        self._seconds.labels(route, str(status)).observe(duration_s)
        if status in REFUSALS:
            self.refused(REFUSALS[status])

    def answered(self, *, is_known: bool) -> None:
        """Note an answer, and whether its network was compiled before."""
        self._networks.labels("hit" if is_known else "miss").inc()

    def refused(self, reason: str) -> None:
        """Note a refusal."""
        self._refusals.labels(reason).inc()

    def restarted(self) -> None:
        """Note a process that was replaced."""
        self._restarts.inc()

    def text(self) -> bytes:
        """Return all figures."""
        return generate_latest(self._registry)
