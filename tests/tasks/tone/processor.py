"""From media to what is seen and learned; the same in feature extraction and serving."""

from pathlib import Path

import numpy as np

from s2s.features.arrays import ClipMedia
from s2s.settings import Recipe
from s2s.tasks.tone.extractors import Loudness, Movement
from s2s.tasks.tone.settings import TaskRecipe

__all__ = ["ToneProcessor", "make_processor"]


class ToneProcessor:
    """Movement and loudness on one grid of time."""

    def __init__(self, fps: int, sample_rate_hz: int, side_px: int) -> None:
        self.fps = fps
        self.sample_rate_hz = sample_rate_hz
        self.frame_size = (side_px, side_px)
        self.movement = Movement(fps)
        self.extractors = (self.movement, Loudness(fps, sample_rate_hz))

    def seen(self, frames_THWC: np.ndarray) -> np.ndarray:
        """What the network is shown of frames: float32 (T, 3)."""
        found = self.movement(ClipMedia(frames_THWC, np.zeros(0, np.float32)))["movement"]
        return np.asarray(found, np.float32) / 255


def make_processor(recipe: Recipe, _weights: Path | None) -> ToneProcessor:
    """The processor that a recipe asks for."""
    assert isinstance(recipe, TaskRecipe)
    spec = recipe.spec
    return ToneProcessor(spec.fps, spec.sample_rate_hz, recipe.feature_extraction.side_px)
