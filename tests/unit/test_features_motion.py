"""Weight-free features: what moves where and which way, and which colours there are."""

import numpy as np
import pytest

from s2s.features.arrays import ClipMedia
from s2s.spec import TimeSpec
from s2s.tasks.generation.extractors.colours import Colours
from s2s.tasks.generation.extractors.motion import FRAME_SIZE, Motion
from s2s.tasks.generation.processor import open_processor
from s2s.tasks.generation.settings import GenerationFeatureSettings

SETTINGS = GenerationFeatureSettings(motion_grid=4, colour_grid=2)
CELLS = 16


def pictures(*tops: int, colour: tuple[int, int, int] = (255, 255, 255)) -> np.ndarray:
    """A square of 16 pixels in a grey picture of 64, at a height for each frame."""
    frames = np.full((len(tops), 64, 64, 3), 40, np.uint8)
    for frame, top in zip(frames, tops, strict=True):
        frame[top : top + 16, 16:32] = colour
    return frames


def moved(frames: np.ndarray) -> np.ndarray:
    return Motion(TimeSpec(), SETTINGS)(ClipMedia(frames, np.zeros(1, np.float32)))["motion"]


def coloured(frames: np.ndarray) -> np.ndarray:
    return Colours(TimeSpec(), SETTINGS)(ClipMedia(frames, np.zeros(1, np.float32)))["appearance"]


def test_their_shapes_are_what_they_say():
    processor = open_processor(TimeSpec(), SETTINGS)
    assert processor.dims == {"motion": 2 * 16, "appearance": 6 * 4}
    assert processor.frame_size == FRAME_SIZE
    arrays = [spec for extractor in processor.extractors for spec in extractor.arrays]
    assert [(spec.name, spec.shape, spec.rate_hz) for spec in arrays] == [
        ("mel", (80,), 100),
        ("motion", (32,), 25),
        ("appearance", (24,), 25),
    ]
    assert moved(pictures(0, 0, 0)).shape == (3, 32)
    assert coloured(pictures(0, 0, 0)).shape == (3, 24)
    assert processor.of_frames(pictures(0, 0, 0)).shape == (3, 56)


def test_something_light_brightens_where_it_arrives_and_darkens_where_it_leaves():
    first, second = moved(pictures(0, 16))
    assert not first.any()
    brighter, darker = second[:CELLS].reshape(4, 4), second[CELLS:].reshape(4, 4)
    assert brighter[1, 1] > 1
    assert darker[0, 1] > 1
    assert np.count_nonzero(brighter) == np.count_nonzero(darker) == 1


def test_nothing_moves_in_noise_of_one_level():
    frames = pictures(0, 0, colour=(200, 90, 10))
    frames[1] += 1
    assert not moved(frames).any()


def test_a_small_thing_shows_its_colour_in_its_cell():
    plain = coloured(np.full((1, 64, 64, 3), 40, np.uint8))[0]
    red = coloured(pictures(0, colour=(255, 0, 0)))[0]
    changed = np.flatnonzero(np.abs(red - plain) > 0.1)
    assert set(changed % 4) == {0}


def test_values_stay_in_their_range():
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 2, (4, 64, 64, 3), dtype=np.uint8) * 255
    assert moved(frames).min() >= 0
    assert moved(frames).max() <= 4
    assert np.abs(coloured(frames)).max() <= 3


@pytest.mark.parametrize("size", [(64, 64), (48, 100), (7, 5), (360, 640)])
def test_any_size_of_picture_will_do(size: tuple[int, int]):
    frames = np.zeros((2, *size, 3), np.uint8)
    assert np.isfinite(open_processor(TimeSpec(), SETTINGS).of_frames(frames)).all()


def test_larger_pictures_are_seen_as_small_ones():
    small = pictures(0, 16)
    large = small.repeat(3, axis=1).repeat(3, axis=2)
    np.testing.assert_allclose(moved(large), moved(small), atol=1e-3)
    np.testing.assert_allclose(coloured(large), coloured(small), atol=1e-3)


def test_a_picture_is_looked_at_once():
    rows = open_processor(TimeSpec(), SETTINGS).of_picture(pictures(16)[0], 30)
    video = open_processor(TimeSpec(), SETTINGS).of_frames(pictures(*[16] * 30))
    np.testing.assert_allclose(rows, video, atol=1e-6)


def test_pictures_are_not_changed():
    frames = pictures(0, 16)
    frames.flags.writeable = False
    moved(frames)
    coloured(frames)
