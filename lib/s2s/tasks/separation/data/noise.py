"""Noise beside voices: from a folder of WAV files, or generated.

Legend: N samples, F frequencies.
"""

from functools import cached_property
from pathlib import Path

import numpy as np

from s2s.errors import MediaError, SettingsError
from s2s.media import read_audio

__all__ = ["NoiseSource"]

_SLOPES = (0.0, 2.0)
"""Power falls with frequency to this power: white to brown."""
_BEATS_HZ = (0.5, 6.0)
_BEAT_SHARE, _HUM_SHARE = 0.5, 0.3
_HUM_HZ = (50.0, 240.0)
_PARTIALS = 8


class NoiseSource:
    """Noise by a seed.

    Args:
        folder: of WAV files; None to generate it.
        sample_rate_hz: samples a second.
    """

    def __init__(self, folder: Path | None, sample_rate_hz: int) -> None:
        self._folder = folder
        self._rate_hz = sample_rate_hz

    def draw(self, seed: int, length: int) -> np.ndarray:
        """Noise with a root mean square of 1, float32 (N,); the same for the same seed."""
        rng = np.random.default_rng(seed)
        noise_N = self._generated(rng, length) if self._folder is None else self._cut(rng, length)
        level = float(np.sqrt(np.mean(noise_N * noise_N)))
        return (noise_N / max(level, 1e-6)).astype(np.float32)

    @cached_property
    def _recorded(self) -> list[np.ndarray]:
        """The folder's sounds; what cannot be read is an error, before anything is trained."""
        assert self._folder is not None  # noqa: S101 - see draw
        paths = sorted(self._folder.glob("*.wav"))
        if not paths:
            what = "has no .wav file"
            if not self._folder.is_dir():
                what = "is a file, and no folder" if self._folder.exists() else "is not there"
            raise SettingsError(
                f"training.mixing.noise_folder: {self._folder} {what}: put noises there, or leave "
                "the setting empty to have noise generated"
            )
        try:
            return [read_audio(path, self._rate_hz) for path in paths]
        except MediaError as error:
            raise SettingsError(
                f"training.mixing.noise_folder: {self._folder}: {error}: remove the file, or "
                "convert it to PCM"
            ) from error

    def check(self) -> None:
        """Read the folder, where there is one.

        Raises:
            SettingsError: if it has no sounds, or one cannot be read.
        """
        if self._folder is not None:
            _ = self._recorded

    def _cut(self, rng: np.random.Generator, length: int) -> np.ndarray:
        sound = self._recorded[int(rng.integers(len(self._recorded)))]
        start = int(rng.integers(max(0, len(sound) - length) + 1))
        return np.resize(sound[start:], length) if len(sound) else np.zeros(length)

    def _generated(self, rng: np.random.Generator, length: int) -> np.ndarray:
        """Coloured noise that may beat, with a hum now and then."""
        hz_F = np.fft.rfftfreq(length, 1 / self._rate_hz)
        slope = rng.uniform(*_SLOPES)
        shape_F = np.maximum(hz_F, 20.0) ** (-slope / 2)
        spectrum_F = shape_F * np.exp(2j * np.pi * rng.uniform(size=len(hz_F)))
        noise_N = np.fft.irfft(spectrum_F, length)
        noise_N /= max(float(noise_N.std()), 1e-9)
        time_N = np.arange(length) / self._rate_hz
        if rng.uniform() < _BEAT_SHARE:
            beat = np.sin(2 * np.pi * (rng.uniform(*_BEATS_HZ) * time_N + rng.uniform()))
            noise_N *= 0.3 + 0.7 * (0.5 + 0.5 * beat) ** 2
        if rng.uniform() < _HUM_SHARE:
            pitch_hz = rng.uniform(*_HUM_HZ)
            for n in range(1, _PARTIALS + 1):
                noise_N += np.sin(2 * np.pi * (n * pitch_hz * time_N + rng.uniform())) / n
        return noise_N
