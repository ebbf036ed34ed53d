"""Clips out of shards."""

from collections.abc import Sequence

import numpy as np
import torch
from torch.utils.data import Dataset

from s2s.features.stored import StoredClip

__all__ = ["ToneDataset", "loudness_of", "seen_of"]

_FRAMES = 20


def seen_of(clip: StoredClip) -> np.ndarray:
    """What is seen of a clip, float32 (T, 3)."""
    return clip.read("movement").astype(np.float32) / 255


def loudness_of(clip: StoredClip) -> np.ndarray:
    """How loud a clip is, float32 (T,) in dB."""
    return clip.read("loudness")


class ToneDataset(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """Random stretches of random clips."""

    def __init__(self, clips: Sequence[StoredClip], count: int, seed: int) -> None:
        self._clips = clips
        self._count = count
        self._seed = seed

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        rng = np.random.default_rng((self._seed, index))
        clip = self._clips[int(rng.integers(len(self._clips)))]
        part = rng.integers(clip.length("movement"), size=_FRAMES)
        return torch.from_numpy(seen_of(clip)[part]), torch.from_numpy(loudness_of(clip)[part])
