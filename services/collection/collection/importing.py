"""Taking over videos that one already has: files are found by their names in the catalog."""

import re
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from rich.markup import escape

from collection.selected_clips import select_from_catalog
from collection.source import TakeOverFile, VideoFile
from collection.video_files import printable
from collection.video_folder import VideoFolder, open_video_folder, say_passed_over
from s2s.catalog import (
    VIDEO_FOLDERS,
    StoredSources,
    name_in_folder,
    section_name,
    store_source_paths,
    stored_sources,
)
from s2s.errors import SettingsError
from s2s.layout import imports_prefix
from s2s.logs import console, counted
from s2s.reasons import Reason, Status
from s2s.records import ClipRecord, Outcome
from s2s.settings import Settings
from s2s.stage import StageReport, Work, fan_out, finish, prepared_bucket
from s2s.workspace import workspace

__all__ = ["STAGE", "import_videos"]

STAGE = "import"
_SHOWN_TAKEN = 3
_BY_YT_DLP = re.compile(r".*\[(?P<id>[A-Za-z0-9_-]+)\]", re.DOTALL)


def import_videos(settings: Settings, folder_name: str, *, trimmed: bool = False) -> StageReport:
    """Copy the videos of the recipe's clips from a folder to `raw_data/`, where they are missing.

    A file whose name is taken there is compared: with other content it fails, and what is stored
    stays.

    A file belongs to a source or a clip by its name: `<source_id>`, `<clip_id>`, or the id with
    the clip's start, or start and end, in seconds or milliseconds, as copies of public data sets
    have them (`<id>_000030.mp4`, `<id>_30000_40000.mp4`). A folder's name may be a part of it
    (`dog/video_00001.mp4` is `dog_video_00001`), or a title stand in front, as yt-dlp has it
    (`A title [<id>].mp4`).

    Args:
        settings: the run's settings.
        folder_name: a folder, or `gs://NAME/PREFIX`.
        trimmed: files that are named for a source alone are its clip, cut before.

    Raises:
        CatalogError: if the recipe's catalog, or the folder, is not there.
        SettingsError: if the recipe has a folder and no catalog.
        BucketUnavailableError: if the bucket does not answer or is full.
        StageError: if this machine's disk is full.
    """
    if settings.recipe.collection.format == "folder":
        raise SettingsError(
            f"{settings.recipe_path}: its catalog is a folder, which './s2s collection' takes over"
        )
    started = time.monotonic()
    bucket = prepared_bucket(settings.bucket_url)
    videos = open_video_folder(folder_name, Path.cwd())
    with workspace(settings.work_dir / "tmp" / STAGE) as folder:
        selected = select_from_catalog(settings, bucket, folder)
        say_passed_over(videos.passed_over())
        files = find_files(selected.clips, videos, trimmed=trimmed)
        _say_ambiguous(selected.clips, files, videos)
        sources = stored_sources(bucket)
        items = _first_needs(files.values(), sources)
        work = Work(
            stage=STAGE,
            prefix=imports_prefix(settings.recipe),
            items=items,
            done=_left_alone(items, selected.clips, files, sources),
            function=TakeOverFile(settings, folder, videos.files),
            workers=settings.n_workers,
            sessions=1,
            unit="file",
        )
        # A file that failed may be another one now, as this may be another folder.
        by_name = fan_out(settings.model_copy(update={"retry_failed": True}), work)
    _say_taken(by_name.values())
    outcomes = [_outcome(clip, files, by_name, videos, sources) for clip in selected.clips]
    taken = (each.clip_id for each in outcomes if each.status is Status.OK)
    store_source_paths(bucket, settings.recipe, {name: files[name].path for name in taken})
    counts = {
        f"{Status.SKIPPED}:{Reason.LEFT_OUT}": selected.n_left_out,
        f"{Status.FAILED}:{Reason.BAD_ROW}": len(selected.problems),
    }
    outputs = {"folder": videos.url, "passed_over": videos.passed_over()}
    return finish(settings, STAGE, outcomes, started, outputs, counts)


def _first_needs(files: Iterable[VideoFile], sources: StoredSources) -> dict[str, VideoFile]:
    """Files by name, each needed from where the first of its clips starts."""
    found: dict[str, VideoFile] = {}
    for file in files:
        known = found.setdefault(file.name, file)
        if file.needed_from_s < known.needed_from_s:
            found[file.name] = file
    stored = sources.files.key_of
    return {name: replace(file, stored_key=stored.get(name, "")) for name, file in found.items()}


