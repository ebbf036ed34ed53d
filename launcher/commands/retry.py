"""`./s2s retry RECIPE`: try failed clips again, and nothing else."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from launcher.pipeline import run_stage
from launcher.sample_site import sample_for
from s2s.cli import (
    DEFAULT_BUCKET,
    FAILURE_STATUS,
    BucketOption,
    RecipeArgument,
    StrictOption,
    WorkDirOption,
    WorkersOption,
    guarded,
    make_settings,
    report_table,
)
from s2s.logs import console
from s2s.reasons import Reason
from s2s.stage import check_came_through

__all__ = ["retry"]

_STAGES = ("collection", "preprocessing")


def retry(
    recipe: RecipeArgument,
    *,
    reason: Annotated[
        list[Reason] | None,
        typer.Option(help="Only failures of this reason; may be given several times."),
    ] = None,
    bucket: BucketOption = DEFAULT_BUCKET,
    work_dir: WorkDirOption = Path(".s2s"),
    workers: WorkersOption = None,
    strict: StrictOption = False,
) -> None:
    """Try failed downloads and failed cuts of a recipe again, and nothing else."""

    def work() -> int:
        reasons = frozenset(reason or Reason)
        settings = make_settings(
            recipe, bucket, work_dir, workers=workers, strict=strict, retry_reasons=reasons
        )
        with sample_for(settings) as placed:
            reports = [run_stage(stage, placed) for stage in _STAGES]
        console.print(report_table(reports))
        if reports[0].counts.get("ok"):
            console.print("There are new sources: './s2s run' goes on with their clips.")
        for report in reports:
            check_came_through(settings, report)
        return FAILURE_STATUS if strict and any(report.n_failed for report in reports) else 0

    sys.exit(guarded(work))
