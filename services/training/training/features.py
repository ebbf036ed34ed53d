"""Features from the bucket: a data set version's clips in their shards."""

from pathlib import Path

from s2s.dataset import DatasetVersion
from s2s.errors import StageError
from s2s.features.index import clip_identity, find_clips
from s2s.features.shards import ShardReader
from s2s.layout import features_prefix
from s2s.manifest import read_failures
from s2s.settings import Recipe
from s2s.storage import Bucket
from s2s.tasks.generation.data import StoredClip

__all__ = ["fetch_clips"]


def fetch_clips(
    bucket: Bucket, recipe: Recipe, version: DatasetVersion, folder: Path
) -> dict[str, list[StoredClip]]:
    """Download a version's shards, unless they are there already, and check them.

    Returns:
        the clips of each split that have features.

    Raises:
        StageError: if clips have no features yet.
        ModelError: if a shard does not fit the recipe, or holds NaN.
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
                shards[key] = ShardReader(_fetch(bucket, key, folder)).check(recipe)
            clips[split].append(StoredClip(clip.clip_id, shards[key], recipe.spec.mel_per_frame))
    if missing:
        raise StageError(
            f"{bucket.url}: {len(missing)} clips of {version.name} have no features, such as "
            f"{missing[0]}: run feature_extraction first"
        )
    return clips


def _fetch(bucket: Bucket, key: str, folder: Path) -> Path:
    bucket.fetch(key, folder / key)
    return folder / key
