"""`./s2s import RECIPE PLACE`: take over videos that one already has."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from s2s.cli import (
    DEFAULT_BUCKET,
    FAILURE_STATUS,
    BucketOption,
    LimitOption,
    RecipeArgument,
    StrictOption,
    WorkDirOption,
    guarded,
    make_settings,
    report_table,
)
from s2s.logs import console
from s2s.reasons import Reason, Status
from s2s.stage import check_came_through

__all__ = ["import_command"]


def import_command(  # noqa: PLR0913 - these are the options of the command line
    recipe: RecipeArgument,
    place: Annotated[str, typer.Argument(help="A folder with videos, or gs://NAME/PREFIX.")],
    *,
    trimmed: Annotated[
        bool, typer.Option(help="Files named for a source alone are its clip, cut before.")
    ] = False,
    bucket: BucketOption = DEFAULT_BUCKET,
    work_dir: WorkDirOption = Path(".s2s"),
    strict: StrictOption = False,
    limit: LimitOption = None,
) -> None:
    """Copy the videos of a recipe's clips from a folder or a bucket; what is missing is told."""
    from collection.importing import import_videos  # noqa: PLC0415 - yt-dlp is slow to import

    def work() -> int:
        settings = make_settings(recipe, bucket, work_dir, limit=limit, strict=strict)
        report = import_videos(settings, place, trimmed=trimmed)
        console.print(report_table([report]))
        if report.counts.get(f"{Status.SKIPPED}:{Reason.NO_SOURCE}"):
            console.print(
                "Clips without a file ('no_source') are downloaded by './s2s collection'."
            )
        check_came_through(settings, report)
        return FAILURE_STATUS if strict and report.n_failed else 0

    sys.exit(guarded(work))
