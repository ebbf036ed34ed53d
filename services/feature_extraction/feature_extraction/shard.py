"""One shard: its clips fetched, checked and turned into arrays."""

import hashlib
import socket
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import torch

from feature_extraction.media import fetch_clip
from s2s.dataset import DatasetClip
from s2s.errors import BucketUnavailableError, MediaError, StageError, StorageError
from s2s.features.arrays import Array, ArrayError, ArraySpec, ClipMedia
from s2s.features.shards import ShardHeader, write_shard
from s2s.features.stored import clip_identity
from s2s.layout import extractors_key, failure_key, features_prefix
from s2s.reasons import Reason, Status
from s2s.records import Outcome
from s2s.settings import FEATURES, Settings
from s2s.stage import shared_bucket
from s2s.storage import Bucket
from s2s.tasks.contract import Extractor, Processor
from s2s.tasks.loading import load_task
from s2s.tasks.values import EXTRACTOR_WEIGHTS_FILE
from s2s.workspace import folder_in

__all__ = ["Shard", "ShardMaker", "extract", "plan_shards"]


@dataclass(frozen=True)
class Shard:
    """A shard that is to be made.

    Attributes:
        name: `<split>-<digest>`; the same for the same clips.
        clips: its clips, in the order of the manifest.
    """

    name: str
    clips: tuple[DatasetClip, ...]


def plan_shards(
    clips: Mapping[str, Sequence[DatasetClip]], clips_per_shard: int
) -> dict[str, Shard]:
    """Cut every split's clips into shards, by name."""
    shards: dict[str, Shard] = {}
    for split, rows in clips.items():
        for start in range(0, len(rows), clips_per_shard):
            part = tuple(rows[start : start + clips_per_shard])
            inside = "\n".join(f"{clip.clip_id} {clip_identity(clip)}" for clip in part)
            name = f"{split}-{hashlib.sha256(inside.encode()).hexdigest()[:12]}"
            shards[name] = Shard(name, part)
    return shards


@dataclass(frozen=True)
class ShardMaker:
    """Makes one shard and stores it.

    Attributes:
        settings: the run's settings.
        version: the data set version.
        folder: the run's directory for temporary files.
        failed: clips that have failed before.
        left_out: clips that are not to be in it: a worker died of them.
    """

    settings: Settings
    version: str
    folder: Path
    failed: frozenset[str] = frozenset()
    left_out: frozenset[str] = frozenset()

    def without(self, names: Collection[str]) -> "ShardMaker":
        """The same, leaving clips out."""
        return replace(self, left_out=frozenset(names))

    def __call__(self, shard: Shard) -> Outcome:
        """Work on one shard; a clip that fails is left out and recorded."""
        bucket = shared_bucket(self.settings.bucket_url)
        prefix = features_prefix(self.settings.recipe, self.version)
        processor = self._processor(bucket)
        arrays: dict[str, Mapping[str, Array]] = {}
        with folder_in(self.folder) as folder:
            for clip in shard.clips:
                if clip.clip_id in self.left_out:
                    continue
                try:
                    arrays[clip.clip_id] = self._arrays(clip, folder, processor)
                except BucketUnavailableError:
                    raise
                except (MediaError, StorageError) as error:
                    _record(bucket, prefix, clip.clip_id, error)
            for name in self.failed & arrays.keys():
                bucket.delete(failure_key(prefix, name))
            if not arrays:
                return Outcome(clip_id=shard.name, status=Status.OK)
            path = folder / f"{shard.name}.safetensors"
            write_shard(path, self._header(shard, processor.extractors, arrays), arrays)
            info = bucket.upload(path, f"{prefix}{path.name}")
        return Outcome(
            clip_id=shard.name,
            status=Status.OK,
            key=info.key,
            crc32c=info.crc32c,
            size=info.size,
        )

    def try_clip(self, clip: DatasetClip) -> Outcome:
        """See whether a clip can be worked on at all; nothing is stored.

        Raises:
            MediaError: if it cannot be used.
        """
        processor = self._processor(shared_bucket(self.settings.bucket_url))
        with folder_in(self.folder) as folder:
            self._arrays(clip, folder, processor)
        return Outcome(clip_id=clip.clip_id, status=Status.OK)

    def _arrays(self, clip: DatasetClip, folder: Path, processor: Processor) -> dict[str, Array]:
        named, jpegs = self.settings.recipe.feature_extraction.jpegs, None
        if named:
            jpegs = self.settings.recipe_path.parent / named
            if not jpegs.is_dir():
                raise StageError(
                    f"feature_extraction.jpegs: there is no folder {jpegs} on "
                    f"{socket.gethostname()}: every node of a cluster is to see it under this "
                    "name, or leave the setting out to read the clips"
                )
        bucket = shared_bucket(self.settings.bucket_url)
        media = fetch_clip(bucket, clip, folder, processor, jpegs)
        return extract(media, processor.extractors)

    def _processor(self, bucket: Bucket) -> Processor:
        torch.set_num_threads(1)  # every core has a worker of its own
        recipe, weights = self.settings.recipe, None
        if recipe.feature_extraction.needs_weights:
            weights = self.folder / EXTRACTOR_WEIGHTS_FILE
            if not weights.is_file():  # on another machine than the one that fetched them
                bucket.fetch(extractors_key(recipe), weights)
        return _load_processor(recipe.task, recipe.model_dump_json(), weights)

    def _header(
        self, shard: Shard, extractors: Sequence[Extractor], arrays: Mapping[str, object]
    ) -> ShardHeader:
        recipe = self.settings.recipe
        return ShardHeader(
            recipe=recipe.name,
            settings=recipe.named_settings(FEATURES),
            arrays=_specs(extractors),
            clips={
                clip.clip_id: clip_identity(clip) for clip in shard.clips if clip.clip_id in arrays
            },
        )


