"""Confidence intervals of figures, and of differences between two systems.

Intervals are percentiles over bootstrap samples of sources, not of clips: clips of one source are
alike, and would make every figure look surer than it is (Efron and Tibshirani 1993, "An
Introduction to the Bootstrap", chapter 13). All systems are measured on the same samples, so that
differences between two are of pairs: what is hard for both does not blur them.

Legend: R samples.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from s2s.tasks.contract import Figure

__all__ = ["Bootstrap", "Sampled", "Value", "difference"]

LEVEL = 0.95


@dataclass(frozen=True)
class Value:
    """A figure's value, and the interval that it lies in at 95 %; none with a single source."""

    value: float
    low: float | None = None
    high: float | None = None

    @property
    def side(self) -> int:
        """1 where all of the interval is above zero, -1 where all of it is below, else 0."""
        if self.low is None or self.high is None:
            return 0
        return int(self.low > 0) - int(self.high < 0)


@dataclass(frozen=True)
class Sampled:
    """A figure's value over all clips and over every bootstrap sample.

    Attributes:
        value: over all clips.
        samples_R: over each bootstrap sample, NaN where it does not tell; empty with one source.
    """

    value: float
    samples_R: np.ndarray

    def interval(self) -> Value:
        """The value with its interval."""
        return _interval(self.value, self.samples_R)


class Bootstrap:
    """Samples of sources, the same for every figure and system.

    Args:
        sources: the source of each clip.
        count: samples.
        seed: of the samples.
    """

    def __init__(self, sources: Sequence[str], count: int, seed: int) -> None:
        by_source: dict[str, list[int]] = defaultdict(list)
        for place, source in enumerate(sources):
            by_source[source].append(place)
        clips = list(by_source.values())
        rng = np.random.default_rng(seed)
        drawn = rng.integers(len(clips), size=(count if len(clips) > 1 else 0, len(clips)))
        self._samples = [[place for source in draw for place in clips[source]] for draw in drawn]

    def measure(
        self, figures: Sequence[Figure], scores: Sequence[Any]
    ) -> Mapping[str, Sampled | None]:
        """Compute a system's figures, by name.

        Args:
            figures: what to compute.
            scores: of each clip, in the order of the sources.
        """
        samples = [[scores[place] for place in sample] for sample in self._samples]
        return {figure.name: _sampled(figure, scores, samples) for figure in figures}


def difference(one: Sampled | None, other: Sampled | None) -> Value | None:
    """The first system's figure less the second's; None where either has no value."""
    if one is None or other is None:
        return None
    return _interval(one.value - other.value, one.samples_R - other.samples_R)


def _sampled(
    figure: Figure, scores: Sequence[Any], samples: Sequence[Sequence[Any]]
) -> Sampled | None:
    value = figure.of(scores)
    if value is None:
        return None
    found = [figure.of(sample) for sample in samples]
    return Sampled(value, np.array([np.nan if one is None else one for one in found], np.float64))


def _interval(value: float, samples_R: np.ndarray) -> Value:
    told = samples_R[~np.isnan(samples_R)]
    if not len(told):
        return Value(value)
    low, high = np.quantile(told, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Value(value, float(low), float(high))
