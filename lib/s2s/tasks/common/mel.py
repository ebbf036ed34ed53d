"""Log-mel spectrograms: the one definition that everything in the project uses.

Legend: N samples, M mel frames, B bands, F frequencies.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torchaudio.functional import melscale_fbanks

from s2s.features.arrays import ArraySpec, ClipMedia
from s2s.spec import TimeSpec

__all__ = ["FLOOR", "REGNET", "LogMel", "MelSpec", "MelSpectrogram", "mel_filters"]

FLOOR = 1e-5
"""Smallest mel magnitude; its logarithm, -11.5, is silence."""


@dataclass(frozen=True)
class MelSpec:
    """The definition of a mel spectrogram.

    Attributes:
        sample_rate_hz: samples a second.
        n_fft: length of the analysis window in samples.
        hop: samples from one frame to the next.
        n_mels: bands.
        fmin_hz: lowest frequency.
        fmax_hz: highest frequency; None for half the sample rate.
        pad_mode: what is assumed outside the sound, see `torch.nn.functional.pad`.
    """

    sample_rate_hz: int
    n_fft: int
    hop: int
    n_mels: int
    fmin_hz: float = 0.0
    fmax_hz: float | None = None
    pad_mode: str = "constant"

    @classmethod
    def of(cls, spec: TimeSpec) -> Self:
        """The project's own definition, on a time spec's grid; outside the sound is silence."""
        return cls(spec.sample_rate_hz, spec.n_fft, spec.hop, spec.n_mels)

    def filters(self) -> torch.Tensor:
        """Triangular filters after Slaney, each of area one.

        Returns:
            float32 (F, B), the same as `librosa.filters.mel` gives.
        """
        return melscale_fbanks(
            n_freqs=self.n_fft // 2 + 1,
            f_min=self.fmin_hz,
            f_max=self.sample_rate_hz / 2 if self.fmax_hz is None else self.fmax_hz,
            n_mels=self.n_mels,
            sample_rate=self.sample_rate_hz,
            norm="slaney",
            mel_scale="slaney",
        )


REGNET = MelSpec(22_050, 1024, 256, 80, 125.0, 7600.0, "reflect")
"""The setting of RegNet (Chen et al. 2020) and SpecVQGAN (Iashin and Rahtu 2021)."""


def mel_filters(spec: TimeSpec) -> torch.Tensor:
    """Filters of a time spec's mel, float32 (F, B)."""
    return MelSpec.of(spec).filters()


class MelSpectrogram:
    """Natural logarithm of the mel magnitude spectrogram of sound.

    Frame i is centred on sample `i * hop`.

    Args:
        spec: what it is.
    """

    def __init__(self, spec: MelSpec) -> None:
        self.spec = spec
        self._filters_FB = spec.filters()
        self._window = torch.hann_window(spec.n_fft)

    def __call__(self, samples_N: torch.Tensor) -> torch.Tensor:
        """Mel of sound.

        Args:
            samples_N: float32 (N,), or several of the same length in a batch before it.

        Returns:
            float32 (M, B) with M = N / hop, rounded down; the batch before it.
        """
        spectrum = torch.stft(
            samples_N,
            self.spec.n_fft,
            self.spec.hop,
            window=self._window.to(samples_N.device),
            pad_mode=self.spec.pad_mode,
            return_complex=True,
        )
        n_frames = samples_N.shape[-1] // self.spec.hop
        magnitude_MF = spectrum.abs().mT[..., :n_frames, :]
        filters_FB = self._filters_FB.to(samples_N.device)
        return (magnitude_MF @ filters_FB).clamp_min(FLOOR).log()


class LogMel:
    """Log-mel of a clip, on the grid of its time spec; outside the clip is silence.

    Args:
        spec: rates and bands.
        fps: pictures a second of clips; None for those of the time spec.
    """

    def __init__(self, spec: TimeSpec, fps: int | None = None) -> None:
        self.spec = spec
        self._fps = fps or spec.fps
        self.arrays = (ArraySpec(name="mel", shape=(spec.n_mels,), rate_hz=spec.mel_rate_hz),)
        self._spectrogram = MelSpectrogram(MelSpec.of(spec))

    def __call__(self, clip: ClipMedia) -> Mapping[str, np.ndarray]:
        """Mel of the clip's sound, as long as its pictures; missing sound is silence.

        Returns:
            `mel`: float32 (M, B); M is `mel_per_frame` times the number of pictures, where these
            are those of the time spec.
        """
        n_mel_frames = max(1, round(len(clip.frames_THWC) * self.spec.mel_rate_hz / self._fps))
        n_samples = n_mel_frames * self.spec.hop
        samples = np.zeros(n_samples, dtype=np.float32)
        given = clip.samples_N[:n_samples]
        samples[: len(given)] = given
        return {"mel": self.of_samples(torch.from_numpy(samples)).numpy()}

    def of_samples(self, samples_N: torch.Tensor) -> torch.Tensor:
        """Mel of sound, (N,) -> (M, B): see `MelSpectrogram`."""
        return self._spectrogram(samples_N)
