"""Sources of the clips that are still to be cut, from the bucket to this machine."""

import time
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from uuid import uuid4

from preprocessing.stage import STAGE, cut_already, without_source
from s2s.catalog import stored_catalog, stored_sources
from s2s.errors import ObjectExistsError
from s2s.layout import catalog_key, raw_prefix
from s2s.logs import plural
from s2s.progress import Bars
from s2s.reasons import Reason, Status
from s2s.records import ClipRecord, Outcome
from s2s.settings import Settings
from s2s.stage import StageReport, finish, shared_bucket
from s2s.storage import Bucket
from s2s.workspace import workspace

__all__ = ["download_sources"]


def download_sources(settings: Settings, own: Settings) -> StageReport:
    """Copy the catalog, and the sources of its clips, from the bucket to this machine's own.

    Of clips that are cut, here or there, no source is wanted.

    Args:
        settings: the run's settings.
        own: the same, of this machine's bucket.

    Raises:
        CatalogError: if collection has not run yet.
    """
    started = time.monotonic()
    bucket, here = shared_bucket(settings.bucket_url), shared_bucket(own.bucket_url)
    clips = stored_catalog(bucket, settings.recipe).clips
    sources = stored_sources(bucket)
    done = cut_already(bucket, settings.recipe) | cut_already(here, settings.recipe)
    pending = [clip for clip in clips if clip.clip_id not in done]
    found = {clip.clip_id: sources.files.find(clip) for clip in pending}
    failed = {file.key for clip in pending if (file := sources.failed.find(clip))}
    there = set(here.keys(raw_prefix()))
    wanted = {file.key for file in found.values() if file} - there
    with workspace(settings.work_dir / "tmp" / STAGE) as folder:
        _copy_one(bucket, here, folder, catalog_key(settings.recipe), overwrite=True)
        for key in sorted(failed - there):
            _copy_one(bucket, here, folder, key)
        if wanted:
            _copy(bucket, here, folder, wanted, settings.n_workers)
    outcomes = []
    for clip in clips:
        file = found.get(clip.clip_id)
        if clip.clip_id in found and file is None:
            outcomes.append(without_source(clip, sources))
        else:
            outcomes.append(_fetched(clip, is_new=file is not None and file.key in wanted))
    return finish(own, STAGE, outcomes, started)


def _fetched(clip: ClipRecord, *, is_new: bool) -> Outcome:
    if is_new:
        return Outcome(clip_id=clip.clip_id, status=Status.OK)
    return Outcome(clip_id=clip.clip_id, status=Status.SKIPPED, reason=Reason.ALREADY_DONE)


def _copy(
    bucket: Bucket, here: Bucket, folder: Path, keys: Collection[str], at_a_time: int
) -> None:
    with ThreadPoolExecutor(at_a_time) as pool, Bars() as bars:
        copy = partial(_copy_one, bucket, here, folder)
        bar = bars.add_task("download", total=len(keys), unit=plural(len(keys), "file"))
        for _ in pool.map(copy, sorted(keys)):
            bars.advance(bar)


def _copy_one(
    bucket: Bucket, here: Bucket, folder: Path, key: str, *, overwrite: bool = False
) -> None:
    path = folder / uuid4().hex
    bucket.download(key, path)
    # Another run may have been faster.
    with suppress(ObjectExistsError):
        here.upload(path, key, overwrite=overwrite)
    path.unlink()
