"""The command line of feature extraction."""

from s2s.cli import stage_app
from s2s.settings import Settings
from s2s.stage import StageReport

__all__ = ["app"]


def _run(settings: Settings) -> StageReport:
    from feature_extraction.stage import run  # noqa: PLC0415 - torch is slow to import

    return run(settings)


app = stage_app(
    "feature_extraction",
    "Extract what the recipe's task learns from, of every clip of the newest data set version, to "
    "shards under features/.",
    _run,
    *("engine", "workers", "gpus", "strict", "retry_failed"),
)
