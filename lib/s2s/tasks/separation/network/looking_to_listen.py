"""The network of Ephrat et al. 2018, "Looking to Listen at the Cocktail Party" (arXiv 1804.03619).

What is theirs is in section 4 of the paper: a spectrogram of the mixture and a stream of each face
go through dilated convolutions of their own, are put side by side at the spectrogram's rate, and a
bidirectional LSTM and three dense layers make a complex mask for each speaker.

What is other here: a face's stream is that of its lips, not 1024 values of a face recognition
network; masks are left as they come out of the last layer, since the loss is on the masked
spectrogram: their sigmoid and its inverse would cancel. More faces than the network has streams are
taken in groups.

Legend: B batch, N samples, T frames, F frequencies, C channels, S faces, D lip values.
"""

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from s2s.tasks.separation.network.config import PaperShape, SeparatorConfig
from s2s.tasks.separation.network.spectrum import Spectrum, compressed

__all__ = ["LookingToListen"]

WINDOW_S = 0.025
"""Hann window, section 4.1; its hop of 10 ms is `Spectrum`'s."""
N_FFT = 512
"""Length of the transform, section 4.1: 257 frequencies at any rate."""
_SOUND_LAYERS = (
    ((1, 7), (1, 1)),
    ((7, 1), (1, 1)),
    *(((5, 5), (time, 1)) for time in (1, 2, 4, 8, 16, 32)),
    *(((5, 5), (both, both)) for both in (1, 2, 4, 8, 16, 32)),
)
"""Table 1: kernel and dilation, time first, of the layers before the last, which is 1 × 1."""
_LIP_LAYERS = ((7, 1), (5, 1), (5, 2), (5, 4), (5, 8), (5, 16))
"""Table 2: kernel and dilation over time."""
_DENSE_LAYERS = 3
"""Figure 3."""


