"""Networks that tell real sound from a vocoder's, each at one resolution of its spectrum.

After the multi-resolution discriminators of UnivNet (Jang et al. 2021) on complex spectra, as in
the Descript audio codec (Kumar et al. 2023).

Legend: B batch, N samples, C channels, T frames, F frequencies.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812
from torch.nn.utils.parametrizations import weight_norm

__all__ = ["Discriminators"]

_CHANNELS = 32
_SLOPE = 0.1


class Discriminators(nn.Module):
    """One for each resolution.

    Args:
        sizes: lengths of their analysis windows in samples.
    """

    def __init__(self, sizes: tuple[int, ...]) -> None:
        super().__init__()
        self.sizes = sizes
        self.parts = nn.ModuleList(Discriminator(size) for size in sizes)

    def __reduce__(self) -> Any:
        """For the processes of several devices: PyTorch hands normalised weights to none."""
        return _rebuilt, (self.sizes, self.state_dict())

    def forward(self, samples_BN: torch.Tensor) -> list[list[torch.Tensor]]:
        """The outputs of each discriminator's layers; the last one is its verdict."""
        return [part(samples_BN) for part in self.parts]


def _rebuilt(sizes: tuple[int, ...], state: Mapping[str, torch.Tensor]) -> Discriminators:
    found = Discriminators(sizes)
    found.load_state_dict(state)
    return found


class Discriminator(nn.Module):
    """Sees the real and imaginary parts of a spectrum, whatever its loudness.

    Args:
        size: length of its analysis window in samples.
    """

    window: torch.Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("window", torch.hann_window(size), persistent=False)
        shapes = [(2, (3, 9), (1, 1))] + 3 * [(_CHANNELS, (3, 9), (1, 2))]
        shapes.append((_CHANNELS, (3, 3), (1, 1)))
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(channels, _CHANNELS, kernel, stride, padding=(1, kernel[1] // 2)))
            for channels, kernel, stride in shapes
        )
        self.judge = weight_norm(nn.Conv2d(_CHANNELS, 1, (3, 3), padding=(1, 1)))

    def forward(self, samples_BN: torch.Tensor) -> list[torch.Tensor]:
        """Every layer's output (B, C, T, F), and the judgement (B, 1, T, F)."""
        loudest = samples_BN.abs().amax(dim=1, keepdim=True).clamp_min(1e-4)
        spectrum_BFT = torch.stft(
            0.8 * samples_BN / loudest,
            self.size,
            self.size // 4,
            window=self.window,
            return_complex=True,
        )
        hidden = torch.view_as_real(spectrum_BFT).permute(0, 3, 2, 1)
        outputs = []
        for layer in self.layers:
            hidden = F.leaky_relu(layer(hidden), _SLOPE)
            outputs.append(hidden)
        return [*outputs, self.judge(hidden)]
