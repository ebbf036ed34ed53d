"""A trained model loaded for use: pictures in, sound out. Torch is imported by `load` only."""

from pathlib import Path
from typing import Any

from s2s.media import MediaLimits

__all__ = ["load"]


def load(folder: Path, _limits: MediaLimits) -> Any:
    """Load a model directory; to be called in the thread that will use it.

    Raises:
        ModelError: if it does not hold a model that fits.
    """
    from s2s.tasks.generation.predictor.predictor import GenerationPredictor  # noqa: PLC0415 - torch

    return GenerationPredictor.load(folder)
