"""What a model finds when faces are shown to it as they are, or otherwise.

Legend: S faces, T pictures, N samples, D lip values.
"""

import time
from collections.abc import Callable

import numpy as np
import torch

from s2s.tasks.contract import Example
from s2s.tasks.separation.data import HeldOutMixtures, Mixture
from s2s.tasks.separation.predictor.separator import Separator
from s2s.tasks.separation.systems.answer import SeparationAnswer

__all__ = ["LATE_S", "ShownFaces"]

LATE_S = 0.5

Lips = tuple[np.ndarray, np.ndarray]
"""Lip streams (S, T, D), and where faces are seen (S, T)."""


class ShownFaces:
    """What a model answers.

    Args:
        separator: the model.
        mixtures: what it is asked for.
        is_heard_closely: whether its own answers are measured in every way.
    """

    def __init__(
        self, separator: Separator, mixtures: HeldOutMixtures, *, is_heard_closely: bool
    ) -> None:
        self._separator = separator
        self._mixtures = mixtures
        self._is_heard_closely = is_heard_closely

    def as_they_are(self, example: Example) -> SeparationAnswer:
        """Its own answer, and how long it takes on one core."""
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        # What else a busy core does is not the model's; a GPU works beside this thread.
        clock = time.thread_time if self._separator.is_on_cpu else time.perf_counter
        started = clock()
        try:
            voices = self._found(example, lambda mixed: (mixed.lips_STD, mixed.seen_ST))
        finally:
            torch.set_num_threads(threads)
        seconds = clock() - started
        return SeparationAnswer(voices, seconds, is_heard_closely=self._is_heard_closely)

    def swapped(self, example: Example) -> SeparationAnswer:
        """Every face in another's place; each voice is put to the face that was shown for it."""
        found = self._found(example, lambda m: (m.lips_STD[::-1], m.seen_ST[::-1]))
        return SeparationAnswer(tuple(np.ascontiguousarray(part[::-1]) for part in found))

    def frozen(self, example: Example) -> SeparationAnswer:
        """Every face as it was in one moment, the middle of the clip, all the time."""

        def still(mixed: Mixture) -> Lips:
            middle = mixed.lips_STD.shape[1] // 2
            held = mixed.lips_STD[:, middle : middle + 1]
            # The second half of a lip stream are speeds: nothing moves.
            held = np.concatenate(
                [held[..., : held.shape[-1] // 2], 0 * held[..., held.shape[-1] // 2 :]], axis=-1
            )
            return np.repeat(held, mixed.lips_STD.shape[1], axis=1), mixed.seen_ST

        return SeparationAnswer(self._found(example, still))

    def late(self, example: Example) -> SeparationAnswer:
        """Faces half a second late; before they begin, their first picture stands still."""

        def delayed(mixed: Mixture) -> Lips:
            pictures = round(LATE_S * self._separator.fps)
            length = mixed.lips_STD.shape[1]
            first = np.repeat(mixed.lips_STD[:, :1], pictures, axis=1)
            lips_STD = np.concatenate([first, mixed.lips_STD], axis=1)[:, :length]
            seen_ST = np.concatenate(
                [np.repeat(mixed.seen_ST[:, :1], pictures, axis=1), mixed.seen_ST], axis=1
            )[:, :length]
            return lips_STD, seen_ST

        return SeparationAnswer(self._found(example, delayed))

    def _found(self, example: Example, show: Callable[[Mixture], Lips]) -> tuple[np.ndarray, ...]:
        found = []
        for mixed in self._mixtures.of(example):
            lips_STD, seen_ST = (np.ascontiguousarray(part) for part in show(mixed))
            found.append(self._separator.separate(mixed.mixture_N, lips_STD, seen_ST))
        return tuple(found)
