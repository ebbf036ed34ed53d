"""Clips of a data set version where their arrays are stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from s2s.dataset import DatasetClip, DatasetVersion
from s2s.errors import StageError
from s2s.features.index import clip_identity, find_clips
from s2s.features.shards import ShardReader
from s2s.layout import features_prefix
from s2s.manifest import read_failures
from s2s.settings import Recipe
from s2s.storage import Bucket

__all__ = ["StoredClip", "fetch_clips"]


@dataclass(frozen=True)
class StoredClip:
    """A clip of a data set version, and the shard that has its arrays.

    Attributes:
        listed: what the data set says of it.
        shard: where its arrays are.
    """

    listed: DatasetClip
    shard: ShardReader

    @property
    def clip_id(self) -> str:
        """The clip."""
        return self.listed.clip_id

    def length(self, name: str) -> int:
        """Instants of one of its arrays."""
        return self.shard.length(self.clip_id, name)

    def shape(self, name: str) -> tuple[int, ...]:
        """Instants of one of its arrays, and values at each."""
        return self.shard.shape(self.clip_id, name)

    def read(self, name: str, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Instants `start` to `stop` of one of its arrays, as they are stored."""
        return self.shard.read(self.clip_id, name, start, stop)

    def read_bytes(
        self, name: str, start: int = 0, stop: int | None = None
    ) -> Sequence[np.ndarray]:
        """Byte strings `start` to `stop` of one of its arrays, such as JPEG files."""
        return self.shard.read_bytes(self.clip_id, name, start, stop)


def fetch_clips(
    bucket: Bucket, recipe: Recipe, version: DatasetVersion, folder: Path
) -> dict[str, list[StoredClip]]:
    """Download a version's shards, unless they are there already, and check them.

    Returns:
        the clips of each split that have features.

    Raises:
        StageError: if clips have no features yet.
        ModelError: if a shard does not fit the recipe, or is damaged.
    """
    stored = find_clips(bucket, recipe)
    failed = read_failures(bucket, features_prefix(recipe, version.name))
    shards: dict[str, ShardReader] = {}
    clips: dict[str, list[StoredClip]] = {split: [] for split in version.clips}
    missing: list[str] = []
    for split, rows in version.clips.items():
        for clip in rows:
            key = stored.get((clip.clip_id, clip_identity(clip)))
            if key is None:
                missing += [] if clip.clip_id in failed else [clip.clip_id]
                continue
            if key not in shards:
                bucket.fetch(key, folder / key)
                shards[key] = ShardReader(folder / key).check(recipe)
            clips[split].append(StoredClip(clip, shards[key]))
    if missing:
        raise StageError(
            f"{bucket.url}: {len(missing)} clips of {version.name} have no features, such as "
            f"{missing[0]}: run feature_extraction first"
        )
    return clips
