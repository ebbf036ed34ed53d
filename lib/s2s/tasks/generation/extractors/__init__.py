"""Feature extractors: one stream of motion and one of appearance."""

from pathlib import Path

from s2s.storage import Bucket
from s2s.tasks.generation.settings import GenerationRecipe

__all__ = ["fetch_weights"]


def fetch_weights(
    recipe: GenerationRecipe, path: Path, recipe_folder: Path, bucket: Bucket
) -> None:
    """Write the weights of a recipe's extractors to one file; see `extractors.weights`."""
    from s2s.tasks.generation.extractors import weights  # noqa: PLC0415 - imports timm, torchvision

    weights.fetch_weights(recipe.feature_extraction, path, recipe_folder, bucket)
