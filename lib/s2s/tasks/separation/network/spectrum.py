"""From samples to a spectrogram and back.

Legend: B any leading axes, N samples, T frames, F frequencies.
"""

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

__all__ = ["Spectrum", "at_rate", "compressed", "features_of"]

COMPRESSION = 0.3
"""Power that magnitudes are raised to (Ephrat et al. 2018, section 4.1)."""
_FLOOR = 1e-6


class Spectrum(nn.Module):
    """The short-time Fourier transform.

    Args:
        sample_rate_hz: of the sound.
        window_s: length of the Hann window.
        n_fft: length of the transform; by default that of the window, and a power of two.
        hop_s: from one frame to the next; 10 ms as in Ephrat et al. 2018, section 4.1.
    """

    window: torch.Tensor

    def __init__(
        self,
        sample_rate_hz: int,
        window_s: float = 0.032,
        n_fft: int | None = None,
        hop_s: float = 0.01,
    ) -> None:
        super().__init__()
        self.hop = int(sample_rate_hz * hop_s + 1e-6)
        length = round(window_s * sample_rate_hz)
        self.n_fft = n_fft or 1 << (length - 1).bit_length()
        self.length = min(length, self.n_fft)
        self.register_buffer("window", torch.hann_window(self.length), persistent=False)

    @property
    def n_frequencies(self) -> int:
        """Frequencies of a frame."""
        return self.n_fft // 2 + 1

    def analyse(self, samples_BN: torch.Tensor) -> torch.Tensor:
        """The spectrogram of some sounds, complex (B, T, F), with T = N // hop + 1."""
        flat = samples_BN.reshape(-1, samples_BN.shape[-1]).float()
        spectrum = torch.stft(
            flat,
            self.n_fft,
            self.hop,
            self.length,
            self.window,
            pad_mode="constant",
            return_complex=True,
        )
        return spectrum.transpose(1, 2).reshape(*samples_BN.shape[:-1], -1, self.n_frequencies)

    def synthesise(self, spectrum_BTF: torch.Tensor, n_samples: int) -> torch.Tensor:
        """Samples, (B, N), of complex spectrograms."""
        flat = spectrum_BTF.reshape(-1, *spectrum_BTF.shape[-2:]).transpose(1, 2)
        samples = torch.istft(
            flat, self.n_fft, self.hop, self.length, self.window, length=n_samples
        )
        return samples.reshape(*spectrum_BTF.shape[:-2], n_samples)


def compressed(spectrum_BTF: torch.Tensor) -> torch.Tensor:
    """A complex spectrogram whose magnitudes are raised to the power 0.3, as pairs (B, T, F, 2)."""
    pairs = torch.view_as_real(spectrum_BTF)
    power = pairs.square().sum(dim=-1, keepdim=True) + _FLOOR**2
    return pairs * power.pow((COMPRESSION - 1) / 2)


def features_of(spectrum_BTF: torch.Tensor) -> torch.Tensor:
    """What a network is told of a spectrogram, (B, T, 3F): compressed pairs and log magnitudes."""
    power = torch.view_as_real(spectrum_BTF).square().sum(dim=-1)
    loudness = 0.1 * torch.log(power + _FLOOR)
    return torch.cat([compressed(spectrum_BTF).flatten(-2), loudness], dim=-1)


def at_rate(values_BTC: torch.Tensor, length: int) -> torch.Tensor:
    """A stream at another rate, (B, length, C), by linear interpolation."""
    if values_BTC.shape[1] == length:
        return values_BTC
    moved = F.interpolate(values_BTC.transpose(1, 2), length, mode="linear")
    return moved.transpose(1, 2)
