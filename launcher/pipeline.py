"""The six stages, one after another, in this process."""

from importlib import import_module

from rich.rule import Rule

from s2s.logs import console
from s2s.settings import STAGES, Settings
from s2s.stage import StageReport, shared_bucket

__all__ = ["PURPOSES", "run_stage", "run_stages"]

PURPOSES = {
    "collection": "Download the sources of a catalog's clips.",
    "preprocessing": "Cut clips out of their sources.",
    "validation": "Check clips, split them, make a data set version.",
    "feature_extraction": "Turn a data set version into shards of features.",
    "training": "Train a model and export it.",
    "serving": "Prove that the model answers over HTTP.",
}


def run_stages(settings: Settings) -> list[StageReport]:
    """Run every stage of a recipe; what is done already is skipped.

    Raises:
        S2SError: if a stage cannot go on; what is stored stays.
    """
    shared_bucket(settings.bucket_url).check()
    return [run_stage(stage, settings) for stage in STAGES]


def run_stage(stage: str, settings: Settings) -> StageReport:
    """Run one stage by its name."""
    console.print(Rule(f"{stage}: {PURPOSES[stage]}", align="left", style="dim"))
    return import_module(f"{stage}.stage").run(settings)
