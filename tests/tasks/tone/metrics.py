"""Figures."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from s2s.tasks.contract import Example, Figure, Judge, Material, Predictor
from s2s.tasks.tone.data import loudness_of

__all__ = ["FIGURES", "make_judge"]


class ToneJudge(Judge):
    """Compares loudness with the real one."""

    def score(self, example: Example, answer: Any) -> float:
        """Mean absolute error in dB."""
        return float(np.abs(answer - loudness_of(example.stored)).mean())

    def row(self, score: float) -> Mapping[str, Any]:
        """The error."""
        return {"error_db": round(score, 3)}


def make_judge(material: Material, predictor: Predictor, *, thorough: bool) -> ToneJudge:
    """The judge of a model."""
    return ToneJudge()


def _mean(scores: Sequence[float]) -> float | None:
    return float(np.mean(scores)) if scores else None


FIGURES = (Figure("error_db", "error (dB)", _mean, after_training=True, finds_worst=True),)
