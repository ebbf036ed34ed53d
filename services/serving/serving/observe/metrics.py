"""What the server tells Prometheus."""

from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

__all__ = ["CONTENT_TYPE_LATEST", "Metrics"]

_BATCHES = (1, 2, 4, 8, 16, 32)
_SECONDS = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class Metrics:
    """Counts of one server; each has a registry of its own.

    Args:
        queue_depth: jobs that are queued or worked on, asked when somebody looks.
    """

    def __init__(self, queue_depth: Callable[[], int]) -> None:
        self._registry = registry = CollectorRegistry()
        depth = Gauge("s2s_queue_depth", "Jobs queued or worked on.", registry=registry)
        depth.set_function(queue_depth)
        self._batches = Histogram(
            "s2s_batch_size",
            "Inputs that the model was given at a time.",
            ["route", "model"],
            buckets=_BATCHES,
            registry=registry,
        )
        self._steps = Histogram(
            "s2s_step_seconds",
            "Time that each step of a job took.",
            ["route", "model", "step"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._outcomes = Counter(
            "s2s_jobs",
            "Finished jobs by outcome.",
            ["route", "model", "outcome"],
            registry=registry,
        )
        self._answers = Histogram(
            "s2s_http_seconds",
            "Time until an answer began.",
            ["method", "route", "status"],
            buckets=_SECONDS,
            registry=registry,
        )

    def batch(self, route: str, model: str, size: int) -> None:
        """Note a batch; may be called in any thread."""
        self._batches.labels(route, model).observe(size)

    def finished(self, route: str, model: str, seconds_by_step: Mapping[str, float]) -> None:
        """Note a job that was done."""
        self._outcomes.labels(route, model, "done").inc()
        for step, seconds in seconds_by_step.items():
            self._steps.labels(route, model, step).observe(seconds)

    def failed(self, route: str, model: str, kind: str) -> None:
        """Note a job that failed with a kind of problem."""
        self._outcomes.labels(route, model, kind).inc()

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Note an answer of a route, as it is declared."""
        self._answers.labels(method, route, str(status)).observe(seconds)

    def text(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self._registry)
