"""Commands: how they get their settings, and how they end."""

import errno
import inspect
import os
import re
import sys
from collections.abc import Callable
from functools import wraps
from inspect import Parameter
from itertools import pairwise
from pathlib import Path
from typing import Any

import typer
from rich.markup import escape
from rich.table import Table
from typer.core import TyperCommand, TyperGroup

from s2s.cli.interruption import status_of, stopped_by_sigterm
from s2s.cli.options import OPTIONS, RecipeArgument, make_settings, with_urls
from s2s.errors import S2SError, is_in_image
from s2s.logs import console, set_up_logging
from s2s.settings import Settings
from s2s.stage import StageReport, check_came_through, preflight

__all__ = [
    "FAILURE_STATUS",
    "FileCommand",
    "end_stage",
    "guarded",
    "recipe_command",
    "report_table",
    "stage_app",
]

FAILURE_STATUS = 1
_GOES_ON = "what is stored stays; run again to go on"
_BEGINS_ANEW = "nothing is kept to go on from; run again to begin anew"


def guarded(command: Callable[[], int], *, goes_on: bool = True) -> int:
    """Run a command; turn our errors into one line and an exit status.

    Args:
        command: does the work.
        goes_on: whether it goes on where it was interrupted, when it is run again.

    Returns:
        what the command returns, 1 after an error of ours, 130 after Ctrl-C, 143 after SIGTERM.
    """
    set_up_logging()
    try:
        with stopped_by_sigterm():
            return command()
    except S2SError as error:
        console.print(f"[bold red]error:[/] {escape(_for_this_place(str(error)))}")
        return FAILURE_STATUS
    except OSError as error:
        told = _told_of_disk(error)
        if told is None:
            raise
        console.print(f"[bold red]error:[/] {escape(told)}")
        return FAILURE_STATUS
    except KeyboardInterrupt as interruption:
        console.print(f"[yellow]interrupted[/]: {_GOES_ON if goes_on else _BEGINS_ANEW}")
        return status_of(interruption)


def _for_this_place(message: str) -> str:
    """A message; where it is read in a container, it says what is where outside of it.

    S2S_MOUNTS has a line `PLACE=FOLDER` for each folder of the machine that the container sees.
    """
    message = with_urls(message)
    if "./s2s " in message and is_in_image():
        message += " ('./s2s' is in the project's folder, outside of the container)"
    for line in os.environ.get("S2S_MOUNTS", "").splitlines():
        place, _, folder = line.partition("=")
        if re.search(rf"(?<!\w){re.escape(place)}(?!\w)", message):
            message += f" ({place} is {folder} outside of the container)"
    return message


def _told_of_disk(error: OSError) -> str | None:
    """What is wrong with this machine's disk or its rights, and what to do; None if it is not."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        where = f" ({error.filename})" if error.filename else ""
        return (
            f"this machine has no room left on its disk{where}. Nothing stored was lost: free some "
            "space, or choose another --work-dir (S2S_HOME), and run again"
        )
    if error.filename and error.errno in {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR}:
        return (
            f"{error.filename}: {error.strerror}. Choose another --work-dir (S2S_HOME) or "
            "--bucket (S2S_BUCKET), or change who may write there"
        )
    return None


def recipe_command(*options: str) -> Callable[[Callable[..., int]], Callable[..., None]]:
    """Make a command of a function that works on the settings of a run.

    The command has the recipe as its first argument, `--bucket`, `--work-dir`, the shared options
    that are named here, and whatever the function takes besides.

    Args:
        options: of `RUN_OPTIONS`.

    Returns:
        a decorator. The function gets the settings, and the values of its own parameters; it
        returns the exit status.
    """
    shared = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, (annotation, default) in OPTIONS.items()
        if name in ("bucket", "work_dir", *options)
    ]

    def decorate(work: Callable[..., int]) -> Callable[..., None]:
        _, *own = inspect.signature(work, eval_str=True).parameters.values()

        @wraps(work)
        def command(recipe: Path, **given: Any) -> None:
            def run() -> int:
                places = given["bucket"], given["work_dir"]
                settings = make_settings(recipe, *places, **{name: given[name] for name in options})
                return work(settings, **{one.name: given[one.name] for one in own})

            sys.exit(guarded(run))

        recipe = Parameter("recipe", Parameter.POSITIONAL_OR_KEYWORD, annotation=RecipeArgument)
        parameters = sorted([recipe, *own, *shared], key=lambda one: one.kind)
        command.__signature__ = inspect.Signature(parameters)  # pyright: ignore[reportAttributeAccessIssue]
        command.__annotations__ = {one.name: one.annotation for one in parameters}
        return command

    return decorate


def report_table(reports: list[StageReport], title: str = "") -> Table:
    """Clips ok, skipped and failed, seconds and bytes, a row a stage with its reasons under it.

    80 columns are enough.
    """
    table = Table(title=title)
    table.add_column("stage", no_wrap=True)
    for name in ("ok", "skipped", "failed", "seconds", "MB written"):
        table.add_column(name, justify="right")
    for report in reports:
        skipped, failed = report.by_reason("skipped"), report.by_reason("failed")
        reasons = [f"  {number} {reason}" for reason, number in (*skipped.items(), *failed.items())]
        table.add_row(
            "\n".join([report.stage, *reasons]),
            str(report.counts.get("ok", 0)),
            str(sum(skipped.values())),
            str(sum(failed.values())),
            f"{report.seconds:.1f}",
            f"{report.bytes_written / 1e6:.1f}",
        )
    return table


def end_stage(settings: Settings, report: StageReport) -> int:
    """Print what a stage did.

    Returns:
        the exit status: 1 after a failed clip where the settings are strict.

    Raises:
        StageError: if no clip came through.
    """
    console.print(report_table([report]))
    check_came_through(settings, report)
    return FAILURE_STATUS if settings.strict and report.n_failed else 0


class FileCommand(TyperCommand):
    """A command on a file: one whose name begins with a dash is told from an option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments.

        Raises:
            typer.BadParameter: if one is the name of a file, and would be read as an option.
        """
        for before, arg in pairwise(["", *args]):
            if before == "--":
                break
            if arg.startswith("-") and not before.startswith("-") and Path(arg).is_file():
                raise typer.BadParameter(f"{arg} would be read as an option: write ./{arg}", ctx)
        return super().parse_args(ctx, args)


class _StageUnlessNamed(TyperGroup):
    """`SERVICE RECIPE` is the stage, also of a service that has other commands."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or args[0] not in {*self.commands, "--help"}:
            args = [next(iter(self.commands)), *args]
        return super().parse_args(ctx, args)


def stage_app(
    name: str, purpose: str, run: Callable[[Settings], StageReport], *options: str
) -> typer.Typer:
    """The command line of a stage, which further commands may be added to.

    Args:
        name: the stage's name.
        purpose: what it is for, shown by `--help`.
        run: the stage.
        options: of `RUN_OPTIONS`, those that the stage goes by.
    """
    app = typer.Typer(cls=_StageUnlessNamed, add_completion=False, pretty_exceptions_enable=False)

    @app.command(name=name, help=purpose)
    @recipe_command(*options)
    def command(settings: Settings) -> int:
        preflight(settings, name)
        return end_stage(settings, run(settings))

    return app
