"""Mixtures as examples for training.

Legend: S faces, T pictures, N samples, D lip values.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.data import Dataset

from s2s.tasks.separation.data.mixing import Mixer
from s2s.tasks.separation.data.plan import FacePlan, MixturePlan, draw_plan
from s2s.tasks.separation.settings import MixingSettings

__all__ = ["MixtureDataset", "MixtureExample", "validation_plans"]

MixtureExample = dict[str, torch.Tensor]
"""`mixture`: float32 (N,); `voices`: (S, N); `lips`: (S, T, D); `seen`: bool (S, T); `heard`: bool
(S,), which faces speak."""
_PAUSE = (0.15, 0.6)
"""How long a voice falls silent: shares of a mixture."""


@dataclass(frozen=True)
class MixtureDataset(Dataset[MixtureExample]):
    """Mixtures that are drawn anew all the time; item n is the same on every machine and run.

    All of a batch have as many faces, so that they can be stacked.

    Attributes:
        mixer: makes them.
        settings: what they are made of.
        window: pictures of one.
        batch_size: examples in a batch.
        count: how many items.
        seed: source of chance.
        new_lips: whether lips are made anew from the voices, other ones each time.
    """

    mixer: Mixer
    settings: MixingSettings
    window: int
    batch_size: int
    count: int
    seed: int
    new_lips: bool = False

    def __len__(self) -> int:
        return self.count

    def plan(self, index: int) -> MixturePlan:
        """What an item is made of: every pass over the clips has each first once."""
        clips = self.mixer.talkers.clips
        turn, place = divmod(index, len(clips))
        first = int(np.random.default_rng((self.seed, 0, turn)).permutation(len(clips))[place])
        rng = np.random.default_rng((self.seed, 2, index))
        plan = draw_plan(
            self.mixer.talkers, first, self._n_faces(index), self.window, self.settings, rng
        )
        if not self.new_lips:
            return plan
        faces = [self._with_new_lips(face, rng) for face in plan.faces]
        return plan.model_copy(update={"faces": tuple(faces)})

    def __getitem__(self, index: int) -> MixtureExample:
        """One mixture, see `MixtureExample`."""
        if index >= self.count:
            raise IndexError(index)
        mixed = self.mixer.mix(self.plan(index), self.window)
        missing = self._n_faces(index) - len(mixed.is_heard_S)  # where there are too few clips

        def filled(values: np.ndarray) -> torch.Tensor:
            return torch.from_numpy(np.pad(values, [(0, missing), *[(0, 0)] * (values.ndim - 1)]))

        return {
            "mixture": torch.from_numpy(mixed.mixture_N),
            "voices": filled(mixed.voices_SN),
            "lips": filled(mixed.lips_STD),
            "seen": filled(mixed.seen_ST),
            "heard": filled(mixed.is_heard_S),
        }

    def _with_new_lips(self, face: FacePlan, rng: np.random.Generator) -> FacePlan:
        """The same with lips of its own, and a voice that may pause."""
        face = face.model_copy(update={"lips": int(rng.integers(2**31))})
        if not self.settings.pauses or rng.uniform() >= self.settings.pauses:
            return face
        length = round(self.window * rng.uniform(*_PAUSE))
        first = face.start + int(rng.integers(-length // 2, self.window - length // 2))
        return face.model_copy(update={"pause": (max(0, first), max(0, first) + length)})

    def _n_faces(self, index: int) -> int:
        """As many for all of a batch."""
        rng = np.random.default_rng((self.seed, 1, index // self.batch_size))
        chance = rng.uniform()
        if chance >= 1 - self.settings.alone:
            return 1
        return 3 if chance < self.settings.three_speakers else 2


def validation_plans(dataset: MixtureDataset) -> Sequence[MixturePlan]:
    """What all of a data set's items are made of, to be written out."""
    return [dataset.plan(index) for index in range(len(dataset))]
