"""Training data: shards from the bucket, and random windows of their clips.

Legend: T tokens, D values of a token, C condition features (motion and appearance side by side),
M mel frames, B bands.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.data import Dataset

from s2s.features.stored import StoredClip
from s2s.tasks.generation.processor import STREAMS, side_by_side
from s2s.tasks.generation.settings import GenerationRecipe

__all__ = [
    "MelScale",
    "WindowDataset",
    "condition_of",
    "frames_of",
    "measure_mel",
    "mel_of",
    "samples_of",
    "window_of",
    "window_sets",
]

_CLIPS_MEASURED = 512
_VAL_BATCHES = 4


def frames_of(clip: StoredClip) -> int:
    """A clip's length in video frames."""
    return clip.length(STREAMS[0])


def samples_of(clip: StoredClip) -> int:
    """Samples of sound that belong to a clip's picture."""
    settings = clip.shard.header.settings
    return frames_of(clip) * settings["spec.sample_rate_hz"] // settings["spec.fps"]


def mel_of(clip: StoredClip) -> np.ndarray:
    """A clip's whole log-mel, float32 (M, B)."""
    return clip.read("mel").astype(np.float32)


def condition_of(clip: StoredClip) -> np.ndarray:
    """Read a clip's visual features, motion and appearance: float32 (T, C)."""
    return _seen(clip, 0, None).astype(np.float32)


def window_of(clip: StoredClip, start: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """A window of a clip; a short clip is repeated.

    Args:
        clip: the clip.
        start: the first video frame.
        size: T, in video frames.

    Returns:
        mel tokens (T, D) and visual features (T, C), float16.
    """
    frames = frames_of(clip)
    per_frame, stop = clip.length("mel") // frames, min(start + size, frames)
    condition_TC = _seen(clip, start, stop)
    mel_MB = clip.read("mel", start * per_frame, stop * per_frame)
    tokens_TD = mel_MB.reshape(len(condition_TC), -1)
    if len(condition_TC) == size:
        return tokens_TD, condition_TC
    repeated = np.arange(size) % len(condition_TC)
    return tokens_TD[repeated], condition_TC[repeated]


def _seen(clip: StoredClip, start: int, stop: int | None) -> np.ndarray:
    return side_by_side({name: clip.read(name, start, stop) for name in STREAMS})


@dataclass(frozen=True)
class MelScale:
    """Mean and standard deviation of log-mel over the training clips."""

    mean: float
    std: float


class WindowDataset(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """Random windows of random clips; item n is the same on every machine and in every run.

    Windows are as they are stored, float16, so that little is copied: the device that trains
    makes float32 of them, and normalises.

    Args:
        clips: what to draw from.
        window: length of a window in frames.
        count: how many windows.
        seed: source of chance.
    """

    def __init__(self, clips: Sequence[StoredClip], window: int, count: int, seed: int) -> None:
        self.clips = clips
        self.window = window
        self.count = count
        self.seed = seed

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Mel tokens (T, D) and visual features (T, C), float16."""
        rng = np.random.default_rng((self.seed, index))
        clip = self.clips[int(rng.integers(len(self.clips)))]
        start = int(rng.integers(max(1, frames_of(clip) - self.window + 1)))
        tokens_TD, condition_TC = window_of(clip, start, self.window)
        return torch.from_numpy(tokens_TD), torch.from_numpy(condition_TC)


def window_sets(
    recipe: GenerationRecipe, clips: Mapping[str, Sequence[StoredClip]]
) -> dict[str, WindowDataset]:
    """Make the data sets of windows for `train` and, where there are clips for it, `val`."""
    training, size = recipe.training, recipe.spec.frames(recipe.training.window_s)
    counts = {"train": training.max_steps, "val": _VAL_BATCHES}
    return {
        split: WindowDataset(clips[split], size, batches * training.batch_size, recipe.seed)
        for split, batches in counts.items()
        if clips.get(split)
    }


def measure_mel(clips: Sequence[StoredClip]) -> MelScale:
    """Mean and standard deviation over clips, at most `_CLIPS_MEASURED`, evenly chosen."""
    chosen = clips[:: math.ceil(len(clips) / _CLIPS_MEASURED)]
    sums = np.sum([_sums(mel_of(clip)) for clip in chosen], axis=0)
    count, mean, square = sums[0], sums[1] / sums[0], sums[2] / sums[0]
    # Clips of nothing but silence have no deviation at all.
    std = math.sqrt(max(square - mean**2, 0.0)) if count > 1 else 0.0
    return MelScale(float(mean), max(std, 1e-3))


def _sums(mel_MB: np.ndarray) -> tuple[float, float, float]:
    values = mel_MB.astype(np.float64)
    return values.size, values.sum(), np.square(values).sum()
