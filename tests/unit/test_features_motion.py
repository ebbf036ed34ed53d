"""Motion features: what moves where and which way, and which colours there are."""

import numpy as np
import pytest

from s2s.features.extractor import ClipMedia
from s2s.features.motion import Motion
from s2s.settings import FeatureSettings
from s2s.spec import TimeSpec

SETTINGS = FeatureSettings(motion_grid=4, colour_grid=2)
CELLS = 16


def pictures(*tops: int, colour: tuple[int, int, int] = (255, 255, 255)) -> np.ndarray:
    """A square of 16 pixels in a grey picture of 64, at a height for each frame."""
    frames = np.full((len(tops), 64, 64, 3), 40, np.uint8)
    for frame, top in zip(frames, tops, strict=True):
        frame[top : top + 16, 16:32] = colour
    return frames


def features(frames: np.ndarray) -> np.ndarray:
    return Motion(TimeSpec(), SETTINGS)(ClipMedia(frames, np.zeros(1, np.float32)))


def test_its_shape_is_what_it_says():
    motion = Motion(TimeSpec(), SETTINGS)
    assert features(pictures(0, 0, 0)).shape == (3, motion.dim)
    assert motion.dim == 2 * 16 + 6 * 4
    assert motion.rate_hz == 25


def test_something_light_brightens_where_it_arrives_and_darkens_where_it_leaves():
    first, second = features(pictures(0, 16))
    assert not first[: 2 * CELLS].any()
    brighter, darker = second[:CELLS].reshape(4, 4), second[CELLS : 2 * CELLS].reshape(4, 4)
    assert brighter[1, 1] > 1
    assert darker[0, 1] > 1
    assert np.count_nonzero(brighter) == np.count_nonzero(darker) == 1


def test_nothing_moves_in_noise_of_one_level():
    frames = pictures(0, 0, colour=(200, 90, 10))
    frames[1] += 1
    assert not features(frames)[:, : 2 * CELLS].any()


def test_a_small_thing_shows_its_colour_in_its_cell():
    plain = features(np.full((1, 64, 64, 3), 40, np.uint8))[0, 2 * CELLS :]
    red = features(pictures(0, colour=(255, 0, 0)))[0, 2 * CELLS :]
    changed = np.flatnonzero(np.abs(red - plain) > 0.1)
    assert set(changed % 4) == {0}


def test_values_stay_in_their_range():
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 2, (4, 64, 64, 3), dtype=np.uint8) * 255
    values = features(frames)
    assert values[:, : 2 * CELLS].min() >= 0
    assert values[:, : 2 * CELLS].max() <= 4
    assert np.abs(values[:, 2 * CELLS :]).max() <= 3


@pytest.mark.parametrize("size", [(64, 64), (48, 100), (7, 5)])
def test_any_size_of_picture_will_do(size: tuple[int, int]):
    assert np.isfinite(features(np.zeros((2, *size, 3), np.uint8))).all()


def test_pictures_are_not_changed():
    frames = pictures(0, 16)
    frames.flags.writeable = False
    features(frames)
