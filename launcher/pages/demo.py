"""The demo's last word: one page with what was run, how good it is, and how it sounds."""

import os
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from launcher.pages.curve import read_losses
from launcher.pages.figures import Metrics, read_metrics
from launcher.pages.page import capped_notice, write_framed
from launcher.pipeline import PURPOSES
from s2s.dataset import DatasetVersion, latest_version, read_version
from s2s.layout import model_prefix
from s2s.logs import counted
from s2s.settings import Recipe
from s2s.stage import StageReport
from s2s.storage import Bucket
from s2s.tasks.loading import load_task

__all__ = ["write_report"]

PAGE = "report.html"


@dataclass(frozen=True)
class _StageRow:
    stage: str
    purpose: str
    ok: int
    skipped: str
    failed: str
    has_failed: bool
    seconds: str
    written: str


def write_report(
    bucket: Bucket, recipe: Recipe, reports: list[StageReport], output_dir: Path
) -> Path:
    """Write the page of a finished run.

    Args:
        bucket: where everything is.
        recipe: what was run.
        reports: of each stage, in their order.
        output_dir: gets the page, and the videos in `held_out/`; made when missing.

    Returns:
        the page: one file with all pictures and videos in it.

    Raises:
        VersionError: if the recipe has no data set version.
        ModelError: if the model's figures cannot be read.
        MediaError: if a stored clip cannot be read.
        BucketUnavailableError: if the bucket does not answer.
    """
    output_dir.mkdir(parents=True, exist_ok=True)
    version = read_version(bucket, recipe, latest_version(bucket, recipe))
    prefix = model_prefix(recipe, version.name)
    metrics = read_metrics(bucket, prefix + "metrics.json")
    part = load_task(recipe.task).report
    rows, folder = metrics.of_model if metrics else {}, output_dir / "held_out"
    answers = part.show_answers(bucket, recipe, version, rows, folder)
    return write_framed(
        output_dir / PAGE,
        "demo.html.jinja",
        recipe=recipe,
        facts=[*_facts(bucket, recipe, version), *_effort(reports, metrics)],
        capped=capped_notice(recipe, metrics.training.model_dump() if metrics else {}),
        stages=[_stage_row(report) for report in reports],
        metrics=metrics,
        metrics_caption=_caption(metrics, part.CAPTION) if metrics else "",
        curve=read_losses(bucket, prefix),
        answers=Markup(answers),  # noqa: S704 - a template's
    )


def _caption(metrics: Metrics, explained: str) -> str:
    counts = f"{counted(metrics.n_clips, 'clip')} of {counted(metrics.n_sources, 'source')}"
    return f"{metrics.note} {counts}. {explained}"


def _facts(bucket: Bucket, recipe: Recipe, version: DatasetVersion) -> list[tuple[str, str]]:
    sizes = ", ".join(f"{len(clips)} {split}" for split, clips in version.clips.items())
    return [
        ("data set", f"{version.name}: {sizes} clips"),
        ("licence of the data", recipe.licence or "not given"),
        ("model", model_prefix(recipe, version.name).rstrip("/")),
        ("bucket", bucket.url),
    ]


def _effort(reports: list[StageReport], metrics: Metrics | None) -> list[tuple[str, str]]:
    minutes, seconds = divmod(round(sum(report.seconds for report in reports)), 60)
    return [
        ("trained on", metrics.training_summary if metrics else "not known"),
        ("this run", f"{minutes} min {seconds} s on {os.cpu_count()} CPU cores"),
    ]


def _stage_row(report: StageReport) -> _StageRow:
    return _StageRow(
        stage=report.stage.replace("_", " "),
        purpose=PURPOSES.get(report.stage, ""),
        ok=report.counts.get("ok", 0),
        skipped=_with_reasons(report, "skipped"),
        failed=_with_reasons(report, "failed"),
        has_failed=report.n_failed > 0,
        seconds=f"{report.seconds:,.1f}",
        written=f"{report.bytes_written / 1e6:,.1f}",
    )


def _with_reasons(report: StageReport, status: str) -> str:
    """Such as `3 (2 no audio, 1 timeout)`."""
    reasons = report.by_reason(status)
    listed = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in reasons.items())
    return f"{sum(reasons.values())} ({listed})" if reasons else "0"
