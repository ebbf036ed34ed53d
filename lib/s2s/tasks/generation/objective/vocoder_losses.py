"""The losses of a vocoder: distances between generated and real sound.

Legend: B batch, N samples, F frequencies, T frames of a spectrum.
"""

from collections.abc import Sequence

import torch
from torch.nn import functional as F  # noqa: N812

from s2s.spec import TimeSpec
from s2s.tasks.common.mel import LogMel

__all__ = ["SpectralLoss", "discriminator_loss", "generator_loss"]

_FLOOR = 1e-5
"""As that of the mel: whatever is below is silence."""
_SILENT = 1e-3
_FEATURE_WEIGHT = 2.0

Judgement = Sequence[Sequence[torch.Tensor]]
"""Outputs of discriminators, see `vocoder_discriminators`."""


class SpectralLoss:
    """Differences of spectra at several resolutions, and of log-mel.

    Yamamoto et al. 2020, "Parallel WaveGAN", equations 5 to 8: spectral convergence and the mean
    difference of log magnitudes. All that a vocoder is given is the mel, so it is compared too.

    Args:
        spec: rates and bands.
    """

    def __init__(self, spec: TimeSpec) -> None:
        self.sizes = (spec.n_fft // 4, spec.n_fft, 2 * spec.n_fft)
        self._log_mel = LogMel(spec)

    def __call__(self, made_BN: torch.Tensor, real_BN: torch.Tensor) -> torch.Tensor:
        """Loss of a batch, a scalar."""
        mel = self._log_mel.of_samples
        loss = F.l1_loss(mel(made_BN), mel(real_BN))
        for size in self.sizes:
            loss = loss + self._difference(made_BN, real_BN, size) / len(self.sizes)
        return loss

    def _difference(self, made_BN: torch.Tensor, real_BN: torch.Tensor, size: int) -> torch.Tensor:
        made_BFT, real_BFT = _magnitudes(made_BN, size), _magnitudes(real_BN, size)
        distance_B = torch.linalg.vector_norm(made_BFT - real_BFT, dim=(1, 2))
        convergence_B = distance_B / (torch.linalg.vector_norm(real_BFT, dim=(1, 2)) + _SILENT)
        return convergence_B.mean() + F.l1_loss(made_BFT.log(), real_BFT.log())


def discriminator_loss(real: Judgement, made: Judgement) -> torch.Tensor:
    """Hinge loss of discriminators: real sound is to be above 1, made sound below -1."""
    parts = [
        F.relu(1 - of_real[-1]).mean() + F.relu(1 + of_made[-1]).mean()
        for of_real, of_made in zip(real, made, strict=True)
    ]
    return torch.stack(parts).mean()


def generator_loss(real: Judgement, made: Judgement) -> torch.Tensor:
    """The vocoder's adversarial loss and feature matching loss."""
    parts = []
    for of_real, of_made in zip(real, made, strict=True):
        pairs = zip(of_real[:-1], of_made[:-1], strict=True)
        features = [F.l1_loss(layer, goal.detach()) for goal, layer in pairs]
        hinge = F.relu(1 - of_made[-1]).mean()
        parts.append(hinge + _FEATURE_WEIGHT * torch.stack(features).mean())
    return torch.stack(parts).mean()


def _magnitudes(samples_BN: torch.Tensor, size: int) -> torch.Tensor:
    window = torch.hann_window(size, device=samples_BN.device)
    spectrum_BFT = torch.stft(samples_BN, size, size // 4, window=window, return_complex=True)
    return spectrum_BFT.abs().clamp_min(_FLOOR)
