"""What gives held-out clips a sound: the model, what it is compared with, and what is the most.

real          the clip's own sound
real_mel      its own mel through the vocoder: the most that the model can reach
model         generated from the picture
regression    the same network, trained alike, but to say the one most likely sound
nearest       the sound of the training clip whose picture is most alike
random_clip   a training clip's sound: what chance gives
random_alike  the sound of a training clip of the same group: chance that knows what it is
silence       nothing
delayed       the model, shown the video 200 ms too late: its sound must be as late
picture       the model, shown a still picture of the clip
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch

from s2s.dataset import DatasetClip, DatasetVersion
from s2s.features.stored import StoredClip
from s2s.media import read_audio
from s2s.storage import Bucket
from s2s.tasks.generation.data import condition_of, frames_of, mel_of, samples_of
from s2s.tasks.generation.metrics.scores import Take
from s2s.tasks.generation.predictor.predictor import Draw, GenerationPredictor
from s2s.tasks.generation.settings import GenerationRecipe

__all__ = ["DELAY_S", "Library", "Shown", "System", "all_systems", "quick_systems"]

DELAY_S = 0.2
_FRESH = 1000


@dataclass(frozen=True)
class Shown:
    """A held-out clip.

    Attributes:
        index: its place among those that are measured on.
        listed: what the data set says of it.
        stored: its features.
        real_N: its own sound, float32, as long as its picture.
    """

    index: int
    listed: DatasetClip
    stored: StoredClip
    real_N: np.ndarray

    @classmethod
    def of(cls, index: int, listed: DatasetClip, stored: StoredClip, real_N: np.ndarray) -> Self:
        """A clip whose sound may be longer or shorter than its picture."""
        return cls(index, listed, stored, _fit(real_N, samples_of(stored)))

    def fit(self, samples_N: np.ndarray) -> np.ndarray:
        """A sound, cut or filled with silence to this clip's length."""
        return _fit(samples_N, len(self.real_N))


System = Callable[[Shown], Take]