class LookingToListen(nn.Module):
    """Finds every face's voice, of as many as it was made for.

    Args:
        config: its shape.

    Attributes:
        mean_D: mean of the training clips' lip streams, taken off.
        std_D: their standard deviation, divided by.
    """

    mean_D: torch.Tensor
    std_D: torch.Tensor

    def __init__(self, config: SeparatorConfig) -> None:
        super().__init__()
        shape = config.shape
        assert isinstance(shape, PaperShape)  # noqa: S101 - for the type checker
        self.config = config
        self.spectrum = Spectrum(config.sample_rate_hz, WINDOW_S, N_FFT)
        frequencies = self.spectrum.n_frequencies
        self.register_buffer("mean_D", torch.zeros(config.lips))
        self.register_buffer("std_D", torch.ones(config.lips))
        self.sound = _sound_layers(shape)
        self.lips = _lip_layers(config.lips, shape.lip_filters)
        merged = shape.sound_outputs * frequencies + config.speakers * shape.lip_filters
        self.fuse = nn.LSTM(merged, shape.lstm_units // 2, batch_first=True, bidirectional=True)
        widths = [shape.lstm_units, *[shape.dense_units] * _DENSE_LAYERS]
        self.dense = nn.Sequential(
            *(
                layer
                for n in range(_DENSE_LAYERS)
                for layer in (nn.Linear(widths[n], widths[n + 1]), nn.ReLU())
            )
        )
        self.masks = nn.Linear(shape.dense_units, config.speakers * 2 * frequencies)

    def set_scale(self, mean_D: torch.Tensor, std_D: torch.Tensor) -> None:
        """Note how the training clips' lip streams are spread."""
        self.mean_D.copy_(mean_D)
        self.std_D.copy_(std_D)

    def forward(
        self, mixture_BN: torch.Tensor, lips_BSTD: torch.Tensor, seen_BST: torch.Tensor
    ) -> torch.Tensor:
        """Voices of faces, (B, S, N), in their order.

        Args:
            mixture_BN: samples.
            lips_BSTD: every face's lip stream, over the same time.
            seen_BST: where each face was seen.
        """
        mixture_BTF = self.spectrum.analyse(mixture_BN)
        found_BSTF = self.masked(mixture_BTF, lips_BSTD, seen_BST)
        return self.spectrum.synthesise(found_BSTF, mixture_BN.shape[-1])

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Compile the layers but the LSTM: training asks for spectrograms, not for sound."""
        for part in (self.sound, self.lips, self.dense):
            part.compile(*args, **kwargs)

    def masked(
        self, mixture_BTF: torch.Tensor, lips_BSTD: torch.Tensor, seen_BST: torch.Tensor
    ) -> torch.Tensor:
        """Spectrograms of the faces' voices, complex (B, S, T, F)."""
        size = self.config.speakers
        heard_BTC = self._heard(mixture_BTF)
        masks = [
            self._masks(heard_BTC, lips, seen)[:, : lips.shape[1]]
            for lips, seen in zip(
                lips_BSTD.split(size, dim=1), seen_BST.split(size, dim=1), strict=True
            )
        ]
        return torch.cat(masks, dim=1) * mixture_BTF[:, None]

    def _heard(self, mixture_BTF: torch.Tensor) -> torch.Tensor:
        pairs_B2TF = compressed(mixture_BTF).permute(0, 3, 1, 2)
        return self.sound(pairs_B2TF).permute(0, 2, 1, 3).flatten(2)

    def _masks(
        self, heard_BTC: torch.Tensor, lips_BSTD: torch.Tensor, seen_BST: torch.Tensor
    ) -> torch.Tensor:
        """Complex masks (B, speakers, T, F); those of faces that are missing come last."""
        size, length = self.config.speakers, heard_BTC.shape[1]
        scaled = (lips_BSTD.float() - self.mean_D) / self.std_D * seen_BST[..., None]
        filled = F.pad(scaled, (0, 0, 0, 0, 0, size - scaled.shape[1]))
        looks = self.lips(filled.flatten(0, 1).transpose(1, 2))
        # Section 4.2: up to the spectrogram's rate by nearest neighbours.
        looks = F.interpolate(looks, length, mode="nearest").transpose(1, 2)
        looks_BTC = looks.unflatten(0, (-1, size)).transpose(1, 2).flatten(2)
        fused_BTC, _ = self.fuse(torch.cat([heard_BTC, looks_BTC], dim=-1))
        values = self.masks(self.dense(fused_BTC)).float().unflatten(-1, (size, 2, -1))
        return torch.complex(values[..., 0, :], values[..., 1, :]).transpose(1, 2)


def _sound_layers(shape: PaperShape) -> nn.Sequential:
    layers: list[nn.Module] = []
    before = 2
    for kernel, dilation in _SOUND_LAYERS:
        layers += _layer(nn.Conv2d, before, shape.sound_filters, kernel, dilation)
        before = shape.sound_filters
    layers += _layer(nn.Conv2d, before, shape.sound_outputs, (1, 1), (1, 1))
    return nn.Sequential(*layers)


def _lip_layers(lips: int, filters: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    before = lips
    for kernel, dilation in _LIP_LAYERS:
        layers += _layer(nn.Conv1d, before, filters, (kernel,), (dilation,))
        before = filters
    return nn.Sequential(*layers)


def _layer(
    kind: type[nn.Conv1d] | type[nn.Conv2d],
    before: int,
    after: int,
    kernel: tuple[int, ...],
    dilation: tuple[int, ...],
) -> list[nn.Module]:
    """A convolution with batch norm and ReLU, section 4.3; as long as its input."""
    norm = nn.BatchNorm2d if kind is nn.Conv2d else nn.BatchNorm1d
    padding = tuple(d * (k // 2) for k, d in zip(kernel, dilation, strict=True))
    convolution = kind(before, after, kernel, padding=padding, dilation=dilation)  # pyright: ignore[reportArgumentType]
    return [convolution, norm(after), nn.ReLU()]
