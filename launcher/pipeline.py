"""The six stages, one after another, in this process."""

import time
from importlib import import_module

from rich.rule import Rule

from s2s.cli import report_table
from s2s.dataset import version_names
from s2s.layout import model_config_key
from s2s.logs import console
from s2s.settings import STAGES, Settings
from s2s.stage import StageReport, check_came_through, preflight, shared_bucket
from s2s.stage.node import find_node

__all__ = ["PURPOSES", "check_accelerator", "run_stage", "run_stages"]

PURPOSES = {
    "collection": "Download the sources of a catalog's clips.",
    "preprocessing": "Cut clips out of their sources.",
    "validation": "Check clips, split them, make a data set version.",
    "feature_extraction": "Turn a data set version into shards of features.",
    "training": "Train a model and export it.",
    "serving": "Prove that the model answers over HTTP.",
}


def run_stages(settings: Settings) -> list[StageReport]:
    """Run every stage of a recipe, what is done already is skipped; print the summary.

    Raises:
        S2SError: if a stage cannot go on; what is stored stays, and the stages before are in the
            summary.
    """
    started = time.monotonic()
    reports: list[StageReport] = []
    try:
        for stage in STAGES:
            reports.append(run_stage(stage, settings))
            check_came_through(settings, reports[-1])
    finally:
        if reports:
            seconds = time.monotonic() - started
            console.print(report_table(reports, f"{settings.recipe.name}: {seconds:.0f} s"))
    return reports


def check_accelerator(settings: Settings) -> None:
    """Look for the GPU and the nodes of a training before the stages that take hours, not after.

    Raises:
        StageError: if a model is still to be trained and there is no such GPU.
        SettingsError: if nothing tells which of several nodes this machine is.
    """
    recipe = settings.recipe
    if recipe.training.accelerator != "gpu" and recipe.training.nodes == 1:
        return
    bucket = shared_bucket(settings.bucket_url)
    versions = version_names(bucket, recipe)
    if not versions or not bucket.exists(model_config_key(recipe, versions[-1])):
        find_node(recipe.training.nodes)
        if recipe.training.accelerator == "gpu":
            import_module("training.trainer").find_gpu(recipe.training)  # torch is slow to import


def run_stage(stage: str, settings: Settings) -> StageReport:
    """Run one stage by its name."""
    console.print(Rule(f"{stage}: {PURPOSES[stage]}", align="left", style="dim"))
    preflight(settings, stage)
    return import_module(f"{stage}.stage").run(settings)
