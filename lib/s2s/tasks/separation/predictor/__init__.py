"""A trained separator loaded for use. Torch is imported by `load` only."""

from pathlib import Path

from s2s.media import MediaLimits
from s2s.tasks.contract import Predictor
from s2s.tasks.separation.predictor.offer import OFFER
from s2s.tasks.separation.predictor.proof import PROOF

__all__ = ["OFFER", "PROOF", "load"]


def load(folder: Path, limits: MediaLimits) -> Predictor:
    """Load a model directory; to be called in the thread that will use it.

    Raises:
        ModelError: if it does not hold a model that fits.
    """
    from s2s.tasks.separation.predictor.predictor import SeparationPredictor  # noqa: PLC0415

    return SeparationPredictor.load(folder, limits)
