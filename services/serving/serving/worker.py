"""The one thread that owns the model and works on one video at a time."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Protocol

from serving.problems import Problem

__all__ = ["Generated", "Predictor", "Worker"]

_RETRY_AFTER_S = 5


class Generated(Protocol):
    """What a predictor tells of a video that it gave sound."""

    @property
    def duration_s(self) -> float:
        """Length of the video."""
        ...

    @property
    def seconds_by_step(self) -> Mapping[str, float]:
        """Time that each step took."""
        ...


class Predictor(Protocol):
    """A trained model loaded for use: `s2s.predictors.generation.GenerationPredictor`."""

    def generate(
        self,
        video: Path,
        output: Path,
        *,
        seed: int = 0,
        steps: int | None = None,
        guidance: float | None = None,
    ) -> Generated:
        """Write the video with generated sound as an mp4.

        Raises:
            MediaError: if the video cannot be used.
        """
        ...


class Worker:
    """Loads a predictor in a thread of its own, and runs it there.

    One thread, always the same: thread settings of torch hold only in the thread that made them.
    Loading starts at once; the server can answer before it is done.

    Args:
        load: makes the predictor.

    Attributes:
        loaded: the predictor, or why it could not be loaded.
        turn: to be held while `generate` is awaited; requests get it in the order of asking.
    """

    def __init__(self, load: Callable[[], Predictor]) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        self.loaded: Future[Predictor] = self._thread.submit(load)
        self.turn = asyncio.Lock()

    @property
    def is_ready(self) -> bool:
        """Whether the predictor is loaded."""
        return self.loaded.done() and self.loaded.exception() is None

    def check_ready(self) -> None:
        """Make sure that the predictor is loaded.

        Raises:
            Problem: 503 if it is not.
        """
        if not self.is_ready:
            raise Problem(
                503,
                "not-ready",
                "The model is being loaded. Try again in a few seconds.",
                headers={"Retry-After": str(_RETRY_AFTER_S)},
            )

    async def generate(
        self, video: Path, output: Path, seed: int, steps: int | None, guidance: float | None
    ) -> Generated:
        """Give a video sound, without holding up the event loop; see `Predictor.generate`.

        Raises:
            Problem: 503 while the predictor is not loaded.
            MediaError: if the video cannot be used.
        """
        self.check_ready()
        run = self.loaded.result().generate
        task = partial(run, video, output, seed=seed, steps=steps, guidance=guidance)
        return await asyncio.wrap_future(self._thread.submit(task))

    def close(self) -> None:
        """Finish what has begun, and end the thread."""
        self._thread.shutdown(cancel_futures=True)
