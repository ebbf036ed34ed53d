"""Distances between two sounds: of their spectra and of their loudness.

Legend: N samples, M mel frames, F bands.
"""

import numpy as np
import pyloudnorm
import torch

__all__ = ["loudness_lufs", "mel_distance", "stft_distance"]

_RESOLUTIONS_S = (0.01, 0.025, 0.06)
"""Lengths of the analysis windows; those of Yamamoto et al. 2020, table 1, on any sample rate."""
_FLOOR = 1e-5
_BLOCK_S = 0.4
_QUIETEST_LUFS = -70.0


def mel_distance(one_MF: np.ndarray, other_MF: np.ndarray) -> float:
    """Mean absolute difference of two log-mel spectrograms of the same length, in nepers."""
    return float(np.abs(one_MF - other_MF).mean())


def stft_distance(real_N: np.ndarray, other_N: np.ndarray, sample_rate_hz: int) -> float:
    """Multi-resolution STFT distance: spectral convergence and log magnitude, averaged.

    Yamamoto et al. 2020, "Parallel WaveGAN", equations 3 to 6.

    Args:
        real_N: the sound to compare with, float32.
        other_N: another one of the same length.
        sample_rate_hz: of both.

    Returns:
        0 for the same sound; silence instead of a sound gives 1 and more.
    """
    distances = []
    for seconds in _RESOLUTIONS_S:
        size = 1 << round(seconds * sample_rate_hz - 1).bit_length()
        real, other = _magnitudes(real_N, size), _magnitudes(other_N, size)
        apart = torch.linalg.norm(real - other) / torch.linalg.norm(real)
        distances.append(apart + (real.log() - other.log()).abs().mean())
    return float(torch.stack(distances).mean())


def loudness_lufs(samples_N: np.ndarray, sample_rate_hz: int) -> float:
    """Integrated loudness after ITU-R BS.1770-4; what is below its gate counts as -70."""
    # The standard's block is 0.4 s: what is shorter is measured as though silence followed.
    missing = max(0, round(_BLOCK_S * sample_rate_hz) - len(samples_N))
    samples = np.pad(samples_N, (0, missing)).astype(np.float64)
    if not samples.any():
        return _QUIETEST_LUFS
    loudness = pyloudnorm.Meter(sample_rate_hz).integrated_loudness(samples)
    return max(_QUIETEST_LUFS, float(loudness))


def _magnitudes(samples_N: np.ndarray, size: int) -> torch.Tensor:
    spectrum = torch.stft(
        torch.from_numpy(samples_N).float(),
        size,
        size // 4,
        window=torch.hann_window(size),
        pad_mode="constant",
        return_complex=True,
    )
    return spectrum.abs().clamp_min(_FLOOR)
