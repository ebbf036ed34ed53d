"""From stored frames to what networks take: bytes until the last moment, the same everywhere."""

import numpy as np
import pytest
import torch

from s2s.features.arrays import ClipMedia
from s2s.spec import TimeSpec
from s2s.tasks.classification.extractors.frames import read_jpegs
from s2s.tasks.classification.processor import ClipProcessor, ProcessorConfig, View

CONFIG = {"spec": TimeSpec(), "frame_rate_hz": 8, "height_px": 40, "width_px": 48, "sound": False}


@pytest.fixture(scope="module")
def processor() -> ClipProcessor:
    sizes = {"n_frames": 6, "crop_px": 32, "mean": (0.5, 0.4, 0.3), "std": (0.2, 0.3, 0.4)}
    return ClipProcessor(ProcessorConfig.model_validate(CONFIG | sizes))


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (4, 40, 48, 3), dtype=np.uint8)


def test_frames_are_bytes_and_a_short_clip_is_filled_up(
    processor: ClipProcessor, frames: np.ndarray
):
    seen, there = processor.frames(frames, View())
    assert seen.dtype == torch.uint8
    assert seen.shape == (6, 3, 32, 32)
    assert there.tolist() == [True] * 4 + [False] * 2
    assert not seen[4:].any()
    nothing, there = processor.frames(frames[:0], View())
    assert not nothing.any()
    assert not there.any()


def test_a_crop_of_the_right_size_is_what_is_stored(processor: ClipProcessor, frames: np.ndarray):
    seen, _ = processor.frames(frames, View(scale=0.8, across=0.25, down=1))
    expected = torch.from_numpy(frames[:, 8:40, 4:36]).permute(0, 3, 1, 2)
    assert torch.equal(seen[:4], expected)


def test_a_mirrored_view_is_the_view_mirrored(processor: ClipProcessor, frames: np.ndarray):
    seen, _ = processor.frames(frames, View(across=0.2))
    mirrored, _ = processor.frames(frames, View(across=0.2, is_flipped=True))
    assert torch.equal(mirrored, seen.flip(-1))


def test_networks_get_colours_without_mean_and_deviation(
    processor: ClipProcessor, frames: np.ndarray
):
    seen, there = processor.frames(frames, View())
    for given in (seen, seen.float()):  # two clips that are blended are no bytes
        before = given.clone()
        values = processor.normalised(given[None], there[None])[0]
        assert torch.equal(given, before)
        assert not values[4:].any()
        expected = (seen[:4] / 255 - torch.tensor([0.5, 0.4, 0.3])[:, None, None]) / torch.tensor(
            [0.2, 0.3, 0.4]
        )[:, None, None]
        assert torch.allclose(values[:4], expected, atol=1e-6)


def test_frames_are_served_as_they_are_stored(processor: ClipProcessor, frames: np.ndarray):
    assert processor.stored_frames(frames) is frames
    config = processor.config.model_copy(update={"frames": "jpeg", "jpeg_quality": 30})
    lossy = ClipProcessor(config)
    (extractor, *_) = lossy.extractors
    stored = extractor(ClipMedia(frames, np.empty(0, np.float32)))["frames"]
    assert np.array_equal(lossy.stored_frames(frames), read_jpegs(list(stored)))
    assert not np.array_equal(lossy.stored_frames(frames), frames)
    assert lossy.stored_frames(frames[:0]).shape == frames[:0].shape
