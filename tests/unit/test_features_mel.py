"""Log-mel: the same as librosa's, on the grid of the spec."""

import librosa
import numpy as np
import pytest
import torch

from s2s.features.arrays import ClipMedia
from s2s.spec import TimeSpec
from s2s.tasks.common.mel import FLOOR, REGNET, LogMel, MelSpectrogram


def noise(n_samples: int) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, n_samples).astype(np.float32)


@pytest.mark.parametrize(
    "spec",
    [
        TimeSpec(),
        TimeSpec(sample_rate_hz=22_050, mel_per_frame=3),
        TimeSpec(sample_rate_hz=24_000, n_mels=100),
        TimeSpec(sample_rate_hz=44_100, n_mels=128),
    ],
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


def test_it_can_be_what_regnet_is_trained_on():
    samples = noise(22_050)
    magnitude_FM = np.abs(librosa.stft(samples, n_fft=1024, hop_length=256, pad_mode="reflect"))
    filters_BF = librosa.filters.mel(sr=22_050, n_fft=1024, n_mels=80, fmin=125, fmax=7600)
    expected = np.log(np.maximum(filters_BF @ magnitude_FM, FLOOR)).T
    ours = MelSpectrogram(REGNET)(torch.from_numpy(samples)).numpy()
    assert ours.shape == (22_050 // 256, 80)
    np.testing.assert_allclose(ours, expected[: len(ours)], atol=1e-3)


@pytest.mark.parametrize("n_samples", [1, 16_000, 16_400, 40_000])
def test_its_length_follows_from_the_pictures(n_samples: int):
    spec = TimeSpec()
    clip = ClipMedia(np.zeros((25, 4, 4, 3), np.uint8), noise(n_samples))
    assert LogMel(spec)(clip)["mel"].shape == (spec.mel_frames(25), spec.n_mels)


def test_missing_sound_is_silence():
    clip = ClipMedia(np.zeros((50, 4, 4, 3), np.uint8), noise(16_000))
    mel = LogMel(TimeSpec())(clip)["mel"]
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
    assert LogMel(spec)(clip)["mel"].shape == (1, spec.n_mels)