def _left_alone(
    items: Mapping[str, VideoFile],
    clips: Iterable[ClipRecord],
    files: Mapping[str, VideoFile],
    sources: StoredSources,
) -> set[str]:
    """Files that are not looked at: every clip that they are for is there, in what has other spans.

    A section of the source may have one of them, and not the others.
    """
    with_file = (clip for clip in clips if clip.clip_id in files)
    absent = {files[clip.clip_id].name for clip in with_file if not sources.files.find(clip)}
    return {name for name in items.keys() - absent if not items[name].stored_key}


def _outcome(
    clip: ClipRecord,
    files: Mapping[str, VideoFile],
    by_name: Mapping[str, Outcome],
    videos: VideoFolder,
    sources: StoredSources,
) -> Outcome:
    if clip.clip_id not in files and sources.files.find(clip):  # of another folder, or downloaded
        status, reason = Status.SKIPPED, Reason.ALREADY_DONE
        return Outcome(clip_id=clip.clip_id, status=status, reason=reason)
    if file := files.get(clip.clip_id):
        return by_name[file.name].model_copy(update={"clip_id": clip.clip_id})
    return _missing(clip, videos)


def find_files(
    clips: list[ClipRecord], videos: VideoFolder, *, trimmed: bool = False
) -> dict[str, VideoFile]:
    """Find the file that each clip is in, by clip id; the first in order where there are several.

    Args:
        clips: the clips.
        videos: where to look.
        trimmed: files that are named for a source alone are its clip, cut before.
    """
    path_of = _paths_by_name(videos.paths())
    found: dict[str, VideoFile] = {}
    for clip in clips:
        cut = section_name(clip.source_id, clip.start_s, clip.end_s)
        if path := path_of.get(clip.source_id):
            file = VideoFile(path, cut) if trimmed else _whole(path, clip)
            found[clip.clip_id] = file
        elif path := next(filter(None, map(path_of.get, _names_of_cut(clip))), None):
            found[clip.clip_id] = VideoFile(path, cut)
    return found


def _say_ambiguous(
    clips: Iterable[ClipRecord], files: Mapping[str, VideoFile], videos: VideoFolder
) -> None:
    """Warn of files of one name with other bytes, of which the first is taken."""
    paths_of: defaultdict[str, list[str]] = defaultdict(list)
    for path in videos.paths():
        paths_of[PurePosixPath(path).stem].append(path)
    taken: dict[str, str] = {}
    for clip in clips:
        if file := files.get(clip.clip_id):
            stem = PurePosixPath(file.path).stem
            # A file that a folder's name is a part of is not found by its own alone.
            if stem == clip.source_id or stem in _names_of_cut(clip):
                taken[file.path] = stem
    for path, stem in taken.items():
        for other in paths_of[stem]:
            if other != path and not videos.are_equal(path, other):
                console.print(
                    f"[yellow]Of one name and different:[/] {escape(printable(path))} is taken, "
                    f"{escape(printable(other))} is not. Move away what is not meant",
                    highlight=False,
                )


def _say_taken(outcomes: Iterable[Outcome]) -> None:
    """Tell of files whose ids other videos have: what goes on takes those."""
    taken = [each.message for each in outcomes if each.reason is Reason.ID_TAKEN]
    for message in taken[:_SHOWN_TAKEN]:
        console.print(f"[yellow]Not taken over:[/] {escape(message)}", highlight=False)
    if len(taken) > _SHOWN_TAKEN:
        more = counted(len(taken) - _SHOWN_TAKEN, "file")
        console.print(f"[yellow]Not taken over[/] for the same reason: {more} more")


def _paths_by_name(paths: Sequence[str]) -> dict[str, str]:
    """Files by their names; by the id that yt-dlp puts behind a title; by folder and name."""
    path_of: dict[str, str] = {}
    for path in paths:
        path_of.setdefault(PurePosixPath(path).stem, path)
    for path in paths:
        if match := _BY_YT_DLP.fullmatch(PurePosixPath(path).stem):
            path_of.setdefault(match["id"], path)
        *folders, name = PurePosixPath(path).parts
        if len(folders) > 1 and folders[-1].casefold() in VIDEO_FOLDERS:
            folders.pop()
        if folders:
            path_of.setdefault(name_in_folder(folders[-1], PurePosixPath(name).stem), path)
    return path_of


def _whole(path: str, clip: ClipRecord) -> VideoFile:
    return VideoFile(path, clip.source_id, clip.start_s)


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


def _missing(clip: ClipRecord, videos: VideoFolder) -> Outcome:
    return Outcome(
        clip_id=clip.clip_id,
        status=Status.SKIPPED,
        reason=Reason.NO_SOURCE,
        message=f"no file below {videos.url} is named for {clip.source_id}",
    )
