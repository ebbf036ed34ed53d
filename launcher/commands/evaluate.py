"""`./s2s evaluate RECIPE`: measure a recipe's model, and write a page about it."""

from pathlib import Path
from typing import Annotated

import typer

from s2s.cli import recipe_command
from s2s.layout import evaluation_prefix
from s2s.logs import console
from s2s.settings import Settings
from s2s.stage import shared_bucket
from training.cli import ProgramOption

__all__ = ["evaluate"]


@recipe_command()
def evaluate(
    settings: Settings,
    *,
    output: Annotated[Path, typer.Option(help="Folder that gets the page.")] = Path("reports"),
    av_benchmark: ProgramOption = None,
) -> int:
    """Measure a recipe's model beside baselines and ceilings; write a page about it."""
    from launcher.pages.evaluation import write_evaluation_report  # noqa: PLC0415 - slow
    from training.evaluation.tables import print_evaluation  # noqa: PLC0415
    from training.evaluation.thorough import evaluate_model  # noqa: PLC0415

    content = evaluate_model(settings, av_benchmark)
    print_evaluation(content, console)
    bucket, folder = shared_bucket(settings.bucket_url), output / settings.recipe.name
    page = write_evaluation_report(bucket, settings.recipe, content, folder)
    prefix = evaluation_prefix(settings.recipe, content["version"])
    for name in content["files"]:
        bucket.download(f"{prefix}files/{name}", folder / name)
    console.print(f"\nLook and listen: [bold]{page.absolute().as_uri()}[/]")
    return 0
