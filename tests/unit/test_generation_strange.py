"""Pictures of nothing, and sound that a model draws louder than any can be."""

import numpy as np
import pytest

from s2s.tasks.common.plain import is_plain
from s2s.tasks.generation.predictor.strange import turn_down

DICE = np.random.default_rng(0)


@pytest.mark.parametrize("colour", [(0, 0, 0), (0, 0, 255), (255, 255, 255), (12, 200, 40)])
def test_one_colour_is_plain_also_with_what_compression_leaves(colour: tuple[int, int, int]):
    frames = np.full((20, 32, 48, 3), colour, np.uint8)
    assert is_plain(frames)
    assert is_plain(np.clip(frames.astype(int) + DICE.integers(-3, 4, frames.shape), 0, 255))


def test_a_small_thing_on_one_colour_is_not_plain():
    frames = np.zeros((40, 32, 48, 3), np.uint8)
    frames[:, 10:14, 10:14] = 90
    assert not is_plain(frames)
    frames[:20] = 0  # and what comes later
    assert not is_plain(frames)


def test_a_picture_that_changes_its_one_colour_is_plain_too():
    """Nothing moves in it, and nothing is there."""
    frames = np.zeros((30, 8, 8, 3), np.uint8)
    frames[10:] = 200
    assert is_plain(frames)


def test_sound_with_a_loud_place_is_clipped_there_and_stays_as_it_is():
    samples = 0.5 * np.sin(np.arange(16_000) * 0.05).astype(np.float32)
    samples[100:300] *= 3
    heard, is_turned_down = turn_down(samples)
    assert not is_turned_down
    np.testing.assert_allclose(heard, np.clip(samples, -1, 1), atol=1e-6)
    assert heard.dtype == np.float32


@pytest.mark.parametrize("size", [1.5, 30.0, 1e9])
def test_sound_that_cannot_be_is_turned_down(size: float):
    shape = np.linspace(0, size, 16_000) * DICE.standard_normal(16_000)
    heard, is_turned_down = turn_down(shape.astype(np.float32))
    assert is_turned_down
    assert np.abs(heard).max() < 0.99
    assert np.sqrt(np.mean(np.square(heard))) == pytest.approx(0.1, rel=0.01)


def test_nothing_and_no_numbers_do_no_harm():
    assert turn_down(np.zeros(0, np.float32))[0].shape == (0,)
    heard, _ = turn_down(np.array([np.nan, np.inf, 0.5], np.float32))
    assert np.isfinite(heard).all()
    assert np.abs(heard).max() <= 1
