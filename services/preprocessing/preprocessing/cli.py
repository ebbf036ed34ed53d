"""The command line of preprocessing."""

from typing import Annotated

import typer

from preprocessing.stage import run
from preprocessing.steps import Steps, run_steps
from s2s.cli import CATALOG_OPTIONS, end_stage, recipe_command
from s2s.settings import Settings
from s2s.stage import preflight

__all__ = ["app"]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
@recipe_command(*CATALOG_OPTIONS)
def preprocessing(
    settings: Settings,
    *,
    download: Annotated[bool, typer.Option("-d", help="Get sources from the bucket.")] = False,
    cut: Annotated[bool, typer.Option("-c", help="Cut the clips out of them.")] = False,
    upload: Annotated[bool, typer.Option("-u", help="Store the clips in the bucket.")] = False,
) -> int:
    """Cut every clip of the catalog out of its source, exactly, to processed_data/.

    An mp4 at the recipe's frame rate and size (or the source's packets, where the recipe says so),
    and its sound as mono wav. Without -d, -c and -u, or with all three, a clip's source is had, cut
    and stored in one go; with some of them, step by step, by way of the work folder.
    """
    steps = Steps(download, cut, upload)
    if not steps.are_all:
        return end_stage(*run_steps(settings, steps))
    preflight(settings, "preprocessing")
    return end_stage(settings, run(settings))
