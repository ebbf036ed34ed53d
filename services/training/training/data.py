"""What is trained on: shards from the bucket, and random windows of their clips.

Legend: T tokens, D values of a token, C condition features, M mel frames, B bands.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Dataset

from s2s.dataset import DatasetVersion
from s2s.errors import StageError
from s2s.features.shards import ShardReader
from s2s.layout import features_prefix
from s2s.settings import Recipe
from s2s.storage import Bucket
from s2s.storage.bucket import crc32c_of_file

__all__ = ["MelScale", "StoredClip", "WindowDataset", "fetch_clips", "measure_mel"]

_CLIPS_MEASURED = 512


@dataclass(frozen=True)
class StoredClip:
    """One clip's arrays in a shard.

    Attributes:
        clip_id: the clip.
        shard: where its arrays are.
        mel_per_frame: mel frames in one video frame.
    """

    clip_id: str
    shard: ShardReader
    mel_per_frame: int

    @property
    def frames(self) -> int:
        """Length in video frames."""
        return self.shard.length(self.clip_id, "motion")

    def mel(self) -> np.ndarray:
        """Its whole log-mel, float32 (M, B)."""
        return self.shard.read(self.clip_id, "mel")

    def motion(self) -> np.ndarray:
        """Its whole motion features, float32 (T, C)."""
        return self.shard.read(self.clip_id, "motion")

    def window(self, start: int, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Mel tokens (T, D) and motion (T, C); a clip that is too short is repeated."""
        per_frame, stop = self.mel_per_frame, min(start + size, self.frames)
        motion_TC = self.shard.read(self.clip_id, "motion", start, stop)
        mel_MB = self.shard.read(self.clip_id, "mel", start * per_frame, stop * per_frame)
        tokens_TD = mel_MB.reshape(len(motion_TC), -1)
        repeated = np.arange(size) % len(motion_TC)
        return tokens_TD[repeated], motion_TC[repeated]


@dataclass(frozen=True)
class MelScale:
    """Mean and standard deviation of log-mel over the training clips."""

    mean: float
    std: float


class WindowDataset(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """Random windows of random clips; item n is the same on every machine and in every run.

    Args:
        clips: what to draw from.
        window: length of a window in frames.
        count: how many windows.
        scale: what the mel is normalised by.
        seed: source of chance.
    """

    def __init__(
        self, clips: Sequence[StoredClip], window: int, count: int, scale: MelScale, seed: int
    ) -> None:
        self.clips = clips
        self.window = window
        self.count = count
        self.scale = scale
        self.seed = seed

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Normalised mel tokens (T, D) and motion (T, C)."""
        rng = np.random.default_rng((self.seed, index))
        clip = self.clips[int(rng.integers(len(self.clips)))]
        start = int(rng.integers(max(1, clip.frames - self.window + 1)))
        tokens_TD, motion_TC = clip.window(start, self.window)
        normalised = (tokens_TD - self.scale.mean) / self.scale.std
        return torch.from_numpy(normalised), torch.from_numpy(motion_TC)


def fetch_clips(
    bucket: Bucket, recipe: Recipe, version: DatasetVersion, folder: Path
) -> dict[str, list[StoredClip]]:
    """Download a version's shards, unless they are there already, and check them.

    Returns:
        the clips of each split that have features.

    Raises:
        StageError: if shards are missing.
        ModelError: if a shard does not fit the recipe, or holds NaN.
    """
    prefix = features_prefix(recipe, version.name)
    per_shard = recipe.feature_extraction.clips_per_shard
    wanted = [
        f"{prefix}{split}-{number:05d}.safetensors"
        for split, clips in version.clips.items()
        for number in range(math.ceil(len(clips) / per_shard))
    ]
    missing = set(wanted) - set(bucket.keys(prefix))
    if missing:
        raise StageError(
            f"{bucket.url}: {len(missing)} of {len(wanted)} feature shards of {version.name} are "
            f"not there, such as {min(missing)}: run feature_extraction first"
        )
    clips: dict[str, list[StoredClip]] = {split: [] for split in version.clips}
    for key in wanted:
        shard = ShardReader(_fetch(bucket, key, folder)).check(recipe, version.name)
        clips[shard.header.split] += [
            StoredClip(clip_id, shard, recipe.spec.mel_per_frame)
            for clip_id in shard.header.clip_ids
        ]
    return clips


def measure_mel(clips: Sequence[StoredClip]) -> MelScale:
    """Mean and standard deviation over clips, at most `_CLIPS_MEASURED`, evenly chosen."""
    chosen = clips[:: math.ceil(len(clips) / _CLIPS_MEASURED)]
    sums = np.sum([_sums(clip.mel()) for clip in chosen], axis=0)
    count, mean, square = sums[0], sums[1] / sums[0], sums[2] / sums[0]
    # Clips of nothing but silence have no deviation at all.
    std = math.sqrt(max(square - mean**2, 0.0)) if count > 1 else 0.0
    return MelScale(float(mean), max(std, 1e-3))


def _sums(mel_MB: np.ndarray) -> tuple[float, float, float]:
    values = mel_MB.astype(np.float64)
    return values.size, values.sum(), np.square(values).sum()


def _fetch(bucket: Bucket, key: str, folder: Path) -> Path:
    path = folder / key
    if path.is_file() and crc32c_of_file(path) == bucket.stat(key).crc32c:
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_suffix(".part")
    bucket.download(key, staged)
    return staged.replace(path)
