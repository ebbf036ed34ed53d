"""`./s2s report`: the page of a data set version."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from s2s.cli import DEFAULT_BUCKET, BucketOption, RecipeArgument, guarded
from s2s.dataset import latest_version, read_version
from s2s.logs import console
from s2s.stage import shared_bucket
from s2s.tasks.recipes import load_recipe

__all__ = ["report"]


def report(
    recipe: RecipeArgument,
    version: Annotated[str | None, typer.Option(help="Such as v2; the newest if none.")] = None,
    output: Annotated[Path, typer.Option(help="Folder that gets the page.")] = Path("reports"),
    pictures: Annotated[
        int | None,
        typer.Option(min=0, help="Clips with a picture in the page, 4 kB each; 160 if not given."),
    ] = None,
    bucket: BucketOption = DEFAULT_BUCKET,
) -> None:
    """Write a page that shows a data set version: counts, losses, changes, examples."""
    from launcher.pages.dataset import (  # noqa: PLC0415 - matplotlib is slow
        PageLimits,
        write_dataset_report,
    )

    def work() -> int:
        store, loaded = shared_bucket(bucket), load_recipe(recipe)
        store.check()
        name = f"dataset_v{version.removeprefix('dataset_').removeprefix('v')}" if version else ""
        content = read_version(store, loaded, name or latest_version(store, loaded))
        limits = PageLimits() if pictures is None else PageLimits(thumbnails=pictures)
        page = write_dataset_report(store, loaded, content, output / loaded.name, limits)
        console.print(f"Look: [bold]{page.absolute().as_uri()}[/]")
        return 0

    sys.exit(guarded(work, goes_on=False))
