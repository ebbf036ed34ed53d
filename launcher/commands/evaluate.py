"""`./s2s evaluate RECIPE`: what a recipe's model is worth, on one page."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from s2s.cli import (
    DEFAULT_BUCKET,
    BucketOption,
    RecipeArgument,
    WorkDirOption,
    guarded,
    make_settings,
)
from s2s.logs import console
from s2s.stage import shared_bucket
from training.cli import AvBenchmarkOption

__all__ = ["evaluate"]


def evaluate(
    recipe: RecipeArgument,
    *,
    output: Annotated[Path, typer.Option(help="Folder that gets the page.")] = Path("reports"),
    av_benchmark: AvBenchmarkOption = None,
    bucket: BucketOption = DEFAULT_BUCKET,
    work_dir: WorkDirOption = Path(".s2s"),
) -> None:
    """Measure a recipe's model beside baselines and the real sound; write a page about it."""
    from launcher.pages.evaluation import write_evaluation_report  # noqa: PLC0415 - slow
    from training.evaluation.tables import print_evaluation  # noqa: PLC0415
    from training.evaluation.thorough import evaluate_model  # noqa: PLC0415

    def work() -> int:
        settings = make_settings(recipe, bucket, work_dir)
        content = evaluate_model(settings, av_benchmark)
        print_evaluation(content, console)
        folder = output / settings.recipe.name
        page = write_evaluation_report(shared_bucket(bucket), settings.recipe, content, folder)
        console.print(f"\nLook and listen: [bold]{page.absolute().as_uri()}[/]")
        return 0

    sys.exit(guarded(work))
