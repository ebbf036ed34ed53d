"""Vocoders, from log-mel to sound: Griffin-Lim, which needs no weights, or a network.

Griffin and Lim 1984, "Signal Estimation from Modified Short-Time Fourier Transform".

Legend: M mel frames, B bands, F frequencies, N samples.
"""

from pathlib import Path
from typing import Protocol

import torch
from torchaudio.functional import griffinlim

from s2s.model_directory import load_weights, save_weights
from s2s.spec import TimeSpec
from s2s.tasks.common.mel import mel_filters
from s2s.tasks.generation.network.istft import IstftConfig, IstftNetwork, IstftVocoder

__all__ = ["VOCODER_FILE", "GriffinLim", "Vocoder", "load_vocoder", "save_vocoder"]

VOCODER_FILE = "vocoder.safetensors"

_PIECE_FRAMES = 3000
"""Longer sound is made in pieces, so that memory does not grow with it by much."""
_OVERLAP_FRAMES = 16
_MEL_ROUNDS = 30
"""From mel back to magnitudes; the bands are right to a few percent then."""
_SMALLEST = 1e-7


class Vocoder(Protocol):
    """Sound of a log-mel spectrogram (M, B) of any length: float32 (N,) with N = M * hop."""

    def __call__(self, mel_MB: torch.Tensor, /) -> torch.Tensor: ...  # noqa: D102 - see the class


class GriffinLim:
    """Finds phases that agree with a spectrogram.

    Args:
        spec: rates and bands.
        iterations: rounds between spectrogram and sound.
    """

    def __init__(self, spec: TimeSpec, iterations: int = 32) -> None:
        self.spec = spec
        self.iterations = iterations
        self._window = torch.hann_window(spec.n_fft)
        self._filters_FB = mel_filters(spec)
        self._inverse_BF = torch.linalg.pinv(self._filters_FB)

    def __call__(self, mel_MB: torch.Tensor) -> torch.Tensor:
        """Sound of a log-mel spectrogram.

        Args:
            mel_MB: log-mel, (M, B).

        Returns:
            float32 (N,) with N = M * hop.
        """
        hop = self.spec.hop
        samples_N = torch.zeros(len(mel_MB) * hop)
        for start in range(0, len(mel_MB), _PIECE_FRAMES):
            stop, begin = start + _PIECE_FRAMES, max(0, start - _OVERLAP_FRAMES)
            piece = self._solve(mel_MB[begin:stop])
            fade = torch.linspace(0, 1, (start - begin) * hop)
            piece[: len(fade)] *= fade
            samples_N[begin * hop : start * hop] *= 1 - fade
            samples_N[begin * hop : begin * hop + len(piece)] += piece
        return samples_N

    def _solve(self, mel_MB: torch.Tensor) -> torch.Tensor:
        magnitude_MF = self._magnitudes(mel_MB.float().exp())
        # One frame more than hops: the last samples lie under two windows like all others.
        magnitude_FM = torch.cat([magnitude_MF, magnitude_MF[-1:]]).T
        return griffinlim(
            magnitude_FM,
            window=self._window,
            n_fft=self.spec.n_fft,
            hop_length=self.spec.hop,
            win_length=self.spec.n_fft,
            power=1.0,
            n_iter=self.iterations,
            momentum=0.99,
            length=len(mel_MB) * self.spec.hop,
            rand_init=False,
        )

    def _magnitudes(self, bands_MB: torch.Tensor) -> torch.Tensor:
        """Magnitudes (M, F) that have these bands and are nowhere below zero.

        What the pseudoinverse has below zero cannot just be cut off: the bands would be others
        then. From there on it is Lee and Seung 2001, "Algorithms for Non-negative Matrix
        Factorization", equation 4, with the filters for one of the two factors.
        """
        magnitude_MF = (bands_MB @ self._inverse_BF).clamp_min(_SMALLEST)
        wanted_MF = bands_MB @ self._filters_FB.T
        for _ in range(_MEL_ROUNDS):
            reached_MF = magnitude_MF @ self._filters_FB @ self._filters_FB.T
            magnitude_MF *= wanted_MF / reached_MF.clamp_min(_SMALLEST**2)
        return magnitude_MF


def save_vocoder(folder: Path, network: IstftNetwork) -> Path:
    """Write a network's weights into a model directory."""
    return save_weights(folder / VOCODER_FILE, network)


def load_vocoder(folder: Path, config: IstftConfig) -> IstftVocoder:
    """Load the vocoder of a model directory.

    Args:
        folder: where its weights are.
        config: its shape.

    Raises:
        ModelError: if they are missing, damaged, or of another shape.
    """
    network = IstftNetwork(config)
    load_weights(folder / VOCODER_FILE, network)
    return IstftVocoder(network)
