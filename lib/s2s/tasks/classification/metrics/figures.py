"""Figures of classifications.

Legend: N clips, L classes.
"""

from collections.abc import Callable, Sequence

import numpy as np
from sklearn.metrics import average_precision_score

from s2s.tasks.classification.metrics.judge import ClassScore
from s2s.tasks.contract import Figure

__all__ = ["FIGURES", "calibration_error", "confusion_matrix", "mean_average_precision"]

_BINS = 15
"""Of the calibration error, as in Guo et al. 2017."""

_LEAST_CLASSES = 10
"""Of top-5: of fewer, five without any thought are right for more than half of the clips."""

Scores = Sequence[ClassScore]


def calibration_error(scores: Scores) -> float | None:
    """Expected calibration error: how far certainty and share of right answers are apart.

    It is that of the most probable class: its probability, and the share of clips that have it,
    whether clips have one class or several.

    Guo et al. 2017, "On Calibration of Modern Neural Networks", equation 3; 15 bins of one width.

    Returns:
        0..1, the mean over clips; None without clips.
    """
    if not scores:
        return None
    certain_N = np.array([score.chances_L.max() for score in scores])
    right_N = np.array([score.is_right for score in scores], float)
    bins_N = np.minimum((certain_N * _BINS).astype(int), _BINS - 1)
    gaps = [
        (bins_N == n).mean() * abs(certain_N[bins_N == n].mean() - right_N[bins_N == n].mean())
        for n in np.unique(bins_N)
    ]
    return float(np.sum(gaps))


def mean_average_precision(scores: Scores) -> float | None:
    """Mean over the classes that any of the clips has of the average precision.

    Returns:
        0..1; None where no class is both in some clips and not in others.
    """
    if not scores:
        return None
    chances_NL = np.stack([score.chances_L for score in scores])
    target_NL = np.stack([score.target_L for score in scores])
    is_told_L = target_NL.any(axis=0) & ~target_NL.all(axis=0)
    if not is_told_L.any():
        return None
    return float(average_precision_score(target_NL[:, is_told_L], chances_NL[:, is_told_L]))


def confusion_matrix(scores: Scores) -> np.ndarray:
    """Clips by their class (rows) and by what was said (columns): int (L, L).

    Of a clip with several classes the row is the one that was said, or else its first; one with
    none of them does not count.
    """
    size = len(scores[0].chances_L) if scores else 0
    counts_LL = np.zeros((size, size), int)
    for score in (one for one in scores if one.target_L.any()):
        counts_LL[score.pair] += 1
    return counts_LL


def _mean(of: Callable[[ClassScore], float]) -> Callable[[Scores], float | None]:
    return lambda scores: float(np.mean([of(score) for score in scores])) if scores else None


def _top5(scores: Scores) -> float | None:
    """The share of which a class is among the five most probable; None of few classes."""
    if not scores or len(scores[0].chances_L) < _LEAST_CLASSES:
        return None
    return float(np.mean([score.is_in_first(5) for score in scores]))


def _in_group(scores: Scores) -> float | None:
    """The share that is right where the model need only choose within a clip's group."""
    told = [share for score in scores if (share := score.share_in_group) is not None]
    return float(np.mean(told)) if told else None


def _class_mean(scores: Scores) -> float | None:
    """The mean over classes of the share of their clips in which they are found.

    No class counts more for being frequent. Every class of a clip counts, see `ClassScore.found`.
    """
    if not scores:
        return None
    totals_L = np.sum([score.target_L for score in scores], axis=0)
    found_L = np.sum([score.found for score in scores], axis=0)
    return float(np.mean(found_L[totals_L > 0] / totals_L[totals_L > 0])) if any(totals_L) else None


FIGURES = (
    Figure(
        "top1",
        "top-1",
        _mean(lambda score: score.is_right),
        True,
        True,
        finds_worst=True,
        is_paired=True,
    ),
    Figure("top5", "top-5", _top5, True, True),
    Figure("within_group", "within its group", _in_group, True),
    Figure("class_mean", "mean of classes", _class_mean, True),
    Figure("map", "mAP", mean_average_precision, True, True),
    Figure("nll", "negative log likelihood (nats)", _mean(lambda score: score.surprise)),
    Figure("ece", "calibration error", calibration_error),
)
"""What is measured; the page shows the confusion matrix as well."""
