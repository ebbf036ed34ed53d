"""What is told about a job while a predictor works on it."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

__all__ = ["JobNotes"]

# More often would not be visible.
_LEAST_PROGRESS, _LEAST_TIME_S = 0.01, 0.1


class JobNotes:
    """Steps and progress of one job; see `s2s.tasks.contract.Notes`.

    Args:
        seconds: time that earlier steps took.
        on_progress: told how much of the job is done, 0..1.

    Attributes:
        seconds: time that each step took.
        span: which part of the job's progress the present call is.
    """

    def __init__(
        self,
        seconds: Mapping[str, float] | None = None,
        on_progress: Callable[[float], None] = lambda _: None,
    ) -> None:
        self.seconds = dict(seconds or {})
        self.span = (0.0, 1.0)
        self._on_progress = on_progress
        self._told, self._told_at_s = 0.0, 0.0

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Note how long a step takes."""
        started = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - started

    def tell(self, share: float) -> None:
        """Tell how much of the present call is done, 0..1, as often as one likes."""
        begin, end = self.span
        progress, now_s = round(begin + share * (end - begin), 3), time.monotonic()
        if progress >= self._told + _LEAST_PROGRESS and now_s >= self._told_at_s + _LEAST_TIME_S:
            self._told, self._told_at_s = progress, now_s
            self._on_progress(progress)
