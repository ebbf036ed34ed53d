"""From media to what a separator is given: the same in feature extraction and serving.

Legend: T pictures, N samples.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from s2s.spec import TimeSpec
from s2s.tasks.contract import Extractor
from s2s.tasks.separation.extractors import LIPS, make_extractors
from s2s.tasks.separation.settings import SeparationRecipe

__all__ = ["FaceProcessor", "ProcessorConfig", "make_processor"]


class ProcessorConfig(BaseModel):
    """How media become a network's input; saved with the model.

    Attributes:
        spec: the time grid.
        faces: where lip streams are from: `mesh`, or `simulated`. Whatever a model was trained on,
            a video's faces are followed by the mesh.
        max_gap_s: a face that is not found for longer is gone.
        lips: values of a lip stream at an instant.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    spec: TimeSpec
    faces: Literal["mesh", "simulated"]
    max_gap_s: float = Field(ge=0)
    lips: int = Field(default=LIPS, ge=1)

    @classmethod
    def of(cls, recipe: SeparationRecipe) -> Self:
        """What a recipe asks for."""
        stored = recipe.feature_extraction
        return cls(spec=recipe.spec, faces=stored.faces, max_gap_s=stored.max_gap_s)


class FaceProcessor:
    """From a clip's pictures and sound to a lip stream and a voice.

    Args:
        recipe: what it asks for.
        weights: of networks that its extractors use; None where they have none.
    """

    frame_size = None
    """Faces are looked for in pictures as they are stored."""

    def __init__(self, recipe: SeparationRecipe, weights: Path | None) -> None:
        self.sample_rate_hz = recipe.spec.sample_rate_hz
        self.fps = None if recipe.feature_extraction.faces == "simulated" else recipe.spec.fps
        self.extractors: Sequence[Extractor] = tuple(make_extractors(recipe, weights))


def make_processor(recipe: SeparationRecipe, weights: Path | None) -> FaceProcessor:
    """The processor that a recipe asks for."""
    return FaceProcessor(recipe, weights)
