"""Sound drawn by a model for held-out clips, shown in several ways."""

from collections.abc import Callable

import numpy as np
import torch

from s2s.tasks.contract import Example
from s2s.tasks.generation.data import condition_of, frames_of
from s2s.tasks.generation.predictor.predictor import Draw, GenerationPredictor
from s2s.tasks.generation.systems.answer import SoundAnswer
from s2s.tasks.generation.systems.recorded import RecordedSounds

__all__ = ["DELAY_S", "GeneratedSounds"]

DELAY_S = 0.2
_FRESH = 1000


class GeneratedSounds:
    """Sounds that a model makes for held-out clips.

    Args:
        predictor: draws spectrograms.
        vocode: makes sound of them, float32 (N,).
        sounds: cuts it to a clip's length.
        seed: the recipe's.
    """

    def __init__(
        self,
        predictor: GenerationPredictor,
        vocode: Callable[[torch.Tensor], np.ndarray],
        sounds: RecordedSounds,
        seed: int,
    ) -> None:
        self._predictor = predictor
        self._vocode = vocode
        self._sounds = sounds
        self._seed = seed

    def as_served(self, example: Example) -> SoundAnswer:
        """The sound by the recipe's seed, the same that the serving stage asks for."""
        return self._drawn(example, [Draw(condition_of(example.stored), seed=self._seed)])

    def of_fresh_seeds(self, count: int) -> Callable[[Example], SoundAnswer]:
        """Several sounds, by seeds that depend on the clip."""
        return lambda example: self._fresh(example, condition_of(example.stored), count)

    def delayed(self, example: Example) -> SoundAnswer:
        """Shown the video too late: its sound must be as late."""
        condition_TC = condition_of(example.stored)
        fps = self._predictor.config.spec.fps
        frames = round(DELAY_S * fps)
        # Before the video begins, its first picture stands still.
        late_TC = np.concatenate([np.repeat(condition_TC[:1], frames, axis=0), condition_TC])
        answer = self._fresh(example, late_TC[: len(condition_TC)], 1)
        return SoundAnswer(answer.samples_N, delay_s=frames / fps)

    def of_picture(self, example: Example) -> SoundAnswer:
        """Shown one frame of the clip as a still picture: the one in which most moves."""
        stored = example.stored
        most = int(stored.read("motion").astype(np.float32).sum(axis=1).argmax())
        still_TC = np.repeat(condition_of(stored)[most : most + 1], frames_of(stored), axis=0)
        return self._fresh(example, still_TC, 1, is_still=True)

    def _fresh(
        self, example: Example, condition_TC: np.ndarray, count: int, *, is_still: bool = False
    ) -> SoundAnswer:
        seeds = [self._seed + _FRESH * (n + 1) + example.index for n in range(count)]
        return self._drawn(
            example, [Draw(condition_TC, seed=seed, is_still=is_still) for seed in seeds]
        )

    def _drawn(self, example: Example, draws: list[Draw]) -> SoundAnswer:
        first, *others = (
            self._sounds.fit(self._vocode(mel), example) for mel in self._predictor.mels(draws)
        )
        return SoundAnswer(first, others=tuple(others))
