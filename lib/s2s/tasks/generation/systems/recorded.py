"""Sound as it was recorded: of held-out clips, and of the clips that a model was trained on.

Legend: N samples.
"""

from collections.abc import Sequence

import numpy as np

from s2s.dataset import DatasetClip
from s2s.features.stored import StoredClip
from s2s.media import read_audio
from s2s.tasks.contract import Example, Material
from s2s.tasks.generation.data import condition_of, samples_of
from s2s.workspace import scratch

__all__ = ["RecordedSounds", "TrainedClips"]


class RecordedSounds:
    """The clips' own sound.

    Args:
        material: says where the sounds are.
    """

    def __init__(self, material: Material) -> None:
        self._bucket = material.bucket
        self._rate_hz = material.recipe.spec.sample_rate_hz

    def read(self, clip: DatasetClip) -> np.ndarray:
        """A clip's own sound, float32 (N,), however long it is."""
        with scratch() as folder:
            path = folder / "clip.wav"
            self._bucket.download(clip.wav_key, path)
            return read_audio(path, self._rate_hz)

    def of(self, example: Example) -> np.ndarray:
        """A held-out clip's own sound, as long as its picture."""
        return self.fit(self.read(example.listed), example)

    def fit(self, samples_N: np.ndarray, example: Example) -> np.ndarray:
        """A sound, cut or filled with silence to the length of a clip's picture."""
        length = samples_of(example.stored)
        return np.pad(samples_N[:length], (0, max(0, length - len(samples_N))))


class TrainedClips:
    """The clips that a model was trained on, whose sound is a baseline.

    Args:
        material: what the model was trained on.
        sounds: the clips' sound.
    """

    def __init__(self, material: Material, sounds: RecordedSounds) -> None:
        self._clips = material.clips["train"]
        self._sounds = sounds
        self._seed = material.recipe.seed
        self._group_of = material.recipe.evaluation.group_of
        self._looks: tuple[np.ndarray, np.ndarray] | None = None

    def random_clip(self, example: Example) -> np.ndarray:
        """The sound of some training clip."""
        return self._any_of(self._clips, example)

    def random_alike(self, example: Example) -> np.ndarray:
        """The sound of some training clip of the same group; of any, if there is none in it."""
        group = self._group_of(example.listed.labels)
        alike = [clip for clip in self._clips if self._group_of(clip.listed.labels) == group]
        return self._any_of(alike or self._clips, example)

    def nearest(self, example: Example) -> np.ndarray:
        """The sound of the training clip whose motion and colours are most alike."""
        if self._looks is None:
            looks = np.stack([_look(clip) for clip in self._clips])
            self._looks = looks, looks.std(axis=0) + 1e-3
        looks, spread = self._looks
        apart = np.square((looks - _look(example.stored)) / spread).sum(axis=1)
        return self._sounds.read(self._clips[int(apart.argmin())].listed)

    def _any_of(self, clips: Sequence[StoredClip], example: Example) -> np.ndarray:
        rng = np.random.default_rng((self._seed, example.index))
        return self._sounds.read(clips[int(rng.integers(len(clips)))].listed)


def _look(clip: StoredClip) -> np.ndarray:
    """Mean and standard deviation of a clip's visual features over time."""
    condition_TC = condition_of(clip)
    return np.concatenate([condition_TC.mean(axis=0), condition_TC.std(axis=0)])
