"""The command `compare`, without its page."""

import json
from collections.abc import Sequence
from typing import Any

from s2s.dataset import latest_version, read_version
from s2s.errors import SettingsError, StageError
from s2s.layout import comparison_key
from s2s.settings import Settings
from s2s.stage import shared_bucket
from s2s.tasks.loading import load_task
from training.comparison.approaches import plan_runs
from training.comparison.content import compared
from training.comparison.measured import train_and_measure

__all__ = ["compare_approaches"]


def compare_approaches(
    settings: Settings, seeds: int | None = None, only: Sequence[str] = ()
) -> dict[str, Any]:
    """Train approaches alike, each with several seeds, and measure them on the same clips.

    What is trained already is found; a comparison that was stopped goes on.

    Args:
        settings: of the recipe whose approaches are compared.
        seeds: how many; None for what the recipe says.
        only: names of approaches; all where there are none.

    Returns:
        what `comparison.json` says; it is stored beside the models.

    Raises:
        SettingsError: if there is nothing to compare, an approach is wrong, or the recipe asks for
            several nodes.
        StageError: if features are missing, or less than two approaches could be trained.
        VersionError: if there is no data set version, or it is damaged.
        BucketUnavailableError: if the bucket does not answer or is full.
    """
    if settings.recipe.training.nodes > 1:
        raise SettingsError(
            f"training.nodes is {settings.recipe.training.nodes}, but approaches are compared on "
            "one machine: set it to 1, which renames no model"
        )
    runs = plan_runs(settings, seeds, only)
    bucket, recipe = shared_bucket(settings.bucket_url), settings.recipe
    bucket.check()
    bucket.prepare()
    version = read_version(bucket, recipe, latest_version(bucket, recipe))
    answered, failed = train_and_measure(settings, version, runs)
    if len({one.run.approach for one in answered}) < 2:
        reasons = "; ".join(f"{one.run.approach}: {one.reason}" for one in failed)
        raise StageError(f"recipe {recipe.name}: nothing to compare: {reasons}")
    content = compared(recipe, version.name, load_task(recipe.task).figures, answered, failed)
    text = json.dumps(content, indent=1) + "\n"
    bucket.write(comparison_key(recipe, version.name), text.encode(), overwrite=True)
    return content
