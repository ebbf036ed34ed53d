"""The command line of training."""

from s2s.cli import stage_app
from s2s.settings import Settings
from s2s.stage import StageReport

__all__ = ["app"]


def _run(settings: Settings) -> StageReport:
    from training.stage import run  # noqa: PLC0415 - torch is slow to import

    return run(settings)


app = stage_app(
    "training",
    "Train the recipe's model on the newest data set version, measure it on held-out clips and "
    "export it to models/. A run that was killed goes on from its last checkpoint.",
    _run,
)
