"""The material that a recipe's model is trained and measured on."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from s2s.dataset import DatasetVersion
from s2s.features.stored import StoredClip
from s2s.layout import model_prefix
from s2s.settings import Settings
from s2s.stage import shared_bucket
from s2s.tasks.contract import Material, Objective, Trained

__all__ = ["fetch_material", "make_material"]


def make_material(
    settings: Settings,
    version: DatasetVersion,
    clips: Mapping[str, Sequence[StoredClip]],
    folder: Path,
    fit: Callable[[Objective], Trained] | None = None,
) -> Material:
    """Put together what is needed to train and measure a model.

    Args:
        settings: the recipe, and where it runs.
        version: the data set version.
        clips: those of each split that have features.
        folder: the model directory on this machine.
        fit: trains an objective; by default without trackers.
    """
    prefix = model_prefix(settings.recipe, version.name)

    def fit_untracked(objective: Objective) -> Trained:
        from training.trainer import Trainer  # noqa: PLC0415 - Lightning is slow to import

        return Trainer(settings.bucket_url, prefix, folder)(objective)

    return Material(
        recipe=settings.recipe,
        recipe_folder=settings.recipe_path.parent,
        bucket=shared_bucket(settings.bucket_url),
        version=version,
        clips=clips,
        folder=folder,
        fit=fit or fit_untracked,
    )


def fetch_material(
    settings: Settings,
    version: DatasetVersion,
    clips: Mapping[str, Sequence[StoredClip]],
    folder: Path,
) -> Material:
    """Put together what is needed to measure a model that is trained already.

    Its files are downloaded into the folder, without its checkpoints and evaluations.
    """
    bucket, prefix = shared_bucket(settings.bucket_url), model_prefix(settings.recipe, version.name)
    for key in bucket.keys(prefix):
        if "/" not in (name := key.removeprefix(prefix)):
            bucket.fetch(key, folder / name)
    return make_material(settings, version, clips, folder)
