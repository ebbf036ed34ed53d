"""What a model was trained on, for those who measure it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import lightning

from s2s.dataset import DatasetVersion
from s2s.features.stored import StoredClip
from s2s.layout import model_prefix
from s2s.settings import Settings
from s2s.stage import shared_bucket
from s2s.tasks.contract import Material, Trained
from training.fit import Plan, fit

__all__ = ["make_material"]


def make_material(
    settings: Settings,
    version: DatasetVersion,
    clips: Mapping[str, Sequence[StoredClip]],
    folder: Path,
) -> Material:
    """Put together what systems and judges are made of.

    Args:
        settings: which recipe, and where.
        version: the data set version.
        clips: those of its clips that have features.
        folder: the model directory on this machine.
    """
    recipe, bucket = settings.recipe, shared_bucket(settings.bucket_url)

    def fit_alike(objective: Any) -> Trained:
        checkpoint = f"{model_prefix(recipe, version.name)}{objective.name}/checkpoints/last.ckpt"
        lightning.seed_everything(recipe.seed, workers=True, verbose=False)
        plan = Plan(
            objective.settings,
            objective.scale,
            settings.bucket_url,
            checkpoint,
            folder / objective.name / "training",
        )
        trained = fit(objective.network, objective.datasets(), plan)
        objective.network.load_state_dict(trained.network.state_dict())
        bucket.delete(checkpoint)
        return Trained(trained.curve.steps, trained.curve.seconds, "max_steps")

    return Material(
        recipe=recipe,
        recipe_folder=settings.recipe_path.parent,
        bucket=bucket,
        version=version,
        clips=clips,
        folder=folder,
        fit=fit_alike,
    )
