"""`./s2s compare RECIPE`: approaches to one task, trained alike and measured on the same clips."""

from pathlib import Path
from typing import Annotated

import typer

from s2s.cli import recipe_command
from s2s.logs import console
from s2s.settings import Settings
from s2s.stage import shared_bucket
from training.cli import OnlyOption, SeedsOption

__all__ = ["compare"]


@recipe_command()
def compare(
    settings: Settings,
    *,
    seeds: SeedsOption = None,
    only: OnlyOption = None,
    output: Annotated[Path, typer.Option(help="Folder that gets the page.")] = Path("reports"),
) -> int:
    """Train a recipe's approaches alike, measure them on the same clips; write a page about it.

    What is trained already is found. Exit status 1 if one of them could not be trained.
    """
    from launcher.pages.comparison import write_comparison_report  # noqa: PLC0415 - slow
    from training.comparison.compare import compare_approaches  # noqa: PLC0415
    from training.comparison.tables import print_comparison  # noqa: PLC0415

    content = compare_approaches(settings, seeds, only or ())
    print_comparison(content, console)
    bucket, folder = shared_bucket(settings.bucket_url), output / settings.recipe.name
    page = write_comparison_report(bucket, settings.recipe, content, folder)
    console.print(f"\nLook and listen: [bold]{page.absolute().as_uri()}[/]")
    return int(bool(content["failed"]))
