"""Figures: what is said of a system over many clips, each with its interval.

Intervals are percentiles over bootstrap samples of sources, not of clips: clips of one source are
alike, and would make every figure look surer than it is (Efron and Tibshirani 1993, chapter 13).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from s2s.tasks.generation.metrics.onsets import OnsetScore
from s2s.tasks.generation.metrics.scores import ClipScore

__all__ = ["FIGURES", "Figure", "Row", "Value", "frechet_distance", "measure", "measured"]

LEVEL = 0.95
_SMALLEST = 1e-6

Scores = Sequence[ClipScore]


@dataclass(frozen=True)
class Figure:
    """One number that says how good a system is.

    Attributes:
        name: in files.
        of: computes it over clips; None where it cannot be said.
        is_more_better: whether a larger one is better.
    """

    name: str
    of: Callable[[Scores], float | None]
    is_more_better: bool = False


@dataclass(frozen=True)
class Row:
    """One clip's score, and the source that it is from."""

    source_id: str
    score: ClipScore


@dataclass(frozen=True)
class Value:
    """A figure's value, and the interval that it lies in at 95 %; none with a single source."""

    value: float
    low: float | None = None
    high: float | None = None


def frechet_distance(one_WE: np.ndarray, other_WE: np.ndarray) -> float | None:
    """Distance of two sets of embeddings, as if each were normally distributed.

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


def measured(scores: Scores, names: Iterable[str]) -> dict[str, float | None]:
    """Values of some figures, rounded, without intervals."""
    values = {name: FIGURES[name].of(scores) for name in names}
    return {name: None if value is None else round(value, 4) for name, value in values.items()}


def measure(rows: Sequence[Row], replicates: int, seed: int) -> dict[str, Value | None]:
    """Values of all figures over some clips, with intervals.

    Args:
        rows: a system's score on each clip.
        replicates: bootstrap samples.
        seed: of the samples.
    """
    by_source: dict[str, list[ClipScore]] = defaultdict(list)
    for row in rows:
        by_source[row.source_id].append(row.score)
    groups = list(by_source.values())
    rng = np.random.default_rng(seed)
    drawn = rng.integers(len(groups), size=(replicates if len(groups) > 1 else 0, len(groups)))
    samples = [[score for index in draw for score in groups[index]] for draw in drawn]
    scores = [row.score for row in rows]
    return {name: _value(figure, scores, samples) for name, figure in FIGURES.items()}


def _value(figure: Figure, scores: Scores, samples: Sequence[Scores]) -> Value | None:
    value = figure.of(scores)
    if value is None:
        return None
    replicates = [found for sample in samples if (found := figure.of(sample)) is not None]
    if not replicates:
        return Value(value)
    low, high = np.quantile(replicates, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Value(value, float(low), float(high))


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
    """Kullback-Leibler divergence of the classes heard from those heard in the real sound."""
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


_ALL = (
    Figure("onset_precision", _onsets(lambda s: s.onsets, lambda o: o.precision), True),
    Figure("onset_recall", _onsets(lambda s: s.onsets, lambda o: o.recall), True),
    Figure("onset_f1", _onsets(lambda s: s.onsets, lambda o: o.f1), True),
    Figure("onset_f1_100ms", _onsets(lambda s: s.loose_onsets, lambda o: o.f1), True),
    Figure("undelayed_f1", _onsets(lambda s: s.undelayed_onsets, lambda o: o.f1), True),
    Figure("sounding", _mean(lambda s: float(s.onsets.estimated > 0)), True),
    Figure("offset_s", _mean(lambda s: None if s.late_s is None else abs(s.late_s))),
    Figure("class_accuracy", _mean(lambda s: s.is_right), True),
    Figure("class_kl", _mean(_divergence)),
    Figure("frechet", _frechet),
    Figure("stft", _mean(lambda s: s.stft)),
    Figure("mel_l1", _mean(lambda s: s.mel_l1)),
    Figure("loudness_lu", _mean(lambda s: s.loudness_lu)),
    Figure("diversity", _mean(lambda s: s.diversity), True),
)
FIGURES = {figure.name: figure for figure in _ALL}
