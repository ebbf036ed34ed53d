"""A clip's voice, and what its face shows of it."""

from collections.abc import Sequence
from pathlib import Path

from s2s.tasks.contract import Extractor
from s2s.tasks.separation.extractors.faces import MeshFaces, SimulatedFaces
from s2s.tasks.separation.extractors.followed import FaceTrack
from s2s.tasks.separation.extractors.lips import LIP_NAMES, LIPS, lip_movement
from s2s.tasks.separation.extractors.tracking import FaceTracker, track_faces
from s2s.tasks.separation.settings import SeparationRecipe

__all__ = [
    "LIPS",
    "LIP_NAMES",
    "FaceTrack",
    "FaceTracker",
    "lip_movement",
    "make_extractors",
    "track_faces",
]


def make_extractors(recipe: SeparationRecipe, weights: Path | None = None) -> Sequence[Extractor]:
    """The extractor that a recipe asks for; networks that it uses come with packages.

    Args:
        recipe: what is stored.
        weights: of networks that the recipe chooses; there are none.
    """
    del weights
    settings = recipe.feature_extraction
    if settings.faces == "simulated":
        return (SimulatedFaces(recipe.spec, settings),)
    return (MeshFaces(recipe.spec, settings),)
