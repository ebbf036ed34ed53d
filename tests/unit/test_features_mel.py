"""Log-mel: the same as librosa's, on the grid of the spec."""

import librosa
import numpy as np
import pytest
import torch

from s2s.features.extractor import ClipMedia
from s2s.features.mel import FLOOR, LogMel
from s2s.spec import TimeSpec


def noise(n_samples: int) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, n_samples).astype(np.float32)


@pytest.mark.parametrize(
    "spec", [TimeSpec(), TimeSpec(sample_rate_hz=44_100, fps=25, mel_per_frame=4, n_mels=128)]
)
def test_it_is_what_librosa_computes(spec: TimeSpec):
    samples = noise(spec.samples(20))
    expected = librosa.feature.melspectrogram(
        y=samples,
        sr=spec.sample_rate_hz,
        n_fft=spec.n_fft,
        hop_length=spec.hop,
        power=1.0,
        n_mels=spec.n_mels,
    )
    expected = np.log(np.maximum(expected, FLOOR))[:, : spec.mel_frames(20)].T
    ours = LogMel(spec).of_samples(torch.from_numpy(samples)).numpy()
    np.testing.assert_allclose(ours, expected, atol=1e-3)


@pytest.mark.parametrize("n_samples", [1, 16_000, 16_400, 40_000])
def test_its_length_follows_from_the_pictures(n_samples: int):
    spec = TimeSpec()
    clip = ClipMedia(np.zeros((25, 4, 4, 3), np.uint8), noise(n_samples))
    assert LogMel(spec)(clip).shape == (spec.mel_frames(25), spec.n_mels)


def test_missing_sound_is_silence():
    clip = ClipMedia(np.zeros((50, 4, 4, 3), np.uint8), noise(16_000))
    mel = LogMel(TimeSpec())(clip)
    assert mel[:90].min() > np.log(FLOOR)
    np.testing.assert_allclose(mel[110:], np.log(FLOOR))


def test_a_click_is_in_the_frame_of_its_instant():
    spec = TimeSpec()
    samples = np.zeros(spec.samples(25), np.float32)
    samples[60 * spec.hop] = 1.0
    level = LogMel(spec).of_samples(torch.from_numpy(samples)).mean(dim=1)
    assert int(level.argmax()) == 60


def test_the_shortest_clip_has_a_mel():
    spec = TimeSpec(fps=50, mel_per_frame=1)
    clip = ClipMedia(np.zeros((1, 4, 4, 3), np.uint8), noise(10))
    assert LogMel(spec)(clip).shape == (1, spec.n_mels)
