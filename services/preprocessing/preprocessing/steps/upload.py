"""What was cut on this machine, and what could not be, from it to the bucket."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from preprocessing.cut import CutClip
from preprocessing.plan import ClipFiles
from preprocessing.stage import STAGE, cut_already, store_clip
from s2s.catalog import stored_catalog
from s2s.errors import MediaError
from s2s.layout import processed_prefix
from s2s.manifest import read_failures
from s2s.reasons import Reason, Status
from s2s.records import Outcome
from s2s.settings import Settings
from s2s.stage import StageReport, Work, fan_out, finish, shared_bucket

__all__ = ["upload_clips"]


def upload_clips(settings: Settings, own: Settings) -> StageReport:
    """Store in the bucket what is in this machine's own.

    Args:
        settings: the run's settings.
        own: the same, of this machine's bucket.

    Raises:
        CatalogError: if collection has not run yet.
    """
    started = time.monotonic()
    bucket, here = shared_bucket(settings.bucket_url), shared_bucket(own.bucket_url)
    prefix = processed_prefix(settings.recipe)
    clip_ids = [clip.clip_id for clip in stored_catalog(bucket, settings.recipe).clips]
    cut, failures = cut_already(here, own.recipe), read_failures(here, prefix)
    done = cut_already(bucket, settings.recipe)
    folder = Path(own.bucket_url.removeprefix("file://")) / prefix
    work = Work(
        stage=STAGE,
        prefix=prefix,
        items={name: name for name in clip_ids if name in cut or name in failures or name in done},
        done=done,
        function=UploadTask(settings, folder, failures),
        threads=True,
    )
    outcomes = {name: _not_cut(name) for name in clip_ids if name not in work.items}
    # All that is here, whatever part of the clips that is.
    outcomes |= fan_out(settings.model_copy(update={"part": None}), work)
    return finish(settings, STAGE, outcomes.values(), started)


@dataclass(frozen=True)
class UploadTask:
    """Stores a clip that was cut.

    Attributes:
        settings: the run's settings.
        folder: where cut clips are.
        failures: what could not be cut, by clip id.
    """

    settings: Settings
    folder: Path
    failures: Mapping[str, Outcome]

    def __call__(self, clip_id: str) -> Outcome:
        """Store one clip.

        Raises:
            MediaError: if it could not be cut, with the reason.
        """
        files = ClipFiles(self.folder, clip_id)
        failure = self.failures.get(clip_id)
        if failure is not None and not files.video.exists():
            raise MediaError(failure.reason or Reason.UNKNOWN, failure.message)
        return store_clip(self.settings, CutClip(files))


def _not_cut(clip_id: str) -> Outcome:
    message = "not cut on this machine: see -c, and -d for its source"
    return Outcome(clip_id=clip_id, status=Status.SKIPPED, reason=Reason.NO_SOURCE, message=message)
