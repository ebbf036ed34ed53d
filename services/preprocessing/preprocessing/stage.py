"""Preprocessing: every clip whose source is there, cut once; each stretch decoded once."""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from preprocessing.cut import CutClip, cut_clips
from preprocessing.sound_pair import store_sound
from preprocessing.source_files import SourceFiles
from s2s.catalog import StoredFile, StoredSources, stored_catalog, stored_sources
from s2s.errors import MediaError, ObjectExistsError
from s2s.layout import FAILED, processed_prefix
from s2s.reasons import Reason, Status
from s2s.records import ClipRecord, Outcome
from s2s.settings import Recipe, Settings
from s2s.stage import StageReport, Work, fan_out, finish, shared_bucket
from s2s.storage import Bucket
from s2s.workspace import folder_in, workspace

__all__ = ["STAGE", "cut_already", "run", "store_clip", "without_source"]

STAGE = "preprocessing"
# Clips closer than this are cut in one pass: what is between them is decoded in vain.
_NEAR_S = 2.0
# Every clip of a pass has an encoder, whose memory grows with the picture. Measured, in MB
# (benchmarks/media_memory.py); a worker that reads 1080p has so much for them, of 350 in all.
_ENCODERS_MB, _ENCODER_MB, _MEGAPIXEL_MB = 175.0, 12.0, 80.0


def run(settings: Settings) -> StageReport:
    """Cut the clips of the recipe's catalog to `processed_data/`.

    Raises:
        CatalogError: if collection has not run yet.
        BucketUnavailableError: if the bucket does not answer or is full.
        StageError: if this machine's disk is full.
    """
    started = time.monotonic()
    bucket = shared_bucket(settings.bucket_url)
    bucket.check()
    bucket.prepare()
    # In the order of their sources, so that a source is fetched once for all its clips.
    clips = sorted(
        stored_catalog(bucket, settings.recipe).clips,
        key=lambda clip: (clip.source_id, clip.start_s),
    )
    sources = stored_sources(bucket)
    found = {clip.clip_id: sources.files.find(clip) for clip in clips}
    outcomes = {
        clip.clip_id: without_source(clip, sources) for clip in clips if not found[clip.clip_id]
    }
    passes = number_passes(clips, most_together(settings.recipe))
    with workspace(settings.work_dir / "tmp" / STAGE) as folder:
        work = Work(
            stage=STAGE,
            prefix=processed_prefix(settings.recipe),
            items={clip.clip_id: (clip, file) for clip in clips if (file := found[clip.clip_id])},
            done=cut_already(bucket, settings.recipe),
            function=PassTask(settings, folder),
            together=lambda item: (passes[item[0].clip_id], item[1].key),
            divisible=True,
        )
        outcomes |= fan_out(settings, work)
    return finish(settings, STAGE, outcomes.values(), started)


def most_together(recipe: Recipe) -> int:
    """How many clips are cut in one pass, so that a worker's memory stays small."""
    megapixels = recipe.preprocessing.short_side_px**2 * 16 / 9 / 1e6
    return max(1, int(_ENCODERS_MB / (_ENCODER_MB + _MEGAPIXEL_MB * megapixels)))


def number_passes(clips: Sequence[ClipRecord], most: int) -> dict[str, int]:
    """Say which clips are cut in one pass: those of one source that overlap or almost touch.

    Args:
        clips: ordered by source and start.
        most: clips in a pass.

    Returns:
        by clip id, the number of its pass.
    """
    numbers: dict[str, int] = {}
    number = n_together = 0
    source_id, end_s = "", 0.0
    for clip in clips:
        is_near = clip.source_id == source_id and clip.start_s <= end_s + _NEAR_S
        if is_near and n_together < most:
            n_together += 1
            end_s = max(end_s, clip.end_s)
        else:
            number, n_together = number + 1, 1
            source_id, end_s = clip.source_id, clip.end_s
        numbers[clip.clip_id] = number
    return numbers


@dataclass(frozen=True)
class PassTask:
    """Cuts the clips of one pass and stores them.

    Attributes:
        settings: the run's settings.
        folder: the run's directory for temporary files.
    """

    settings: Settings
    folder: Path

    def __call__(self, items: list[tuple[ClipRecord, StoredFile]]) -> list[Outcome | Exception]:
        """Work on clips of one source.

        Args:
            items: the clips, each with the file that it is in, which is the same for all.

        Raises:
            MediaError: if nothing can be cut from the source.
        """
        clips, file = [clip for clip, _ in items], items[0][1]
        files = _source_files(self.settings.bucket_url, self.folder)
        with folder_in(self.folder) as folder, files.file(file.key) as source:
            recipe, offset_s = self.settings.recipe, file.start_s
            results = cut_clips(source, clips, recipe, folder, offset_s)
            return [
                result if isinstance(result, MediaError) else store_clip(self.settings, result)
                for result in results
            ]


def store_clip(settings: Settings, clip: CutClip) -> Outcome:
    """Store a clip that was cut, unless another run has been faster."""
    bucket = shared_bucket(settings.bucket_url)
    files, recipe = clip.files, settings.recipe
    prefix = processed_prefix(recipe)
    # The mp4 makes a clip done, and its wav must be of the same run.
    key, video_key = prefix + files.sound.name, prefix + files.video.name
    sound = store_sound(bucket, files.sound, key, video_key)
    if sound is None:
        return Outcome(clip_id=files.clip_id, status=Status.SKIPPED, reason=Reason.ALREADY_DONE)
    size = sound.info.size
    for path in files.extras(recipe):
        with suppress(ObjectExistsError):
            size += bucket.upload(path, prefix + path.name).size
    try:
        mp4 = bucket.upload(files.video, prefix + files.video.name)
    except ObjectExistsError:
        # Another run, with another ffmpeg, was faster: what it wrote stays.
        sound.give_back()
        return Outcome(clip_id=files.clip_id, status=Status.SKIPPED, reason=Reason.ALREADY_DONE)
    sound.keep()
    return Outcome(
        clip_id=files.clip_id,
        status=Status.OK,
        message=clip.note,
        key=mp4.key,
        crc32c=mp4.crc32c,
        size=mp4.size + size,
    )


@lru_cache(maxsize=8)
def _source_files(bucket_url: str, folder: Path) -> SourceFiles:
    return SourceFiles(shared_bucket(bucket_url), folder, keep=1)


def cut_already(bucket: Bucket, recipe: Recipe) -> set[str]:
    """Ids of clips that are in a bucket."""
    prefix = processed_prefix(recipe)
    return {
        key.removeprefix(prefix).removesuffix(".mp4")
        for key in bucket.keys(prefix)
        if key.endswith(".mp4") and not key.startswith(prefix + FAILED)
    }


def without_source(clip: ClipRecord, sources: StoredSources) -> Outcome:
    """Outcome of a clip whose source is not in the bucket."""
    failed = sources.failed.find(clip) is not None
    return Outcome(
        clip_id=clip.clip_id,
        status=Status.SKIPPED,
        reason=Reason.UPSTREAM_FAILED if failed else Reason.NO_SOURCE,
        message=f"source {clip.source_id} "
        + ("could not be collected" if failed else "is not collected yet"),
    )