class Library:
    """The clips that a model was trained on, and every clip's sound.

    Args:
        bucket: where the sounds are.
        recipe: of the model.
        version: the data set version that it was trained on.
        trained: features of the training clips.
    """

    def __init__(
        self,
        bucket: Bucket,
        recipe: GenerationRecipe,
        version: DatasetVersion,
        trained: Sequence[StoredClip],
    ) -> None:
        listed = {clip.clip_id: clip for clip in version.split("train")}
        self._bucket = bucket
        self._clips = [(listed[clip.clip_id], clip) for clip in trained]
        self._rate_hz = recipe.spec.sample_rate_hz
        self._group_of = recipe.evaluation.group_of
        self._looks: tuple[np.ndarray, np.ndarray] | None = None

    def sound(self, clip: DatasetClip) -> np.ndarray:
        """A clip's own sound, float32 (N,)."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "clip.wav"
            self._bucket.download(clip.wav_key, path)
            return read_audio(path, self._rate_hz)

    def random_clip(self, shown: Shown, seed: int) -> np.ndarray:
        """The sound of some training clip."""
        return self._any_of([clip for clip, _ in self._clips], shown, seed)

    def random_alike(self, shown: Shown, seed: int) -> np.ndarray:
        """The sound of some training clip of the same group; of any, if there is none in it."""
        group = self._group_of(shown.listed.labels)
        alike = [clip for clip, _ in self._clips if self._group_of(clip.labels) == group]
        return self._any_of(alike or [clip for clip, _ in self._clips], shown, seed)

    def _any_of(self, clips: Sequence[DatasetClip], shown: Shown, seed: int) -> np.ndarray:
        rng = np.random.default_rng((seed, shown.index))
        return self.sound(clips[int(rng.integers(len(clips)))])

    def nearest_clip(self, shown: Shown) -> np.ndarray:
        """The sound of the training clip whose motion and colours are most alike."""
        if self._looks is None:
            looks = np.stack([_look(stored) for _, stored in self._clips])
            self._looks = looks, looks.std(axis=0) + 1e-3
        looks, spread = self._looks
        apart = np.square((looks - _look(shown.stored)) / spread).sum(axis=1)
        return self.sound(self._clips[int(apart.argmin())][0])


def quick_systems(predictor: GenerationPredictor, library: Library, seed: int) -> dict[str, System]:
    """What a training measures: no more than takes a moment.

    Args:
        predictor: the model.
        library: what it was trained on.
        seed: that serving shows held-out clips with: figures and examples are of one sound.
    """
    vocode = predictor.vocode

    def systems_of(draw: Callable[[Shown], Draw]) -> System:
        return lambda shown: Take(shown.fit(vocode(predictor.mels([draw(shown)])[0])))

    return {
        "real": lambda shown: Take(shown.real_N),
        "real_mel": lambda shown: Take(shown.fit(vocode(torch.from_numpy(mel_of(shown.stored))))),
        "model": systems_of(lambda shown: Draw(condition_of(shown.stored), seed=seed)),
        "random_clip": lambda shown: Take(shown.fit(library.random_clip(shown, seed))),
        "silence": lambda shown: Take(np.zeros_like(shown.real_N)),
    }


def all_systems(
    predictor: GenerationPredictor,
    regression: GenerationPredictor,
    library: Library,
    seed: int,
    takes: int,
) -> Mapping[str, System]:
    """What an evaluation measures.

    Args:
        predictor: the model.
        regression: its network trained for regression.
        library: what both were trained on.
        seed: the recipe's; every clip gets seeds of its own.
        takes: sounds of the model for each clip, to see how much seeds differ.
    """

    def draw(
        by: GenerationPredictor,
        shown: Shown,
        features: np.ndarray,
        count: int,
        is_still: bool = False,
    ) -> Take:
        seeds = [seed + _FRESH * (n + 1) + shown.index for n in range(count)]
        mels = by.mels([Draw(features, seed=one, is_still=is_still) for one in seeds])
        first, *others = (shown.fit(predictor.vocode(mel)) for mel in mels)
        return Take(first, others=tuple(others))

    def delayed(shown: Shown) -> Take:
        condition_TC = condition_of(shown.stored)
        frames = round(DELAY_S * predictor.config.spec.fps)
        # Before the video begins, its first picture stands still.
        late_TC = np.concatenate([np.repeat(condition_TC[:1], frames, axis=0), condition_TC])
        take = draw(predictor, shown, late_TC[: len(condition_TC)], 1)
        return Take(take.samples_N, delay_s=frames / predictor.config.spec.fps)

    def picture(shown: Shown) -> Take:
        stored = shown.stored
        # The frame in which most moves: something is to be seen in it.
        most = int(stored.read("motion").sum(axis=1).argmax())
        still_TC = np.repeat(condition_of(stored)[most : most + 1], frames_of(stored), axis=0)
        return draw(predictor, shown, still_TC, 1, is_still=True)

    return {
        **quick_systems(predictor, library, seed),
        "model": lambda shown: draw(predictor, shown, condition_of(shown.stored), takes),
        "regression": lambda shown: draw(regression, shown, condition_of(shown.stored), 1),
        "nearest": lambda shown: Take(shown.fit(library.nearest_clip(shown))),
        "random_alike": lambda shown: Take(shown.fit(library.random_alike(shown, seed))),
        "delayed": delayed,
        "picture": picture,
    }


def _fit(samples_N: np.ndarray, length: int) -> np.ndarray:
    return np.pad(samples_N[:length], (0, max(0, length - len(samples_N))))


def _look(stored: StoredClip) -> np.ndarray:
    """What a clip looks like, whenever it does: mean and spread of its features over time."""
    condition_TC = condition_of(stored)
    return np.concatenate([condition_TC.mean(axis=0), condition_TC.std(axis=0)])
