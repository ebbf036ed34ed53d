"""Preprocessing: every clip whose source is there, cut once."""

import tempfile
import threading
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from preprocessing.cut import cut_clip, plan_cut
from preprocessing.source_files import SourceFiles
from s2s.catalog import StoredSources, stored_catalog, stored_sources
from s2s.errors import ObjectExistsError
from s2s.layout import FAILED, processed_prefix
from s2s.records import ClipRecord, Outcome, Reason, Status
from s2s.settings import Recipe, Settings
from s2s.stage import StageReport, Work, fan_out, finish, shared_bucket
from s2s.storage import Bucket
from s2s.workspace import workspace

__all__ = ["run"]

STAGE = "preprocessing"
_making_files = threading.Lock()


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
    # In the order of their sources, so that a source is fetched once for all its clips.
    clips = sorted(
        stored_catalog(bucket, settings.recipe).clips,
        key=lambda clip: (clip.source_id, clip.start_s),
    )
    sources = stored_sources(bucket)
    outcomes = {
        clip.clip_id: _without_source(clip, sources)
        for clip in clips
        if clip.source_id not in sources.key_of
    }
    with workspace(settings.work_dir / "tmp" / STAGE) as folder:
        work = Work(
            stage=STAGE,
            prefix=processed_prefix(settings.recipe),
            items={
                clip.clip_id: (clip, sources.key_of[clip.source_id])
                for clip in clips
                if clip.source_id in sources.key_of
            },
            done=_done(bucket, settings.recipe),
            task=ClipTask(settings, folder),
            threads=True,
        )
        outcomes |= fan_out(settings, work)
    return finish(settings, STAGE, outcomes.values(), started)


@dataclass(frozen=True)
class ClipTask:
    """Cuts one clip and stores it.

    Attributes:
        settings: the run's settings.
        folder: the run's directory for temporary files.
    """

    settings: Settings
    folder: Path

    def __call__(self, item: tuple[ClipRecord, str]) -> Outcome:
        """Work on one clip.

        Args:
            item: the clip, and its source's key.

        Raises:
            MediaError: if the clip cannot be cut from its source.
        """
        clip, source_key = item
        recipe = self.settings.recipe
        with _making_files:
            files = _source_files(self.settings.bucket_url, self.folder, self.settings.n_workers)
        with (
            tempfile.TemporaryDirectory(dir=self.folder) as folder,
            files.file(source_key) as source,
        ):
            video, sound = (Path(folder) / f"{clip.clip_id}.{kind}" for kind in ("mp4", "wav"))
            cut_clip(plan_cut(source, clip, recipe), recipe, video, sound)
            return self._store(clip.clip_id, video, sound)

    def _store(self, clip_id: str, video: Path, sound: Path) -> Outcome:
        bucket = shared_bucket(self.settings.bucket_url)
        key = processed_prefix(self.settings.recipe) + clip_id
        # The mp4 makes a clip done. A wav without one was left by a run that died.
        wav = bucket.upload(sound, f"{key}.wav", overwrite=True)
        try:
            mp4 = bucket.upload(video, f"{key}.mp4")
        except ObjectExistsError:
            # Another run, with another ffmpeg, was faster: what it wrote stays.
            return Outcome(clip_id=clip_id, status=Status.SKIPPED, reason=Reason.ALREADY_DONE)
        return Outcome(
            clip_id=clip_id,
            status=Status.OK,
            key=mp4.key,
            crc32c=mp4.crc32c,
            size=mp4.size + wav.size,
        )


@lru_cache(maxsize=8)
def _source_files(bucket_url: str, folder: Path, keep: int) -> SourceFiles:
    folder.mkdir(parents=True, exist_ok=True)
    return SourceFiles(shared_bucket(bucket_url), folder, keep)


def _done(bucket: Bucket, recipe: Recipe) -> set[str]:
    prefix = processed_prefix(recipe)
    return {
        key.removeprefix(prefix).removesuffix(".mp4")
        for key in bucket.keys(prefix)
        if key.endswith(".mp4") and not key.startswith(prefix + FAILED)
    }


def _without_source(clip: ClipRecord, sources: StoredSources) -> Outcome:
    failed = clip.source_id in sources.failed
    return Outcome(
        clip_id=clip.clip_id,
        status=Status.SKIPPED,
        reason=Reason.UPSTREAM_FAILED if failed else Reason.NO_SOURCE,
        message=f"source {clip.source_id} "
        + ("could not be collected" if failed else "is not collected yet"),
    )
