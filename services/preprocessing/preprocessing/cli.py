"""The command line of preprocessing."""

from typing import Annotated

import typer

from preprocessing.stage import run
from s2s.cli import STAGE_OPTIONS, end_stage, recipe_command
from s2s.errors import SettingsError
from s2s.settings import Settings
from s2s.stage import preflight

__all__ = ["app"]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
@recipe_command(*STAGE_OPTIONS)
def preprocessing(
    settings: Settings,
    *,
    download: Annotated[bool, typer.Option("-d", help="Get sources from the bucket.")] = False,
    cut: Annotated[bool, typer.Option("-c", help="Cut the clips out of them.")] = False,
    upload: Annotated[bool, typer.Option("-u", help="Store the clips in the bucket.")] = False,
) -> int:
    """Cut every clip of the catalog out of its source, exactly, to processed_data/.

    An mp4 at the recipe's frame rate and size (or the source's packets, where the recipe says so),
    and its sound as mono wav. -d, -c and -u are its three steps: all three without them too.
    """
    asked = {"-d": download, "-c": cut, "-u": upload}
    if any(asked.values()) and not all(asked.values()):
        given = " ".join(name for name, is_there in asked.items() if is_there)
        raise SettingsError(
            f"{given} alone does nothing: a clip's source is had, cut and stored in one go, so "
            "that nothing is left half done on this machine. Say -d -c -u, or none of them"
        )
    preflight(settings, "preprocessing")
    return end_stage(settings, run(settings))
