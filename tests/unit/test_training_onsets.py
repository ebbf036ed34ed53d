"""Onsets: found where sound begins, and matched one to one."""

import numpy as np
import pytest

from s2s.tasks.generation.metrics.onsets import OnsetScore, find_onsets, score_onsets

RATE_HZ = 16_000


def hits(*at_s: float, seconds: float = 2.0) -> np.ndarray:
    """Decaying noise from each instant on, over a quiet room."""
    rng = np.random.default_rng(0)
    samples = rng.normal(0, 5e-4, round(seconds * RATE_HZ))
    for start in (round(instant * RATE_HZ) for instant in at_s):
        length = len(samples) - start
        decay = np.exp(-np.arange(length) / (0.03 * RATE_HZ))
        samples[start:] += 0.2 * rng.normal(size=length) * decay
    return samples.astype(np.float32)


def test_hits_are_found_where_they_are():
    instants = [0.2, 0.55, 1.1, 1.6]
    np.testing.assert_allclose(find_onsets(hits(*instants), RATE_HZ), instants, atol=0.02)


def test_a_cut_end_is_no_onset():
    tone = np.sin(2 * np.pi * 440 * np.arange(RATE_HZ) / RATE_HZ).astype(np.float32)
    assert len(find_onsets(tone, RATE_HZ)) == 0


def test_a_hiss_that_is_too_faint_to_be_heard_is_no_onset():
    instants = [0.2, 1.1]
    samples = hits(*instants)
    hiss = np.random.default_rng(1).normal(0, 3e-5, len(samples))
    hiss[round(0.7 * RATE_HZ) :] *= 4
    faint = np.where(np.abs(samples) < 0.003, 0, samples) + hiss

    np.testing.assert_allclose(find_onsets(faint.astype(np.float32), RATE_HZ), instants, atol=0.02)


def test_silence_has_no_onset():
    assert len(find_onsets(np.zeros(RATE_HZ, np.float32), RATE_HZ)) == 0


@pytest.mark.parametrize(
    ("estimated", "expected"),
    [
        ([0.1, 0.5], OnsetScore(2, 2, 2)),
        ([0.14, 0.46], OnsetScore(2, 2, 2)),
        ([0.16], OnsetScore(0, 2, 1)),
        ([0.09, 0.1, 0.11], OnsetScore(1, 2, 3)),
        ([], OnsetScore(0, 2, 0)),
    ],
)
def test_onsets_are_matched_once_within_the_tolerance(estimated: list[float], expected: OnsetScore):
    assert score_onsets(np.array([0.1, 0.5]), np.array(estimated)) == expected


def test_the_tolerance_is_a_choice():
    assert score_onsets(np.array([0.1]), np.array([0.18]), tolerance_s=0.1).matched == 1
    assert score_onsets(np.array([0.1]), np.array([0.18]), tolerance_s=0.05).matched == 0


def test_scores_add_up():
    total = OnsetScore(1, 2, 1) + OnsetScore(2, 2, 3)
    assert (total.precision, total.recall, total.f1) == (3 / 4, 3 / 4, 3 / 4)


def test_nothing_to_find_and_nothing_found_is_right():
    assert OnsetScore().f1 == 1.0
    assert OnsetScore(estimated=3).f1 == OnsetScore(reference=3).f1 == 0.0
