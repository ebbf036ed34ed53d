"""How sure figures are, and differences between two systems; of no task in particular."""

from collections.abc import Sequence

import numpy as np
import pytest

from s2s.tasks.contract import Figure
from training.evaluation.intervals import Bootstrap, Value, difference


def mean(scores: Sequence[float | None]) -> float | None:
    told = [score for score in scores if score is not None]
    return float(np.mean(told)) if told else None


MEAN = Figure("mean", "mean", mean)


def value_of(scores: Sequence[float | None], n_sources: int, seed: int = 0) -> Value:
    sources = [f"source{n % n_sources}" for n in range(len(scores))]
    found = Bootstrap(sources, 200, seed).measure([MEAN], scores)["mean"]
    assert found is not None
    return found.interval()


def test_intervals_hold_the_value_and_grow_with_fewer_sources():
    scores = [float(n % 7) for n in range(120)]
    many, few = value_of(scores, 120), value_of(scores, 10)
    assert value_of(scores, 120) == many, "the same seed, the same interval"
    assert few.value == many.value
    for found in (many, few):
        assert found.low is not None
        assert found.high is not None
        assert found.low < found.value < found.high
    alike = [float(n % 10 % 3) for n in range(120)]  # clips of a source are all alike

    def width(found: Value) -> float:
        return (found.high or 0) - (found.low or 0)

    assert width(value_of(alike, 10)) > 2 * width(value_of(alike, 120))
    single = value_of([1.0] * 5, 1)
    assert (single.low, single.high) == (None, None)


def test_a_difference_is_of_pairs():
    rng = np.random.default_rng(1)
    hard = rng.normal(0, 10, 60)  # what is hard is hard for both
    sources = [f"source{n // 2}" for n in range(60)]
    bootstrap = Bootstrap(sources, 200, 0)
    worse, better = (
        bootstrap.measure([MEAN], scores)["mean"]
        for scores in (hard.tolist(), (hard + rng.normal(0.5, 0.1, 60)).tolist())
    )
    assert worse is not None
    assert better is not None
    apart = difference(better, worse)
    assert apart is not None
    assert apart.value == pytest.approx(0.5, abs=0.05)
    assert apart.side == 1
    assert difference(worse, better).side == -1  # pyright: ignore[reportOptionalMemberAccess]
    alone = worse.interval()
    assert alone.low is not None
    assert alone.low < better.value < (alone.high or 0), "apart from each other, none could tell"


def test_the_same_system_is_not_apart_from_itself():
    found = Bootstrap(["a", "b", "c"], 50, 0).measure([MEAN], [1.0, 2.0, 4.0])["mean"]
    assert difference(found, found) == Value(0.0, 0.0, 0.0)
    assert Value(0.0, 0.0, 0.0).side == 0


def test_samples_of_which_a_figure_says_nothing_are_left_out():
    found = value_of([None, None, 3.0, 5.0], 4)
    assert found.value == 4.0
    assert found.low is not None
    assert found.low >= 3
    assert Bootstrap(["a", "b"], 9, 0).measure([MEAN], [None, None]) == {"mean": None}
    assert difference(None, None) is None
