"""Clips of a data set version where their arrays are stored: which shard has which."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from s2s.dataset import DatasetClip, DatasetVersion
from s2s.errors import StageError
from s2s.features.shards import ShardReader, read_header
from s2s.layout import feature_shards_pattern, features_prefix, features_root
from s2s.logs import counted
from s2s.manifest import read_failures
from s2s.settings import Recipe
from s2s.storage import Bucket

__all__ = ["StoredClip", "clip_identity", "fetch_clips", "find_clips"]

_READERS = 16


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


def clip_identity(clip: DatasetClip) -> str:
    """The same as long as neither the clip's picture nor its sound has changed."""
    return f"{clip.crc32c} {clip.wav_crc32c}"


def find_clips(bucket: Bucket, recipe: Recipe) -> dict[tuple[str, str], str]:
    """Keys of the shards that hold a recipe's clips, whichever version they were made for.

    Returns:
        by clip id and identity; where two shards have a clip, the first.

    Raises:
        ModelError: if an object under the features' prefix is not a shard.
    """
    pattern = feature_shards_pattern(recipe)
    keys = [key for key in bucket.keys(features_root(recipe)) if pattern.fullmatch(key)]
    with ThreadPoolExecutor(_READERS) as pool:
        headers = list(pool.map(partial(read_header, bucket), keys))
    return {
        found: key
        for key, header in reversed(list(zip(keys, headers, strict=True)))
        for found in header.clips.items()
    }


def fetch_clips(
    bucket: Bucket, recipe: Recipe, version: DatasetVersion, folder: Path
) -> dict[str, list[StoredClip]]:
    """Download a version's shards, unless they are there already, and check them.

    Returns:
        the clips of each split that have features.

    Raises:
        StageError: if clips have no features yet.
        ModelError: if a shard does not fit the recipe, or is damaged: it names the bucket's key.
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
                shards[key] = ShardReader(folder / key, f"{bucket.url}/{key}").check(recipe)
            clips[split].append(StoredClip(clip, shards[key]))
    if missing:
        raise StageError(
            f"{bucket.url}: {counted(len(missing), 'clip')} of {version.name} without features, "
            f"such as {missing[0]}: run feature_extraction first"
        )
    return clips
