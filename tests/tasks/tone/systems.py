"""The model beside a baseline."""

from collections.abc import Mapping

import numpy as np

from s2s.tasks.contract import MODEL, Material, Predictor, System
from s2s.tasks.tone.data import loudness_of, seen_of

__all__ = ["make_systems"]


def make_systems(
    material: Material, predictor: Predictor, *, thorough: bool
) -> Mapping[str, System]:
    """The model, and the mean loudness of the training clips."""
    usual = float(np.mean([loudness_of(clip).mean() for clip in material.clips["train"]]))
    loudness = predictor.loudness  # pyright: ignore[reportAttributeAccessIssue]
    return {
        MODEL: System("the model", lambda example: loudness(seen_of(example.stored))),
        "usual": System("the mean of training clips", lambda _: np.float32(usual)),
    }
