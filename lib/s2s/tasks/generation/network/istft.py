"""A vocoder: a network predicts a short-time spectrum from log-mel, which is then inverted.

After Vocos (Siuzdak 2023, "Vocos: Closing the gap between time-domain and Fourier-based neural
vocoders for high-quality audio synthesis"): ConvNeXt blocks on the mel's own time grid, and a head
that gives the magnitude and the phase of every frequency. Nothing is upsampled, so it is fast.

Legend: B batch, M mel frames, K mel bands, F frequencies, W width, N samples.
"""

from typing import Self

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import nn
from torch.nn import functional as F  # noqa: N812

from s2s.spec import TimeSpec
from s2s.tasks.common.mel import mel_filters

__all__ = ["IstftConfig", "IstftNetwork", "IstftVocoder"]

_KERNEL = 7
_LOUDEST = 100.0
"""No frequency of a frame is louder: a wrong input does not end in noise of any strength."""
_FLOOR = 1e-5
_PIECE_FRAMES = 500
"""Larger pieces ask the system for memory over and over, which takes longer than the overlap."""


class IstftConfig(BaseModel):
    """Shape of the network.

    Attributes:
        spec: rates and bands of the mel that it reads.
        width: features of a mel frame inside.
        hidden: features inside a block: twice the width here, three times in Vocos.
        depth: ConvNeXt blocks.
        from_mel: magnitudes are predicted as a change of those that the mel implies.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    spec: TimeSpec
    width: int = Field(default=128, ge=8)
    hidden: int = Field(default=256, ge=8)
    depth: int = Field(default=4, ge=1)
    from_mel: bool = True

    @property
    def reach(self) -> int:
        """Mel frames on either side that have a part in a sample."""
        convolutions = (1 + self.depth) * (_KERNEL // 2)
        return convolutions + -(-self.spec.n_fft // (2 * self.spec.hop))


class IstftNetwork(nn.Module):
    """Sound of log-mel spectrograms.

    Args:
        config: its shape.
    """

    window: torch.Tensor
    inverse_KF: torch.Tensor

    def __init__(self, config: IstftConfig) -> None:
        super().__init__()
        self.config = config
        spec, width = config.spec, config.width
        self.embed = nn.Conv1d(spec.n_mels, width, _KERNEL, padding="same")
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.blocks = nn.ModuleList(
            Block(width, config.hidden, 1 / config.depth) for _ in range(config.depth)
        )
        self.final_norm = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Linear(width, spec.n_fft + 2)
        self.register_buffer("window", torch.hann_window(spec.n_fft), persistent=False)
        inverse_KF = torch.linalg.pinv(mel_filters(spec))
        self.register_buffer("inverse_KF", inverse_KF, persistent=False)
        self.apply(_init)

    def forward(self, mel_BMK: torch.Tensor) -> torch.Tensor:
        """Sound of mel frames; frame i is centred on sample i * hop.

        Args:
            mel_BMK: log-mel, (B, M, K).

        Returns:
            float32 (B, N) with N = M * hop.
        """
        spec = self.config.spec
        hidden = self.norm(self.embed(mel_BMK.transpose(1, 2)).transpose(1, 2))
        for block in self.blocks:
            hidden = block(hidden)
        log_magnitude, phase = self.head(self.final_norm(hidden)).float().chunk(2, dim=-1)
        magnitude = log_magnitude.exp()
        if self.config.from_mel:
            magnitude = magnitude * (mel_BMK.float().exp() @ self.inverse_KF).clamp_min(_FLOOR)
        magnitude = magnitude.clamp_max(_LOUDEST)
        # Half the time of torch.polar.
        spectrum_BMF = torch.complex(magnitude * phase.cos(), magnitude * phase.sin())
        return torch.istft(
            spectrum_BMF.transpose(1, 2),
            spec.n_fft,
            spec.hop,
            window=self.window,
            length=mel_BMK.shape[1] * spec.hop,
        )


class Block(nn.Module):
    """A ConvNeXt block: over time within each feature, then over features within each frame.

    Args:
        width: features of a frame.
        hidden: features in between.
        scale: weight of its change at the start.
    """

    def __init__(self, width: int, hidden: int, scale: float) -> None:
        super().__init__()
        self.over_time = nn.Conv1d(width, width, _KERNEL, padding="same", groups=width)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.widen = nn.Linear(width, hidden)
        self.narrow = nn.Linear(hidden, width)
        self.scale = nn.Parameter(torch.full((width,), scale))

    def forward(self, frames_BMW: torch.Tensor) -> torch.Tensor:
        """(B, M, W) to (B, M, W)."""
        change = self.over_time(frames_BMW.transpose(1, 2)).transpose(1, 2)
        change = self.narrow(F.gelu(self.widen(self.norm(change))))
        return frames_BMW + self.scale * change


class IstftVocoder:
    """Sound of one log-mel spectrogram of any length, in pieces: memory does not grow by much.

    Args:
        network: the trained network.
    """

    def __init__(self, network: IstftNetwork) -> None:
        self.network = network.eval()

    def to(self, device: str) -> Self:
        """Move the network to a device."""
        self.network.to(device)
        return self

    @torch.inference_mode()
    def __call__(self, mel_MK: torch.Tensor) -> torch.Tensor:
        """Sound of a log-mel spectrogram, the same as if it were made in one piece.

        Args:
            mel_MK: log-mel, (M, K).

        Returns:
            float32 (N,) with N = M * hop, on the CPU.
        """
        hop, reach = self.network.config.spec.hop, self.network.config.reach
        mel_MK = mel_MK.to(self.network.window.device)
        pieces = []
        for start in range(0, len(mel_MK), _PIECE_FRAMES):
            stop, begin = min(start + _PIECE_FRAMES, len(mel_MK)), max(0, start - reach)
            samples_N = self.network(mel_MK[None, begin : stop + reach])[0]
            pieces.append(samples_N[(start - begin) * hop : (stop - begin) * hop].cpu())
        return torch.cat(pieces)


def _init(layer: nn.Module) -> None:
    if isinstance(layer, nn.Conv1d | nn.Linear):
        nn.init.trunc_normal_(layer.weight, std=0.02)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
