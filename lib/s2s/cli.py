"""The options that every command shares, and how a command ends."""

import atexit
import errno
import inspect
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import wraps
from inspect import Parameter
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table
from typer.core import TyperGroup

from s2s.errors import S2SError
from s2s.logs import console, set_up_logging
from s2s.settings import Settings, checked
from s2s.stage import StageReport, check_came_through, preflight
from s2s.storage import open_bucket
from s2s.tasks.recipes import load_recipe

__all__ = [
    "DEFAULT_BUCKET",
    "DEFAULT_WORK_DIR",
    "STAGE_OPTIONS",
    "BucketOption",
    "EngineOption",
    "LimitOption",
    "RecipeArgument",
    "RetryFailedOption",
    "StrictOption",
    "WorkDirOption",
    "WorkersOption",
    "end_stage",
    "find_recipe",
    "guarded",
    "make_settings",
    "recipe_command",
    "report_table",
    "stage_app",
]

DEFAULT_BUCKET = "file://.s2s/bucket"
DEFAULT_WORK_DIR = Path(".s2s")
FAILURE_STATUS, INTERRUPTED_STATUS = 1, 130

_RECIPE_FOLDERS = (Path("recipes"), Path("/recipes"))


def find_recipe(name: str) -> Path:
    """The file of a recipe; one in a bucket is fetched, and kept while this process runs.

    Args:
        name: a path; the name of a recipe in `recipes/`, of the directory or the image; or a URL,
            `gs://BUCKET/KEY` or `file://PATH`.

    Raises:
        typer.BadParameter: if the bucket has no such object, or does not answer.
    """
    if name.startswith("file://"):
        return Path(name.removeprefix("file://"))
    if name.startswith("gs://"):
        return _fetched_recipe(name)
    if "/" not in name and not name.endswith((".yaml", ".yml")):
        for folder in _RECIPE_FOLDERS:
            if (path := folder / f"{name}.yaml").is_file():
                return path
    return Path(name)


def _fetched_recipe(url: str) -> Path:
    bucket, _, key = url.removeprefix("gs://").partition("/")
    folder = Path(tempfile.mkdtemp(prefix="s2s-recipe-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / (key.rpartition("/")[2] or "recipe.yaml")
    try:
        path.write_bytes(open_bucket(f"gs://{bucket}").read(key))
    except S2SError as error:
        raise typer.BadParameter(f"recipe {url}: {error}") from error
    return path


RecipeArgument = Annotated[
    Path,
    typer.Argument(
        envvar="S2S_RECIPE",
        parser=find_recipe,
        metavar="RECIPE",
        help="What every stage does: a YAML file, the name of one in recipes/, or a URL: "
        "gs://BUCKET/KEY, file://PATH.",
    ),
]
BucketOption = Annotated[
    str,
    typer.Option(envvar="S2S_BUCKET", help="Where everything is stored: gs://NAME or file://DIR."),
]
WorkDirOption = Annotated[
    Path, typer.Option(envvar="S2S_HOME", help="Directory for temporary files.")
]
EngineOption = Annotated[str, typer.Option(help="What maps the work: local or ray.")]
WorkersOption = Annotated[
    int | None, typer.Option(help="Clips at a time; one a core, of the cluster with Ray.")
]
GpusOption = Annotated[
    float | None,
    typer.Option(
        help="Share of a GPU for each worker of Ray that uses one, such as 0.25; a whole one "
        "where the cluster has any."
    ),
]
StrictOption = Annotated[bool, typer.Option(help="A failed clip makes the run fail.")]
RetryFailedOption = Annotated[
    bool, typer.Option(help="Try clips with a permanent failure again too.")
]
LimitOption = Annotated[int | None, typer.Option(help="At most so many clips of the catalog.")]
"""Shared options, to be used as annotations of a command's parameters."""

_OPTIONS: dict[str, tuple[Any, Any]] = {
    "bucket": (BucketOption, DEFAULT_BUCKET),
    "work_dir": (WorkDirOption, DEFAULT_WORK_DIR),
    "engine": (EngineOption, "local"),
    "workers": (WorkersOption, None),
    "gpus": (GpusOption, None),
    "strict": (StrictOption, False),
    "retry_failed": (RetryFailedOption, False),
    "limit": (LimitOption, None),
}
STAGE_OPTIONS = ("engine", "workers", "gpus", "strict", "retry_failed", "limit")
"""What every stage can be told, beside the bucket and the directory for its files."""


def make_settings(
    recipe_path: Path,
    bucket_url: str = DEFAULT_BUCKET,
    work_dir: Path = DEFAULT_WORK_DIR,
    *,
    limit: int | None = None,
    **options: object,
) -> Settings:
    """Read the recipe and put a run's settings together.

    S2S_SOURCE_URL, where it is set, takes the place of the recipe's `collection.source_url`;
    S2S_REPORTS names a directory that reports are also written to; S2S_PART, such as `0/16`, is
    the part of collection or preprocessing that is worked on here.

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
        "bucket_url": _absolute(bucket_url) if options.get("engine") == "ray" else bucket_url,
        "work_dir": work_dir.absolute(),  # some work runs in a directory of its own
        "report_dir": os.environ.get("S2S_REPORTS"),
        "part": os.environ.get("S2S_PART"),
        **options,
    }
    return checked(Settings, content, "options")


def _absolute(bucket_url: str) -> str:
    """A bucket's URL that means the same in the working directory of a cluster's worker."""
    if not bucket_url.startswith("file://"):
        return bucket_url
    return f"file://{Path(bucket_url.removeprefix('file://')).expanduser().absolute()}"


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
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        where = f" ({error.filename})" if error.filename else ""
        console.print(
            f"[bold red]error:[/] {escape(f'this machine has no room left on its disk{where}')}. "
            "Nothing stored was lost: free some space, or choose another --work-dir, and run again"
        )
        return FAILURE_STATUS
    except KeyboardInterrupt:
        console.print("[yellow]interrupted[/]: what is stored stays; run again to go on")
        return INTERRUPTED_STATUS


def recipe_command(*options: str) -> Callable[[Callable[..., int]], Callable[..., None]]:
    """Make a command of a function that works on the settings of a run.

    The command has the recipe as its first argument, `--bucket`, `--work-dir`, the shared options
    that are named here, and whatever the function takes besides.

    Args:
        options: of `STAGE_OPTIONS`.

    Returns:
        a decorator. The function gets the settings, and the values of its own parameters; it
        returns the exit status.
    """
    shared = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, (annotation, default) in _OPTIONS.items()
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


class _StageUnlessNamed(TyperGroup):
    """`SERVICE RECIPE` is the stage, also of a service that has other commands."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or args[0] not in {*self.commands, "--help"}:
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
    @recipe_command(*STAGE_OPTIONS)
    def command(settings: Settings) -> int:
        preflight(settings, name)
        return end_stage(settings, run(settings))

    return app
