"""One page that shows a data set version, from its catalog to its clips."""

import os
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from launcher.pages.dataset.alike import (
    ClosePair,
    count_contradicting,
    find_pairs,
    pairs_left_out,
)
from launcher.pages.dataset.document import add_pictures, build_document, script_json
from launcher.pages.dataset.examples import show_examples
from launcher.pages.dataset.history import clone_commands, read_history
from launcher.pages.dataset.labels import label_rows
from launcher.pages.dataset.lost import find_lost, funnel
from launcher.pages.dataset.outliers import read_figures
from launcher.pages.dataset.pictures import in_turns, take_players, take_thumbnails
from launcher.pages.dataset.quantities import in_bytes, in_range, in_time
from launcher.pages.dataset.shown import PageLimits, Shown, choose_shown
from launcher.pages.page import page_environment, write_page
from s2s.dataset import SPLITS, DatasetClip, DatasetVersion, read_version, version_names
from s2s.settings import Recipe
from s2s.storage import Bucket
from validation.release.changes import compare
from validation.release.datasheet import statistics_of

__all__ = ["PageLimits", "dataset_metrics", "write_dataset_report"]

PAGE = "dataset.html"
_REST_BYTES = 350_000
"""What the page is besides the data, at most."""


def write_dataset_report(
    bucket: Bucket,
    recipe: Recipe,
    version: DatasetVersion,
    folder: Path,
    limits: PageLimits | None = None,
) -> Path:
    """Write the page of a data set version.

    Args:
        bucket: where everything is.
        recipe: whose data set it is.
        version: what to show.
        folder: gets the page; made when missing.
        limits: how much it holds.

    Returns:
        the page: one file that needs no network.

    Raises:
        MediaError: if an example cannot be read.
        BucketUnavailableError: if the bucket does not answer.
    """
    limits = limits or PageLimits()
    environment = page_environment()
    environment.filters |= {"in_time": in_time, "in_bytes": in_bytes, "in_range": in_range}
    text = environment.get_template("dataset/page.html.jinja").render(
        recipe=recipe,
        version=version,
        splits=SPLITS,
        metrics=dataset_metrics(version),
        history=read_history(bucket, recipe, version.name),
        commands=clone_commands(bucket, version.name, version.bundle),
        bucket_url=bucket.url,
        written=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        nonce=secrets.token_urlsafe(12),
        **_about_clips(bucket, recipe, version, folder, limits),
        **_about_labels(version, limits),
        **_about_changes(bucket, recipe, version),
    )
    return write_page(folder / PAGE, text)


def _about_clips(
    bucket: Bucket, recipe: Recipe, version: DatasetVersion, folder: Path, limits: PageLimits
) -> dict[str, Any]:
    """What became of the catalog's clips, what was measured of them, and which are shown."""
    steps, outcomes = funnel(bucket, recipe, version)
    clips = [clip for split in SPLITS for clip in version.split(split)]
    lost = find_lost(bucket, recipe, outcomes, limits.lost)
    pairs = find_pairs(clips)
    left_out = pairs_left_out(lost, {clip.clip_id for clip in clips})
    figures = read_figures(bucket, recipe, clips)
    shown = choose_shown(clips, figures, [*left_out[: limits.pairs // 4], *pairs], limits)
    shown.lost = lost
    shown.examples = show_examples(bucket, recipe, version).examples
    shown.bucket = _bucket_address(bucket, folder)
    return {
        "ranges": _ranges(clips),
        "funnel": steps,
        "n_lost": sum(map(len, outcomes.values())),
        "n_pairs": len(pairs) + len(left_out),
        "n_apart": _count_apart(pairs, clips),
        "n_contradicting": count_contradicting([*left_out, *pairs], [*clips, *lost]),
        "n_clips": len(clips),
        "shown": shown,
        "document": _document(bucket, shown, limits),
    }


def _about_labels(version: DatasetVersion, limits: PageLimits) -> dict[str, Any]:
    labels = label_rows(version)
    return {
        "labels": labels[: limits.labels],
        "n_labels": len(labels),
        "n_lacking": sum(bool(row.lacking) for row in labels),
        "smallest": labels[-1].clips if labels else 0,
    }


def _about_changes(bucket: Bucket, recipe: Recipe, version: DatasetVersion) -> dict[str, Any]:
    """What is new since the version before, where there is one."""
    names = version_names(bucket, recipe)
    place = names.index(version.name)
    previous = read_version(bucket, recipe, names[place - 1]) if place else None
    counts = compare(previous, version).counts if previous else {}
    return {"previous": previous, "changes": counts}


def dataset_metrics(version: DatasetVersion) -> dict[str, dict]:
    """Counts, lengths, sizes and loudness of a version, by split; for notebooks too."""
    return statistics_of({split: version.split(split) for split in SPLITS})


def _document(bucket: Bucket, shown: Shown, limits: PageLimits) -> str:
    """What the script reads: thumbnails of what is worth a look, and players while they fit."""
    key_of = {clip.clip_id: clip.key for clip in (*shown.lost, *shown.clips) if clip.key}
    examples = [example.clip.clip_id for example in shown.examples]
    alike = [name for pair in shown.pairs for name in (pair.first, pair.second)]
    lost = [clip.clip_id for clip in shown.lost if clip.key]
    outliers = in_turns(*shown.extremes.values())
    worth = [name for name in in_turns(examples, alike, lost, outliers) if name in key_of]
    others = [clip.clip_id for clip in shown.clips]
    pictured = list(dict.fromkeys([*worth, *others]))[: limits.thumbnails]
    shown.thumbnails = take_thumbnails(bucket, {name: key_of[name] for name in pictured})
    document = build_document(shown)
    add_pictures(document, shown)
    left = (limits.page_bytes - len(script_json(document).encode()) - _REST_BYTES) * 3 // 4
    first = worth[: limits.thumbnails]
    shown.players = take_players(bucket, {name: key_of[name] for name in first}, left)
    add_pictures(document, shown)
    return script_json(document)


def _count_apart(pairs: Sequence[ClosePair], clips: Sequence[DatasetClip]) -> int:
    """Pairs of which each clip is in another split: there should be none."""
    split_of = {clip.clip_id: clip.split for clip in clips}
    return sum(split_of[pair.first] != split_of[pair.second] for pair in pairs)


def _bucket_address(bucket: Bucket, folder: Path) -> str:
    """Where a browser finds the bucket's files from the page: a relative path, or an address."""
    kind, _, name = bucket.url.partition("://")
    if kind == "file":
        return Path(os.path.relpath(name, folder.absolute())).as_posix() + "/"
    return f"https://storage.cloud.google.com/{name}/" if kind == "gs" else ""


def _ranges(clips: Sequence[DatasetClip]) -> dict[str, tuple[float, float, float]]:
    """Least, middle and most of what was measured."""
    measured = [clip for clip in clips if clip.duration_s]
    values = {
        "length": [clip.duration_s for clip in measured],
        "peak": [clip.loudness_dbfs for clip in measured],
    }
    return {
        name: (min(found), float(np.median(found)), max(found))
        for name, found in values.items()
        if found
    }
