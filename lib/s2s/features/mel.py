"""Log-mel spectrograms: the one definition that everything in the project uses.

Legend: N samples, M mel frames, B bands, F frequencies.
"""

import numpy as np
import torch
from torchaudio.functional import melscale_fbanks

from s2s.features.extractor import ClipMedia
from s2s.spec import TimeSpec

__all__ = ["FLOOR", "LogMel", "mel_filters"]

FLOOR = 1e-5
"""Smallest mel magnitude; its logarithm, -11.5, is silence."""


def mel_filters(spec: TimeSpec) -> torch.Tensor:
    """Triangular filters after Slaney, each of area one, from 0 to half the sample rate.

    Returns:
        float32 (F, B), the same as `librosa.filters.mel` gives.
    """
    return melscale_fbanks(
        n_freqs=spec.n_fft // 2 + 1,
        f_min=0.0,
        f_max=spec.sample_rate_hz / 2,
        n_mels=spec.n_mels,
        sample_rate=spec.sample_rate_hz,
        norm="slaney",
        mel_scale="slaney",
    )


class LogMel:
    """Natural logarithm of the mel magnitude spectrogram.

    Mel frame i is centred on sample `i * hop`; outside the clip is silence.

    Args:
        spec: rates and bands.
    """

    name = "mel"

    def __init__(self, spec: TimeSpec) -> None:
        self.spec = spec
        self._filters_FB = mel_filters(spec)
        self._window = torch.hann_window(spec.n_fft)

    @property
    def dim(self) -> int:
        """Bands."""
        return self.spec.n_mels

    @property
    def rate_hz(self) -> int:
        """Mel frames a second."""
        return self.spec.mel_rate_hz

    def __call__(self, clip: ClipMedia) -> np.ndarray:
        """Mel of the clip's sound, as long as its pictures; missing sound is silence.

        Returns:
            float32 (M, B) with M = `mel_per_frame` times the number of pictures.
        """
        n_samples = self.spec.samples(len(clip.frames_THWC))
        samples = np.zeros(n_samples, dtype=np.float32)
        given = clip.samples_N[:n_samples]
        samples[: len(given)] = given
        return self.of_samples(torch.from_numpy(samples)).numpy()

    def of_samples(self, samples_N: torch.Tensor) -> torch.Tensor:
        """Mel of sound.

        Args:
            samples_N: float32 (N,).

        Returns:
            float32 (M, B) with M = N / hop, rounded down.
        """
        spectrum = torch.stft(
            samples_N,
            self.spec.n_fft,
            self.spec.hop,
            window=self._window,
            pad_mode="constant",
            return_complex=True,
        )
        n_frames = len(samples_N) // self.spec.hop
        magnitude_MF = spectrum.abs().T[:n_frames]
        return (magnitude_MF @ self._filters_FB).clamp_min(FLOOR).log()
