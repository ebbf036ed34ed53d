"""The command line of training."""

from pathlib import Path
from typing import Annotated

import typer

from s2s.cli import recipe_command, stage_app
from s2s.logs import console
from s2s.settings import Settings
from s2s.stage import StageReport

__all__ = ["OnlyOption", "ProgramOption", "SeedsOption", "app"]

ProgramOption = Annotated[
    Path | None,
    typer.Option(
        envvar="S2S_AV_BENCHMARK",
        help="A checkout of av-benchmark: its figures are computed too.",
        exists=True,
        file_okay=False,
    ),
]


SeedsOption = Annotated[
    int | None,
    typer.Option(min=1, help="Trainings of each approach; the recipe's number if none."),
]
OnlyOption = Annotated[
    list[str] | None, typer.Option(help="An approach; may be given several times.")
]


def _run(settings: Settings) -> StageReport:
    from training.stage import run  # noqa: PLC0415 - torch is slow to import

    return run(settings)


app = stage_app(
    "training",
    "Train the recipe's model on the newest data set version, measure it on held-out clips and "
    "export it to models/. A run that was killed goes on from its last checkpoint.",
    _run,
)


@app.command()
@recipe_command()
def evaluate(settings: Settings, *, av_benchmark: ProgramOption = None) -> int:
    """Measure the recipe's model thoroughly, beside what it is compared with."""
    from training.evaluation.tables import print_evaluation  # noqa: PLC0415
    from training.evaluation.thorough import evaluate_model  # noqa: PLC0415

    print_evaluation(evaluate_model(settings, av_benchmark), console)
    return 0


@app.command()
@recipe_command()
def compare(
    settings: Settings,
    *,
    seeds: SeedsOption = None,
    only: OnlyOption = None,
) -> int:
    """Train a recipe's approaches alike and measure them on the same clips."""
    from training.comparison.compare import compare_approaches  # noqa: PLC0415
    from training.comparison.tables import print_comparison  # noqa: PLC0415

    content = compare_approaches(settings, seeds, only or ())
    print_comparison(content, console)
    return int(bool(content["failed"]))
