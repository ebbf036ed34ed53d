"""One page that shows a data set version, from its catalog to its clips."""

import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from launcher.pages.dataset_examples import show_examples
from launcher.pages.page import page_environment, write_page
from s2s.dataset import (
    SPLITS,
    DatasetClip,
    DatasetVersion,
    read_version,
    version_names,
)
from s2s.errors import ObjectNotFoundError
from s2s.layout import manifest_key
from s2s.manifest import read_manifest
from s2s.reasons import Reason, Status
from s2s.settings import Recipe
from s2s.storage import Bucket
from validation.release.changes import compare
from validation.release.datasheet import statistics_of

__all__ = ["dataset_metrics", "write_dataset_report"]

PAGE = "dataset.html"
_STAGES = ("collection", "preprocessing", "validation")
_BINS = 24
_MOST_LABELS = 400


@dataclass(frozen=True)
class FunnelStep:
    """What is left of the catalog after a stage.

    Attributes:
        stage: its name.
        clips: clips that are left.
        lost: clips that this stage lost, by reason.
    """

    stage: str
    clips: int
    lost: dict[str, int]


@dataclass(frozen=True)
class Histogram:
    """How a figure is spread.

    Attributes:
        title: what it is, with its unit.
        counts: clips in each of equal steps.
        low: where the first step begins.
        high: where the last ends.
        median: half of the clips have less.
    """

    title: str
    counts: list[int]
    low: float
    high: float
    median: float


def write_dataset_report(
    bucket: Bucket, recipe: Recipe, version: DatasetVersion, folder: Path
) -> Path:
    """Write the page of a data set version.

    Args:
        bucket: where everything is.
        recipe: whose data set it is.
        version: what to show.
        folder: gets the page; made when missing.

    Returns:
        the page: one file that needs no network.

    Raises:
        MediaError: if an example cannot be read.
        BucketUnavailableError: if the bucket does not answer.
    """
    previous = _previous(bucket, recipe, version)
    labels = _by_label(version)
    text = (
        page_environment()
        .get_template("dataset.html.jinja")
        .render(
            recipe=recipe,
            version=version,
            splits=SPLITS,
            metrics=dataset_metrics(version),
            funnel=_funnel(bucket, recipe, version),
            labels=labels[:_MOST_LABELS],
            n_labels=len(labels),
            histograms=_histograms([clip for split in SPLITS for clip in version.split(split)]),
            previous=previous,
            changes=compare(previous, version).counts if previous else {},
            examples=show_examples(bucket, recipe, version).examples,
            written=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
            nonce=secrets.token_urlsafe(12),
        )
    )
    return write_page(folder / PAGE, text)


def dataset_metrics(version: DatasetVersion) -> dict[str, dict]:
    """Counts, lengths, sizes and loudness of a version, by split; for notebooks too."""
    return statistics_of({split: version.split(split) for split in SPLITS})


def _previous(bucket: Bucket, recipe: Recipe, version: DatasetVersion) -> DatasetVersion | None:
    names = version_names(bucket, recipe)
    place = names.index(version.name)
    return read_version(bucket, recipe, names[place - 1]) if place else None


def _funnel(bucket: Bucket, recipe: Recipe, version: DatasetVersion) -> list[FunnelStep]:
    """Clips left after each stage's last run; stages whose manifests are not there are not told."""
    steps = []
    for stage in _STAGES:
        try:
            rows = read_manifest(bucket, manifest_key(recipe, stage))
        except ObjectNotFoundError:
            continue
        lost = Counter(
            str(row.reason)
            for row in rows
            if row.status is not Status.OK and row.reason is not Reason.ALREADY_DONE
        )
        # What an earlier stage lost is told there.
        upstream = lost.pop(Reason.UPSTREAM_FAILED, 0) if steps else 0
        if not steps:
            steps.append(FunnelStep("catalog", len(rows), {}))
        left = len(rows) - upstream - sum(lost.values())
        steps.append(FunnelStep(stage, left, dict(lost.most_common())))
    in_version = sum(len(version.split(split)) for split in SPLITS)
    return [*steps, FunnelStep(version.name, in_version, {})]


def _by_label(version: DatasetVersion) -> list[tuple[str, dict[str, int]]]:
    counts = {
        split: Counter(label for clip in version.split(split) for label in clip.labels)
        for split in SPLITS
    }
    total = sum(counts.values(), Counter[str]())
    return [
        (label, {split: counts[split][label] for split in SPLITS})
        for label, _ in total.most_common()
    ]


def _histograms(clips: Sequence[DatasetClip]) -> list[Histogram]:
    measured = [clip for clip in clips if clip.duration_s]
    figures = {
        "length of the picture, s": [clip.duration_s for clip in measured],
        "size of mp4 and wav, kB": [(clip.size + clip.wav_size) / 1e3 for clip in clips],
        "loudest sample, dBFS": [clip.loudness_dbfs for clip in measured],
        "loudness on average, dBFS": [clip.mean_dbfs for clip in measured],
    }
    result = []
    for title, values in figures.items():
        if values:
            counts, edges = np.histogram(values, bins=_BINS)
            bounds = round(float(edges[0]), 2), round(float(edges[-1]), 2)
            median = round(float(np.median(values)), 2)
            result.append(Histogram(title, counts.tolist(), *bounds, median))
    return result
