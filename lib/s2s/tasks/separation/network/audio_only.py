"""Voices out of a mixture by sound alone: masks from dilated convolutions.

Conv-TasNet (Luo and Mesgarani 2019) on a spectrogram in the place of a learned basis, with complex
masks: at 8 kHz on a CPU it learns more in a minute.

Legend: B batch, N samples, T frames, F frequencies, C channels, K voices, S faces.
"""

from typing import Any

import torch
from torch import nn

from s2s.tasks.separation.network.blocks import make_blocks
from s2s.tasks.separation.network.config import BlockShape, SeparatorConfig
from s2s.tasks.separation.network.spectrum import Spectrum, features_of

__all__ = ["AudioOnly", "complex_masks", "level_of"]

MASK_LIMIT = 2.0
"""Real and imaginary parts of a mask lie within so much."""
_QUIET = 1e-4


class AudioOnly(nn.Module):
    """Finds `speakers` voices, in any order.

    Args:
        config: its shape.
    """

    def __init__(self, config: SeparatorConfig) -> None:
        super().__init__()
        shape = config.shape
        assert isinstance(shape, BlockShape)  # noqa: S101 - for the type checker
        self.config = config
        self.spectrum = Spectrum(config.sample_rate_hz, hop_s=shape.hop_s)
        frequencies = self.spectrum.n_frequencies
        self.listen = nn.Linear(3 * frequencies, shape.width)
        self.blocks = make_blocks(shape.width, shape.hidden, shape.sound_blocks)
        self.masks = nn.Linear(shape.width, config.speakers * 2 * frequencies)

    def forward(
        self, mixture_BN: torch.Tensor, lips_BSTD: torch.Tensor, seen_BST: torch.Tensor
    ) -> torch.Tensor:
        """Voices, (B, S, N), of as many as there are faces, the loudest first.

        Args:
            mixture_BN: samples.
            lips_BSTD: lip streams; only how many there are is looked at.
            seen_BST: nothing is done with it.
        """
        del seen_BST
        voices_BKN = self.voices(mixture_BN)
        order_BK = voices_BKN.square().sum(dim=-1).argsort(dim=1, descending=True)
        ordered = voices_BKN.take_along_dim(order_BK[..., None], dim=1)[:, : lips_BSTD.shape[1]]
        missing = lips_BSTD.shape[1] - ordered.shape[1]
        return nn.functional.pad(ordered, (0, 0, 0, max(0, missing)))

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Compile the blocks: training asks for all voices, in any order."""
        self.blocks.compile(*args, **kwargs)

    def voices(self, mixture_BN: torch.Tensor) -> torch.Tensor:
        """All voices that it finds, (B, K, N); some may be silent."""
        level = level_of(mixture_BN)
        mixture_BTF = self.spectrum.analyse(mixture_BN / level)
        masks_BKTF, _ = self.heard(mixture_BTF)
        found = self.spectrum.synthesise(masks_BKTF * mixture_BTF[:, None], mixture_BN.shape[-1])
        return found * level[:, None]

    def heard(self, mixture_BTF: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Masks of voices, complex (B, K, T, F), and what else was heard, (B, T, C)."""
        heard_BTC = self.blocks(self.listen(features_of(mixture_BTF)))
        masks = self.masks(heard_BTC).unflatten(-1, (self.config.speakers, -1))
        return complex_masks(masks.transpose(1, 2)), heard_BTC


def level_of(mixture_BN: torch.Tensor) -> torch.Tensor:
    """How loud mixtures are, (B, 1): networks are given them at one loudness."""
    return mixture_BN.float().square().mean(dim=-1, keepdim=True).sqrt() + _QUIET


def complex_masks(values: torch.Tensor) -> torch.Tensor:
    """Masks, complex (..., F), of real values (..., 2F), bounded by `MASK_LIMIT`."""
    bounded = MASK_LIMIT * torch.tanh(values.float() / MASK_LIMIT)
    return torch.complex(*bounded.chunk(2, dim=-1))
