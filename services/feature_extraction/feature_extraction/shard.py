"""One shard: its clips fetched, checked and turned into arrays."""

import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from s2s.dataset import DatasetClip
from s2s.errors import BucketUnavailableError, MediaError, StageError, StorageError
from s2s.features.arrays import ClipMedia
from s2s.features.index import ShardHeader, clip_identity
from s2s.features.shards import write_shard
from s2s.layout import extractors_key, failure_key, features_prefix
from s2s.media import read_audio, read_frames
from s2s.reasons import Reason, Status
from s2s.records import Outcome
from s2s.settings import Settings
from s2s.stage import shared_bucket
from s2s.storage import Bucket
from s2s.tasks.common.mel import LogMel
from s2s.tasks.generation.extractors.visual import Extractor
from s2s.tasks.generation.processor import WEIGHTS_FILE, open_sight

__all__ = ["Shard", "ShardTask", "plan_shards"]


@dataclass(frozen=True)
class Shard:
    """What goes into one shard.

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
class ShardTask:
    """Makes one shard and stores it.

    Attributes:
        settings: the run's settings.
        version: the data set version.
        folder: the run's directory for temporary files.
        failed: clips that have failed before.
    """

    settings: Settings
    version: str
    folder: Path
    failed: frozenset[str] = frozenset()

    def __call__(self, shard: Shard) -> Outcome:
        """Work on one shard; a clip that fails is left out and recorded."""
        torch.set_num_threads(1)  # every core has a worker of its own
        bucket, recipe = shared_bucket(self.settings.bucket_url), self.settings.recipe
        prefix = features_prefix(recipe, self.version)
        self.folder.mkdir(parents=True, exist_ok=True)
        extractors, frame_size = self._extractors(bucket)
        arrays: dict[str, dict[str, np.ndarray]] = {}
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            for clip in shard.clips:
                try:
                    media = fetch_clip(bucket, clip, self.settings, Path(folder), frame_size)
                    arrays[clip.clip_id] = extract(media, extractors)
                except BucketUnavailableError:
                    raise
                except (MediaError, StorageError) as error:
                    _record(bucket, prefix, clip.clip_id, error)
            for name in self.failed & arrays.keys():
                bucket.delete(failure_key(prefix, name))
            if not arrays:
                return Outcome(clip_id=shard.name, status=Status.OK)
            path = Path(folder) / f"{shard.name}.safetensors"
            dims = {extractor.name: extractor.dim for extractor in extractors}
            write_shard(path, self._header(shard, dims, arrays), arrays)
            info = bucket.upload(path, f"{prefix}{path.name}")
        return Outcome(
            clip_id=shard.name,
            status=Status.OK,
            key=info.key,
            crc32c=info.crc32c,
            size=info.size,
        )

    def _extractors(self, bucket: Bucket) -> tuple[tuple[Extractor, ...], tuple[int, int]]:
        """What makes the arrays of a shard, and the size that it needs pictures in."""
        recipe, weights = self.settings.recipe, self.folder / WEIGHTS_FILE
        if recipe.feature_extraction.needs_weights and not weights.is_file():
            bucket.fetch(extractors_key(recipe), weights)
        sight = open_sight(recipe.spec, recipe.feature_extraction, weights)
        return (LogMel(recipe.spec), *sight.extractors), sight.frame_size

    def _header(
        self, shard: Shard, dims: dict[str, int], arrays: Mapping[str, object]
    ) -> ShardHeader:
        recipe = self.settings.recipe
        return ShardHeader(
            recipe=recipe.name,
            spec=recipe.spec,
            features=recipe.feature_extraction,
            dims=dims,
            clips={
                clip.clip_id: clip_identity(clip) for clip in shard.clips if clip.clip_id in arrays
            },
        )


def fetch_clip(
    bucket: Bucket,
    clip: DatasetClip,
    settings: Settings,
    folder: Path,
    frame_size: tuple[int, int],
) -> ClipMedia:
    """Download and decode a clip.

    Raises:
        MediaError: `corrupt` if a file is not the one that the manifest lists, or whatever
            decoding it raises.
    """
    video, sound = folder / "clip.mp4", folder / "clip.wav"
    wanted = {video: (clip.key, clip.crc32c), sound: (clip.wav_key, clip.wav_crc32c)}
    for path, (key, crc32c) in wanted.items():
        if (found := bucket.download(key, path).crc32c) != crc32c:
            raise MediaError(
                Reason.CORRUPT,
                f"{key}: its checksum is {found}, the manifest says {crc32c}: "
                "get the version's file back with DVC",
            )
    spec = settings.recipe.spec
    frames = read_frames(video, spec.fps, frame_size)
    return ClipMedia(frames, read_audio(sound, spec.sample_rate_hz))


def extract(media: ClipMedia, extractors: tuple[Extractor, ...]) -> dict[str, np.ndarray]:
    """Every extractor's array of a clip.

    Raises:
        MediaError: `corrupt` if one holds NaN or infinity, as broken sound can.
        StageError: if a GPU's memory does not suffice.
    """
    try:
        arrays = {extractor.name: extractor(media) for extractor in extractors}
    except torch.OutOfMemoryError as error:
        raise StageError(
            "the GPU's memory does not hold the extractors of all workers: run feature_extraction "
            f"with fewer --workers, or choose smaller networks in the recipe ({error})"
        ) from error
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise MediaError(Reason.CORRUPT, f"{name}: the clip gives values that are not finite")
    return arrays


def _record(bucket: Bucket, prefix: str, clip_id: str, error: MediaError | StorageError) -> None:
    """Store a clip's failure beside the shards, as `s2s.stage` does for a whole item."""
    reason = Reason(error.reason) if isinstance(error, MediaError) else Reason.CORRUPT
    message = error.message if isinstance(error, MediaError) else str(error)
    outcome = Outcome(clip_id=clip_id, status=Status.FAILED, reason=reason, message=message)
    bucket.write(failure_key(prefix, clip_id), outcome.model_dump_json().encode(), overwrite=True)
