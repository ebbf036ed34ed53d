"""A trained classifier loaded for use. Torch is imported by `load` only."""

from pathlib import Path

from s2s.media import MediaLimits
from s2s.tasks.classification.predictor.offer import OFFER
from s2s.tasks.contract import Predictor

__all__ = ["OFFER", "load"]


def load(folder: Path, limits: MediaLimits) -> Predictor:
    """Load a model directory; to be called in the thread that will use it.

    Raises:
        ModelError: if it does not hold a model that fits.
    """
    from s2s.tasks.classification.predictor.predictor import (  # noqa: PLC0415 - torch
        ClassificationPredictor,
    )

    return ClassificationPredictor.load(folder, limits)
