"""The options that every command shares, and how a command ends."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table
from typer.core import TyperGroup

from s2s.errors import S2SError
from s2s.logs import console, set_up_logging
from s2s.settings import Settings, checked
from s2s.stage import StageReport
from s2s.tasks.recipes import load_recipe

__all__ = [
    "DEFAULT_BUCKET",
    "BucketOption",
    "EngineOption",
    "LimitOption",
    "RecipeArgument",
    "RetryFailedOption",
    "StrictOption",
    "WorkDirOption",
    "WorkersOption",
    "guarded",
    "make_settings",
    "report_table",
    "stage_app",
]

DEFAULT_BUCKET = "file://.s2s/bucket"
FAILURE_STATUS, INTERRUPTED_STATUS = 1, 130

RecipeArgument = Annotated[
    Path, typer.Argument(help="The recipe: a YAML file that says what every stage does.")
]
BucketOption = Annotated[
    str,
    typer.Option(envvar="S2S_BUCKET", help="Where everything is stored: gs://NAME or file://DIR."),
]
WorkDirOption = Annotated[
    Path, typer.Option(envvar="S2S_HOME", help="Directory for temporary files.")
]
EngineOption = Annotated[str, typer.Option(help="What maps the work: local or ray.")]
WorkersOption = Annotated[int | None, typer.Option(help="Clips at a time.")]
StrictOption = Annotated[bool, typer.Option(help="A failed clip makes the run fail.")]
RetryFailedOption = Annotated[
    bool, typer.Option(help="Try clips with a permanent failure again too.")
]
LimitOption = Annotated[
    int | None,
    typer.Option("--limit", "--nums_to_download", help="At most so many clips of the catalog."),
]
"""Shared options, to be used as annotations of a command's parameters."""


def make_settings(
    recipe_path: Path,
    bucket_url: str = DEFAULT_BUCKET,
    work_dir: Path = Path(".s2s"),
    *,
    limit: int | None = None,
    **options: object,
) -> Settings:
    """Read the recipe and put a run's settings together.

    S2S_SOURCE_URL, where it is set, takes the place of the recipe's `collection.source_url`;
    S2S_REPORTS names a directory that reports are also written to.

    Raises:
        SettingsError: if the recipe or an option is wrong.
    """
    changes: dict[str, object] = {}
    if limit is not None:
        changes["limit"] = limit
    if source_url := os.environ.get("S2S_SOURCE_URL"):
        changes["source_url"] = source_url
    content = {
        "recipe": load_recipe(recipe_path, collection=changes),
        "recipe_path": recipe_path,
        "bucket_url": bucket_url,
        "work_dir": work_dir.absolute(),  # some work runs in a directory of its own
        "report_dir": os.environ.get("S2S_REPORTS"),
        **options,
    }
    return checked(Settings, content, "options")


def guarded(command: Callable[[], int]) -> int:
    """Run a command; turn our errors into one line and an exit status.

    Returns:
        what the command returns, 1 after an error of ours, 130 after an interruption.
    """
    set_up_logging()
    try:
        return command()
    except S2SError as error:
        console.print(f"[bold red]error:[/] {escape(str(error))}")
        return FAILURE_STATUS
    except KeyboardInterrupt:
        console.print("[yellow]interrupted[/]: what is stored stays; run again to go on")
        return INTERRUPTED_STATUS


def report_table(reports: list[StageReport], title: str = "") -> Table:
    """Clips ok, skipped and failed by reason, seconds and bytes, a row a stage."""
    table = Table(title=title)
    table.add_column("stage")
    for name in ("ok", "skipped", "failed", "seconds", "MB written"):
        table.add_column(name, justify="right")
    for report in reports:
        table.add_row(
            report.stage,
            str(report.counts.get("ok", 0)),
            _by_reason(report, "skipped"),
            _by_reason(report, "failed"),
            f"{report.seconds:.1f}",
            f"{report.bytes_written / 1e6:.1f}",
        )
    return table


class _StageUnlessNamed(TyperGroup):
    """`SERVICE RECIPE` is the stage, also of a service that has other commands."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in {*self.commands, "--help"}:
            args = [next(iter(self.commands)), *args]
        return super().parse_args(ctx, args)


def stage_app(name: str, purpose: str, run: Callable[[Settings], StageReport]) -> typer.Typer:
    """The command line of a stage, which further commands may be added to.

    Args:
        name: the stage's name.
        purpose: what it is for, shown by `--help`.
        run: the stage.
    """
    app = typer.Typer(cls=_StageUnlessNamed, add_completion=False, pretty_exceptions_enable=False)

    @app.command(name=name, help=purpose)
    def command(  # noqa: PLR0913 - these are the options of the command line
        recipe: RecipeArgument,
        *,
        bucket: BucketOption = DEFAULT_BUCKET,
        work_dir: WorkDirOption = Path(".s2s"),
        engine: EngineOption = "local",
        workers: WorkersOption = None,
        strict: StrictOption = False,
        retry_failed: RetryFailedOption = False,
        limit: LimitOption = None,
    ) -> None:
        def work() -> int:
            settings = make_settings(
                recipe,
                bucket,
                work_dir,
                limit=limit,
                engine=engine,
                workers=workers,
                strict=strict,
                retry_failed=retry_failed,
            )
            report = run(settings)
            console.print(report_table([report]))
            return FAILURE_STATUS if strict and report.n_failed else 0

        sys.exit(guarded(work))

    return app


def _by_reason(report: StageReport, status: str) -> str:
    found = {
        name.partition(":")[2]: n for name, n in report.counts.items() if name.startswith(status)
    }
    if not found:
        return "0"
    return f"{sum(found.values())}\n" + "\n".join(f"{n} {name}" for name, n in found.items())
