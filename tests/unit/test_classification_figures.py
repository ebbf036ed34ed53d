"""Figures of classifications, held to hand-made answers and to scikit-learn's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import top_k_accuracy_score

from s2s.tasks.classification.metrics import FIGURES
from s2s.tasks.classification.metrics.figures import (
    calibration_error,
    confusion_matrix,
    mean_average_precision,
)
from s2s.tasks.classification.metrics.judge import ClassScore

BY_NAME = {figure.name: figure for figure in FIGURES}


def score(chances: list[float], *classes: int) -> ClassScore:
    target = np.zeros(len(chances), bool)
    target[list(classes)] = True
    return ClassScore(np.array(chances), target)


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 10**6)), min_size=12, max_size=40))
def test_top1_and_top5_agree_with_scikit_learn(clips: list[tuple[int, int]]):
    chances = [np.random.default_rng(seed).dirichlet(np.ones(7)) for _, seed in clips]
    true = [label for label, _ in clips]
    scores = [score(list(said), label) for said, label in zip(chances, true, strict=True)]

    for count in (1, 5):
        wanted = top_k_accuracy_score(true, np.stack(chances), k=count, labels=range(7))
        assert BY_NAME[f"top{count}"].of(scores) == pytest.approx(wanted)


def test_calibration_is_perfect_where_certainty_is_the_share_that_is_right():
    right, wrong = score([0.75, 0.25], 0), score([0.75, 0.25], 1)
    assert calibration_error([right, right, right, wrong]) == pytest.approx(0)
    assert calibration_error([wrong] * 4) == pytest.approx(0.75)


def test_the_mean_of_classes_does_not_count_frequent_ones_more():
    scores = [score([0.9, 0.1], 0)] * 9 + [score([0.9, 0.1], 1)]
    assert BY_NAME["top1"].of(scores) == pytest.approx(0.9)
    assert BY_NAME["class_mean"].of(scores) == pytest.approx(0.5)
    assert confusion_matrix(scores).tolist() == [[9, 0], [1, 0]]


def test_average_precision_of_several_labels():
    scores = [score([0.9, 0.8, 0.1], 0, 1), score([0.2, 0.7, 0.1], 1), score([0.6, 0.1, 0.1], 0)]
    assert mean_average_precision(scores) == pytest.approx(1.0)
    assert mean_average_precision([]) is None


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.name)
def test_no_clips_give_no_figure(figure):
    assert figure.of([]) is None