@lru_cache(maxsize=1)
def _load_processor(task: str, recipe: str, weights: Path | None) -> Processor:
    """A process loads its networks once."""
    found = load_task(task)
    return found.make_processor(found.recipe_class.model_validate_json(recipe), weights)


def extract(media: ClipMedia, extractors: Sequence[Extractor]) -> dict[str, Array]:
    """Every extractor's arrays of a clip, as they are stored.

    Raises:
        MediaError: `corrupt` if one is not what its extractor says, or holds NaN or infinity, as
            broken sound can.
        StageError: if a GPU's memory does not suffice.
    """
    given: dict[str, Array] = {}
    try:
        for extractor in extractors:
            given |= extractor(media)
    except torch.OutOfMemoryError as error:
        raise StageError(
            "the GPU's memory does not hold the extractors of all workers: run feature_extraction "
            f"with fewer --workers, or choose smaller networks in the recipe ({error})"
        ) from error
    return {spec.name: _as_stored(spec, given[spec.name]) for spec in _specs(extractors)}


def _as_stored(spec: ArraySpec, array: Array) -> Array:
    """An array that is known to fit its spec; smaller than the extractor's, for many are held."""
    try:
        packed = spec.pack(array)
    except ArrayError as error:
        raise MediaError(Reason.CORRUPT, f"the clip does not give what it should: {error}") from (
            error
        )
    return array if spec.is_bytes else packed[spec.name]


def _specs(extractors: Sequence[Extractor]) -> tuple[ArraySpec, ...]:
    return tuple(spec for extractor in extractors for spec in extractor.arrays)


def _record(bucket: Bucket, prefix: str, clip_id: str, error: MediaError | StorageError) -> None:
    """Store a clip's failure beside the shards, as `s2s.stage` does for a whole item."""
    reason = Reason(error.reason) if isinstance(error, MediaError) else Reason.CORRUPT
    message = error.message if isinstance(error, MediaError) else str(error)
    outcome = Outcome(clip_id=clip_id, status=Status.FAILED, reason=reason, message=message)
    bucket.write(failure_key(prefix, clip_id), outcome.model_dump_json().encode(), overwrite=True)
