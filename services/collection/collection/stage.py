"""Collection: every source that the recipe's clips need, had once."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from collection.download import DownloadOptions
from collection.fetch import plan_fetches
from collection.network.breaker import BLOCKS
from collection.programs import check_programs
from collection.selected_clips import SelectedClips, select_from_catalog
from collection.source import DownloadSource, TakeOverFile, VideoFile
from collection.video_folder import open_video_folder
from s2s.catalog import RowProblem, stored_sources
from s2s.layout import raw_prefix
from s2s.logs import console, counted
from s2s.manifest import read_failures
from s2s.reasons import Reason, Status
from s2s.records import ClipRecord, Outcome
from s2s.settings import Settings
from s2s.stage import (
    StageReport,
    Work,
    fan_out,
    finish,
    left_alone,
    prepared_bucket,
    shared_bucket,
)
from s2s.workspace import workspace

__all__ = ["run"]

STAGE = "collection"


def run(settings: Settings) -> StageReport:
    """Store the clips that the recipe selects, and have every clip's source in `raw_data/`.

    Raises:
        CatalogError: if the catalog is not there, or no row of it can be used.
        SettingsError: if a file that the recipe names is not there.
        BucketUnavailableError: if the bucket does not answer or is full.
        StageError: if this machine's disk is full, or lacks what the site needs.
    """
    started = time.monotonic()
    bucket = prepared_bucket(settings.bucket_url)
    with workspace(settings.work_dir / "tmp" / STAGE) as folder:
        selected = select_from_catalog(settings, bucket, folder)
        from_files = settings.recipe.collection.format == "folder"
        outcomes = (_take_over if from_files else _download)(settings, selected, folder)
    _say_what_blocked(outcomes)
    return finish(
        settings,
        STAGE,
        [*outcomes.values(), *(_bad_row(problem, selected.name) for problem in selected.problems)],
        started,
        selected.outputs,
        {
            f"{Status.SKIPPED}:{Reason.LEFT_OUT}": selected.n_left_out
            + len(selected.clips)
            - len(outcomes)
        },
    )


def _download(settings: Settings, selected: SelectedClips, folder: Path) -> dict[str, Outcome]:
    """Download the sources of the clips from their site; an outcome for each clip."""
    site = settings.recipe.collection
    options = DownloadOptions.of_run(settings)
    check_programs(site.source_url, options.programs)
    sources = stored_sources(shared_bucket(settings.bucket_url))
    stored = {clip.clip_id for clip in selected.clips if sources.files.find(clip)}
    fetches = plan_fetches(selected.clips, site)
    pending = {clip_id: fetch for clip_id, fetch in fetches.items() if clip_id not in stored}
    beyond = _beyond(settings, [fetch.name for fetch in pending.values()])
    pending = {clip_id: fetch for clip_id, fetch in pending.items() if fetch.name not in beyond}
    work = Work(
        stage=STAGE,
        prefix=raw_prefix(),
        items={fetch.name: fetch for fetch in pending.values()},
        done=set(),
        function=DownloadSource(settings, folder, options),
        workers=settings.workers or site.workers,
        sessions=site.sessions,
        divisible=True,
        unit="download",
    )
    by_name = fan_out(settings, work)
    return {
        clip_id: by_name[fetch.name].model_copy(update={"clip_id": clip_id})
        if clip_id in pending
        else Outcome(clip_id=clip_id, status=Status.SKIPPED, reason=Reason.ALREADY_DONE)
        for clip_id, fetch in fetches.items()
        if clip_id in pending or clip_id in stored
    }


def _take_over(settings: Settings, selected: SelectedClips, folder: Path) -> dict[str, Outcome]:
    """Copy the videos of the recipe's folder; an outcome for each clip."""
    recipe = settings.recipe
    videos = open_video_folder(recipe.collection.catalog, settings.recipe_path.parent)
    wanted = dict.fromkeys(clip.source_id for clip in selected.clips)
    done = set(stored_sources(shared_bucket(settings.bucket_url)).files.key_of)
    for name in _beyond(settings, [name for name in wanted if name not in done]):
        del wanted[name]
    work = Work(
        stage=STAGE,
        prefix=raw_prefix(),
        items={
            source_id: VideoFile(path, source_id)
            for source_id, path in videos.named(recipe)
            if source_id in wanted
        },
        done=done,
        function=TakeOverFile(settings, folder, videos.files),
        workers=settings.n_workers,
        sessions=1,
        divisible=True,
        unit="video",
    )
    # The folder is on this machine, whatever the engine is.
    by_source = fan_out(settings.model_copy(update={"engine": "local"}), work)
    return {
        clip.clip_id: _of_clip(clip, by_source)
        for clip in selected.clips
        if clip.source_id in wanted
    }


def _beyond(settings: Settings, names: Sequence[str]) -> set[str]:
    """Of the sources that are not there, those after the first `settings.more`.

    Failures that this run leaves alone are none of them.
    """
    if settings.more is None:
        return set()
    failures = read_failures(shared_bucket(settings.bucket_url), raw_prefix())
    alone = left_alone(settings, names, set(), failures)
    return {*list(dict.fromkeys(name for name in names if name not in alone))[settings.more :]}


def _of_clip(clip: ClipRecord, by_source: Mapping[str, Outcome]) -> Outcome:
    return by_source[clip.source_id].model_copy(update={"clip_id": clip.clip_id})


def _bad_row(problem: RowProblem, catalog: str) -> Outcome:
    return Outcome(
        clip_id=problem.name,
        status=Status.FAILED,
        reason=Reason.BAD_ROW,
        message=f"{catalog}, line {problem.line}: {problem.message}",
    )


def _say_what_blocked(outcomes: Mapping[str, Outcome]) -> None:
    """Tell why a run stopped before its end."""
    waiting = [o for o in outcomes.values() if o.status is Status.SKIPPED and o.reason in BLOCKS]
    for message, n_clips in Counter(outcome.message for outcome in waiting).items():
        stay = counted(n_clips, "clip stays", "clips stay")
        console.print(f"[yellow]stopped[/]: {stay} pending: {message}")
