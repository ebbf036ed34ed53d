"""The figures of an evaluation of generation: each computed from the scores of many clips.

Legend: W windows, E values of an embedding, K classes.
"""

from collections.abc import Callable, Sequence

import numpy as np

from s2s.tasks.contract import Figure
from s2s.tasks.generation.metrics.onsets import OnsetScore
from s2s.tasks.generation.metrics.scores import ClipScore

__all__ = ["FIGURES", "frechet_distance"]

_SMALLEST = 1e-6

Scores = Sequence[ClipScore]


def frechet_distance(one_WE: np.ndarray, other_WE: np.ndarray) -> float | None:
    """Fréchet distance of two sets of embeddings, each taken as normally distributed.

    Heusel et al. 2017, "GANs Trained by a Two Time-Scale Update Rule", equation 6. None for sets of
    less than two.
    """
    if min(len(one_WE), len(other_WE)) < 2:
        return None
    means = one_WE.mean(axis=0) - other_WE.mean(axis=0)
    one_EE, other_EE = (np.cov(x.astype(np.float64), rowvar=False) for x in (one_WE, other_WE))
    root_EE = _root(one_EE)
    shared = np.sqrt(np.linalg.eigvalsh(root_EE @ other_EE @ root_EE).clip(0)).sum()
    return float(means @ means + np.trace(one_EE) + np.trace(other_EE) - 2 * shared)


def _root(matrix_EE: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix_EE)
    return vectors * np.sqrt(values.clip(0)) @ vectors.T


def _mean(of: Callable[[ClipScore], float | None]) -> Callable[[Scores], float | None]:
    def mean(scores: Scores) -> float | None:
        values = [value for score in scores if (value := of(score)) is not None]
        return float(np.mean(values)) if values else None

    return mean


def _onsets(
    of: Callable[[ClipScore], OnsetScore], say: Callable[[OnsetScore], float]
) -> Callable[[Scores], float]:
    return lambda scores: say(sum((of(score) for score in scores), OnsetScore()))


def _divergence(score: ClipScore) -> float | None:
    """Kullback-Leibler divergence of a sound's class probabilities from the real sound's."""
    if score.hearing is None or score.real_hearing is None:
        return None
    real_K, other_K = (
        np.maximum(heard.chances_K, _SMALLEST) for heard in (score.real_hearing, score.hearing)
    )
    return float((real_K * np.log(real_K / other_K)).sum())


def _frechet(scores: Scores) -> float | None:
    pairs = [(s.hearing, s.real_hearing) for s in scores if s.hearing and s.real_hearing]
    if not pairs:
        return None
    own, real = (
        np.concatenate([h.embeddings_WE for h in side]) for side in zip(*pairs, strict=True)
    )
    return frechet_distance(own, real)


FIGURES = (
    Figure(
        "onset_f1",
        "onset F1, 50 ms",
        _onsets(lambda s: s.onsets, lambda o: o.f1),
        more_is_better=True,
        after_training=True,
        finds_worst=True,
    ),
    Figure(
        "onset_precision",
        "onset precision",
        _onsets(lambda s: s.onsets, lambda o: o.precision),
        more_is_better=True,
        after_training=True,
    ),
    Figure(
        "onset_recall",
        "onset recall",
        _onsets(lambda s: s.onsets, lambda o: o.recall),
        more_is_better=True,
        after_training=True,
    ),
    Figure(
        "onset_f1_100ms",
        "onset F1, 100 ms",
        _onsets(lambda s: s.loose_onsets, lambda o: o.f1),
        more_is_better=True,
    ),
    Figure(
        "undelayed_f1",
        "onset F1, not shifted",
        _onsets(lambda s: s.undelayed_onsets, lambda o: o.f1),
        more_is_better=True,
    ),
    Figure(
        "clips_with_onsets",
        "clips with an onset",
        _mean(lambda s: float(s.onsets.estimated > 0)),
        more_is_better=True,
    ),
    Figure(
        "offset_s",
        "audio-visual offset, s",
        _mean(lambda s: None if s.late_s is None else abs(s.late_s)),
    ),
    Figure(
        "class_accuracy",
        "class heard right",
        _mean(lambda s: s.is_right),
        more_is_better=True,
        after_training=True,
    ),
    Figure("class_kl", "class KL", _mean(_divergence)),
    Figure("frechet", "Fréchet distance", _frechet),
    Figure("stft", "STFT distance", _mean(lambda s: s.stft)),
    Figure(
        "mel_l1",
        "mel distance",
        _mean(lambda s: s.mel_l1),
        after_training=True,
        finds_worst=True,
    ),
    Figure("loudness_lu", "loudness error, LU", _mean(lambda s: s.loudness_lu)),
    Figure("diversity", "between seeds, mel", _mean(lambda s: s.diversity), more_is_better=True),
)
