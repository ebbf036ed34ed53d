"""One shard: its clips fetched, checked and turned into arrays."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from s2s.dataset import DatasetClip, DatasetVersion
from s2s.errors import BucketUnavailableError, MediaError, StorageError
from s2s.features.extractor import ClipMedia, Extractor
from s2s.features.mel import LogMel
from s2s.features.motion import FRAME_SIZE, Motion
from s2s.features.shards import ShardHeader, write_shard
from s2s.layout import failure_key, features_prefix
from s2s.media import read_audio, read_frames
from s2s.records import Outcome, Reason, Status
from s2s.settings import Recipe, Settings
from s2s.stage import shared_bucket
from s2s.storage import Bucket

__all__ = ["Shard", "ShardTask", "make_extractors", "plan_shards"]


@dataclass(frozen=True)
class Shard:
    """What goes into one shard.

    Attributes:
        name: `<split>-00000`.
        split: train, val or test.
        clips: its clips, in the order of the manifest.
    """

    name: str
    split: str
    clips: tuple[DatasetClip, ...]


def plan_shards(version: DatasetVersion, clips_per_shard: int) -> dict[str, Shard]:
    """Cut every split's manifest into shards, by name."""
    return {
        (name := f"{split}-{number:05d}"): Shard(name, split, clips[start:][:clips_per_shard])
        for split, clips in version.clips.items()
        for number, start in enumerate(range(0, len(clips), clips_per_shard))
    }


def make_extractors(recipe: Recipe) -> tuple[Extractor, ...]:
    """The extractors whose arrays a shard of the recipe holds."""
    return LogMel(recipe.spec), Motion(recipe.spec, recipe.feature_extraction)


@dataclass(frozen=True)
class ShardTask:
    """Makes one shard and stores it.

    Attributes:
        settings: the run's settings.
        version: the data set version.
        folder: the run's directory for temporary files.
    """

    settings: Settings
    version: str
    folder: Path

    def __call__(self, shard: Shard) -> Outcome:
        """Work on one shard; a clip that fails is left out and recorded."""
        torch.set_num_threads(1)  # every core has a worker of its own
        bucket, recipe = shared_bucket(self.settings.bucket_url), self.settings.recipe
        prefix = features_prefix(recipe, self.version)
        extractors = make_extractors(recipe)
        arrays: dict[str, dict[str, np.ndarray]] = {}
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            for clip in shard.clips:
                try:
                    media = fetch_clip(bucket, clip, recipe, Path(folder))
                    arrays[clip.clip_id] = extract(media, extractors)
                except BucketUnavailableError:
                    raise
                except (MediaError, StorageError) as error:
                    _record(bucket, prefix, clip.clip_id, error)
            path = Path(folder) / f"{shard.name}.safetensors"
            write_shard(path, self._header(shard, tuple(arrays)), arrays)
            info = bucket.upload(path, f"{prefix}{path.name}")
        return Outcome(
            clip_id=shard.name,
            status=Status.OK,
            key=info.key,
            crc32c=info.crc32c,
            size=info.size,
        )

    def _header(self, shard: Shard, clip_ids: tuple[str, ...]) -> ShardHeader:
        recipe = self.settings.recipe
        return ShardHeader(
            recipe=recipe.name,
            version=self.version,
            split=shard.split,
            spec=recipe.spec,
            features=recipe.feature_extraction,
            clip_ids=clip_ids,
        )


def fetch_clip(bucket: Bucket, clip: DatasetClip, recipe: Recipe, folder: Path) -> ClipMedia:
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
    frames = read_frames(video, recipe.spec.fps, FRAME_SIZE)
    return ClipMedia(frames, read_audio(sound, recipe.spec.sample_rate_hz))


def extract(media: ClipMedia, extractors: tuple[Extractor, ...]) -> dict[str, np.ndarray]:
    """Every extractor's array of a clip.

    Raises:
        MediaError: `corrupt` if one holds NaN or infinity, as broken sound can.
    """
    arrays = {extractor.name: extractor(media) for extractor in extractors}
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
