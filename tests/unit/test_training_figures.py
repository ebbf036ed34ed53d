"""Figures over clips: what they come to, and how sure they are."""

from dataclasses import replace

import numpy as np
import pytest

from s2s.tasks.generation.metrics.classifier import Hearing
from s2s.tasks.generation.metrics.figures import FIGURES, frechet_distance
from s2s.tasks.generation.metrics.onsets import OnsetScore
from s2s.tasks.generation.metrics.scores import ClipScore
from s2s.tasks.generation.metrics.spectra import loudness_lufs, stft_distance
from s2s.tasks.generation.metrics.sync import MAX_SHIFT, SyncProbe

RATE_HZ = 16_000
BY_NAME = {figure.name: figure for figure in FIGURES}


def normal(mean: float, deviation: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, deviation, (4000, 3))


def tone(amplitude: float, seconds: float = 1.0) -> np.ndarray:
    times_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (amplitude * np.sin(2 * np.pi * 997 * times_s)).astype(np.float32)


def test_frechet_distance_of_normal_distributions_is_known():
    same = frechet_distance(normal(0, 1), normal(0, 1, seed=1))
    assert same == pytest.approx(0, abs=0.02)
    # Three dimensions: 3 (2 - 0)^2 for the means, 3 (3 - 1)^2 for the deviations.
    apart = frechet_distance(normal(0, 1), normal(2, 3, seed=1))
    assert apart == pytest.approx(24, rel=0.1)
    assert frechet_distance(normal(0, 1)[:1], normal(0, 1)) is None


def test_onsets_are_counted_over_all_clips():
    scores = [ClipScore(onsets=OnsetScore(1, 1, 1)), ClipScore(onsets=OnsetScore(0, 9, 0))]
    assert BY_NAME["onset_recall"].of(scores) == 0.1
    assert BY_NAME["onset_precision"].of(scores) == 1.0
    assert BY_NAME["clips_with_onsets"].of(scores) == 0.5


def test_what_cannot_be_said_is_none():
    for name in ("class_accuracy", "class_kl", "frechet", "offset_s", "diversity"):
        assert BY_NAME[name].of([ClipScore()]) is None


def test_divergence_is_from_what_is_heard_in_the_real_sound():
    def hearing(*chances: float) -> Hearing:
        return Hearing("a", np.array(chances), np.zeros((1, 2)))

    same = ClipScore(hearing=hearing(0.9, 0.1), real_hearing=hearing(0.9, 0.1))
    other = replace(same, hearing=hearing(0.1, 0.9))
    assert BY_NAME["class_kl"].of([same]) == pytest.approx(0)
    assert BY_NAME["class_kl"].of([other]) == pytest.approx(0.8 * np.log(9))


def test_loudness_is_the_standards():
    # ITU-R BS.1770: a tone of 997 Hz at full scale in one channel is -3.01 LUFS.
    assert loudness_lufs(tone(1.0, 3.0), RATE_HZ) == pytest.approx(-3.01, abs=0.1)
    assert loudness_lufs(tone(0.1, 3.0), RATE_HZ) == pytest.approx(-23.01, abs=0.1)
    assert loudness_lufs(np.zeros(RATE_HZ, np.float32), RATE_HZ) == -70
    assert -30 < loudness_lufs(tone(0.5, 0.2), RATE_HZ) < -6, "shorter than the standard's block"


def test_stft_distance_grows_with_what_differs():
    real = tone(0.3)
    softer, silence = tone(0.2), np.zeros_like(real)
    distances = [stft_distance(real, other, RATE_HZ) for other in (real, softer, silence)]
    assert distances[0] == 0
    assert distances[0] < distances[1] < distances[2]
    assert distances[2] > 1
    assert np.isfinite(stft_distance(silence, real, RATE_HZ))


def blinking(seed: int, late: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Something blinks, and sounds so many frames later."""
    rng = np.random.default_rng(seed)
    blinks = rng.random(200) < 0.15
    seen = blinks[:, None] + rng.normal(0, 0.1, (200, 4))
    heard = np.roll(blinks, late)[:, None] + rng.normal(0, 0.1, (200, 8))
    return seen, heard


def test_the_probe_hears_by_how_much_sound_is_late():
    probe = SyncProbe([blinking(seed) for seed in range(12)])
    offsets = [probe.offset(*blinking(99, late)) for late in (-7, 0, 5, MAX_SHIFT)]
    assert offsets == [-7, 0, 5, MAX_SHIFT]
    seen, heard = blinking(99)
    assert probe.offset(seen[:40], heard[:40]) is None
    with pytest.raises(ValueError, match="no clip of"):
        SyncProbe([(seen[:40], heard[:40])])
