"""A trained model loaded for use: pictures in, sound out. Torch is imported by `load` only."""

from pathlib import Path

from s2s.media import MediaLimits
from s2s.tasks.contract import Predictor
from s2s.tasks.generation.predictor.offer import OFFER
from s2s.tasks.generation.predictor.proof import PROOF

__all__ = ["OFFER", "PROOF", "load"]


def load(folder: Path, limits: MediaLimits) -> Predictor:
    """Load a model directory; to be called in the thread that will use it.

    Raises:
        ModelError: if it does not hold a model that fits.
    """
    from s2s.tasks.generation.predictor.predictor import GenerationPredictor  # noqa: PLC0415 - torch

    return GenerationPredictor.load(folder, limits)
