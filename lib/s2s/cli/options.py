"""The options that commands share, and the settings that they make up."""

import atexit
import os
import re
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer

from s2s.errors import S2SError, SettingsError
from s2s.settings import Settings, checked
from s2s.storage import open_bucket
from s2s.tasks.recipes import find_named_recipe, load_recipe
from s2s.workspace import scratch

__all__ = [
    "CATALOG_OPTIONS",
    "DEFAULT_BUCKET",
    "DEFAULT_WORK_DIR",
    "OPTIONS",
    "RUN_OPTIONS",
    "BucketOption",
    "EngineOption",
    "LimitOption",
    "RecipeArgument",
    "RetryFailedOption",
    "StrictOption",
    "WorkDirOption",
    "WorkersOption",
    "check_output_folder",
    "find_recipe",
    "make_settings",
    "no_recipe",
]

DEFAULT_BUCKET = "file://.s2s/bucket"
DEFAULT_WORK_DIR = Path(".s2s")
_urls: dict[str, str] = {}
"""By the paths of recipes that were named by a URL: that URL."""


def find_recipe(named: str | Path) -> Path:
    """The file of a recipe; one in a bucket is fetched, and kept while this process runs.

    Args:
        named: a path; the name of a recipe in `recipes/`, of the working directory, the project or
            the image; or a URL, `gs://BUCKET/KEY` or `file://PATH`.

    Raises:
        typer.BadParameter: if the bucket has no such object, or does not answer.
    """
    name = str(named)  # a default is a path already
    if name.startswith(("file://", "gs://")):
        is_here = name.startswith("file://")
        path = Path(name.removeprefix("file://")) if is_here else _fetched_recipe(name)
        _urls[str(path)] = name
        return path
    if "/" not in name and not name.endswith((".yaml", ".yml")):
        return find_named_recipe(name) or Path(name)
    return Path(name)


def with_urls(message: str) -> str:
    """A message in which recipes that were named by a URL are called so, not by their files."""
    for path, url in _urls.items():
        of_path = rf"(?<!://){re.escape(path)}(?![\w/])"
        message = re.sub(of_path, url.replace("\\", r"\\"), message)
    return message


def _fetched_recipe(url: str) -> Path:
    bucket, _, key = url.removeprefix("gs://").partition("/")
    own = ExitStack()
    folder = own.enter_context(scratch())
    atexit.register(own.close)
    path = folder / (key.rpartition("/")[2] or "recipe.yaml")
    try:
        store = open_bucket(f"gs://{bucket}")
        store.check()  # a bucket that is missing has no such object either
        path.write_bytes(store.read(key))
    except S2SError as error:
        raise typer.BadParameter(f"recipe {url}: {error}") from error
    return path


def no_recipe() -> Any:
    """What a command does about a recipe that neither it nor S2S_RECIPE names.

    Raises:
        typer.BadParameter: always.
    """
    raise typer.BadParameter("none is named: name one, or set S2S_RECIPE", param_hint="RECIPE")


RecipeArgument = Annotated[
    Path,
    typer.Argument(
        envvar="S2S_RECIPE",
        default_factory=no_recipe,
        show_default=False,
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
# A panel of their own: beside options that have no opposite, theirs would leave little room.
_FAILURES = "Failures"
StrictOption = Annotated[
    bool, typer.Option(help="A failed clip makes the run fail.", rich_help_panel=_FAILURES)
]
RetryFailedOption = Annotated[
    bool,
    typer.Option(help="Try clips with a permanent failure again too.", rich_help_panel=_FAILURES),
]
LimitOption = Annotated[int | None, typer.Option(help="At most so many clips of the catalog.")]
"""Shared options, to be used as annotations of a command's parameters."""

OPTIONS: dict[str, tuple[Any, Any]] = {
    "bucket": (BucketOption, DEFAULT_BUCKET),
    "work_dir": (WorkDirOption, DEFAULT_WORK_DIR),
    "engine": (EngineOption, "local"),
    "workers": (WorkersOption, None),
    "gpus": (GpusOption, None),
    "strict": (StrictOption, False),
    "retry_failed": (RetryFailedOption, False),
    "limit": (LimitOption, None),
}
RUN_OPTIONS = ("engine", "workers", "gpus", "strict", "retry_failed", "limit")
"""Options of a run of all stages, beside the bucket and the work directory."""
CATALOG_OPTIONS = ("engine", "workers", "strict", "retry_failed", "limit")
"""Those of a stage that works on the catalog's clips; later ones have what their version has."""


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


def check_output_folder(folder: Path) -> None:
    """Make sure that a folder can be written to, or made.

    Raises:
        SettingsError: if a file is in its place, or this user may not write there.
    """
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        raise SettingsError(f"{folder}: {there} is a file, not a folder: name another place")
    if not os.access(there, os.W_OK | os.X_OK):
        raise SettingsError(
            f"{folder}: this user may not write to {there}: name another place, or change who may"
        )
