"""Taking over videos that one already has: files are found by their names in the catalog."""

import time
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from collection.selected_clips import take_in_catalog
from collection.source import FileTask, PlacedFile
from collection.video_folder import Place, open_place
from s2s.catalog import section_name, stored_sources
from s2s.errors import SettingsError
from s2s.layout import imports_prefix
from s2s.reasons import Reason, Status
from s2s.records import ClipRecord, Outcome
from s2s.settings import Settings
from s2s.stage import StageReport, Work, fan_out, finish, shared_bucket
from s2s.workspace import workspace

__all__ = ["STAGE", "import_videos"]

STAGE = "import"


def import_videos(settings: Settings, place_name: str, *, trimmed: bool = False) -> StageReport:
    """Copy the videos of the recipe's clips from a place to `raw_data/`, where they are missing.

    A file belongs to a source or a clip by its name: `<source_id>`, `<clip_id>`, or the id with
    the clip's start, or start and end, in seconds or milliseconds, as copies of public data sets
    have them (`<id>_000030.mp4`, `<id>_30000_40000.mp4`).

    Args:
        settings: the run's settings.
        place_name: a folder, or `gs://NAME/PREFIX`.
        trimmed: files that are named for a source alone are its clip, cut before.

    Raises:
        CatalogError: if the recipe's catalog, or the place, is not there.
        SettingsError: if the recipe has a folder and no catalog.
        BucketUnavailableError: if the bucket does not answer or is full.
        StageError: if this machine's disk is full.
    """
    if settings.recipe.collection.format == "folder":
        raise SettingsError(
            f"{settings.recipe_path}: its catalog is a folder, which './s2s collection' takes over"
        )
    started = time.monotonic()
    bucket = shared_bucket(settings.bucket_url)
    bucket.check()
    place = open_place(place_name, Path.cwd())
    with workspace(settings.work_dir / "tmp" / STAGE) as folder:
        intake = take_in_catalog(settings, bucket, folder)
        files = find_files(intake.clips, place, trimmed=trimmed)
        sources = stored_sources(bucket)
        work = Work(
            stage=STAGE,
            prefix=imports_prefix(settings.recipe),
            items={file.name: file for file in files.values()},
            done={
                file.name
                for clip in intake.clips
                if (file := files.get(clip.clip_id)) and sources.files.find(clip)
            },
            task=FileTask(settings, folder, place),
            threads=True,
        )
        by_name = fan_out(settings, work)
    outcomes = [
        by_name[files[clip.clip_id].name].model_copy(update={"clip_id": clip.clip_id})
        if clip.clip_id in files
        else _missing(clip, place)
        for clip in intake.clips
    ]
    counts = {
        f"{Status.SKIPPED}:{Reason.LEFT_OUT}": intake.n_left_out,
        f"{Status.FAILED}:{Reason.BAD_ROW}": len(intake.problems),
    }
    return finish(settings, STAGE, outcomes, started, {"place": place.url}, counts)


def find_files(
    clips: list[ClipRecord], place: Place, *, trimmed: bool = False
) -> dict[str, PlacedFile]:
    """Find the file that each clip is in, by clip id; the first in order where there are several.

    Args:
        clips: the clips.
        place: where to look.
        trimmed: files that are named for a source alone are its clip, cut before.
    """
    path_of: dict[str, str] = {}
    for path in place.paths():
        path_of.setdefault(PurePosixPath(path).stem, path)
    found: dict[str, PlacedFile] = {}
    for clip in clips:
        cut = section_name(clip.source_id, clip.start_s, clip.end_s)
        if path := path_of.get(clip.source_id):
            file = PlacedFile(path, cut) if trimmed else _whole(path, clip)
            found[clip.clip_id] = file
        elif path := next(filter(None, map(path_of.get, _names_of_cut(clip))), None):
            found[clip.clip_id] = PlacedFile(path, cut)
    return found


def _whole(path: str, clip: ClipRecord) -> PlacedFile:
    return PlacedFile(path, clip.source_id, clip.start_s)


def _names_of_cut(clip: ClipRecord) -> Iterator[str]:
    """What a file that holds just this clip may be called."""
    start_ms, end_ms = round(clip.start_s * 1000), round(clip.end_s * 1000)
    yield clip.clip_id
    yield section_name(clip.source_id, clip.start_s, clip.end_s)
    yield f"{clip.source_id}_{start_ms}_{end_ms}"
    if start_ms % 1000 == 0:
        start_s, end_s = start_ms // 1000, end_ms // 1000
        yield f"{clip.source_id}_{start_s:06d}_{end_s:06d}"
        yield f"{clip.source_id}_{start_s:06d}"
        yield f"{clip.source_id}_{start_s}_{end_s}"
        yield f"{clip.source_id}_{start_s}"


def _missing(clip: ClipRecord, place: Place) -> Outcome:
    return Outcome(
        clip_id=clip.clip_id,
        status=Status.SKIPPED,
        reason=Reason.NO_SOURCE,
        message=f"no file below {place.url} is named for {clip.source_id}",
    )
