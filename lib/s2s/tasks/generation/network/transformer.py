"""A diffusion transformer that predicts a clean mel spectrogram from a noisy one and a video.

After DiT (Peebles and Xie 2022, "Scalable Diffusion Models with Transformers"), with modulation
by each token's own condition, since the sound at an instant depends on the picture at that instant.
Visual features come in streams, motion and appearance; each can be hidden behind a null token.

Legend: B batch, T tokens (one a video frame), D values of a token, C features of all streams side
by side, S streams, W width, H heads, K features of a head.
"""

import math

import torch
from pydantic import BaseModel, ConfigDict, Field, PositiveInt
from torch import nn
from torch.nn import functional as F  # noqa: N812

__all__ = ["MelTransformer", "NetworkConfig"]

_TIME_FREQUENCIES = 64
_KERNEL = 7
_EXPANSION = 2
_MOST_MODULATION = 256
"""Most features of the bottleneck that a token's condition passes through in a block."""


class NetworkConfig(BaseModel):
    """Shape of the network.

    Attributes:
        token_dim: mel values in a token.
        streams: visual features of a token by stream, in the order in which they lie side by side.
        width: features of a token inside.
        depth: transformer blocks.
        heads: attention heads.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    token_dim: int = Field(ge=1)
    streams: dict[str, PositiveInt] = Field(min_length=1)
    width: int = Field(default=128, ge=16)
    depth: int = Field(default=4, ge=1)
    heads: int = Field(default=4, ge=1)

    @property
    def condition_dim(self) -> int:
        """Features of all streams."""
        return sum(self.streams.values())


class MelTransformer(nn.Module):
    """Predicts clean mel tokens from noisy ones, the flow's time and the video.

    Args:
        config: its shape.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.read_tokens = nn.Linear(config.token_dim, width)
        self.streams = nn.ModuleDict(
            {name: Stream(dim, width) for name, dim in config.streams.items()}
        )
        self.read_time = nn.Sequential(
            nn.Linear(2 * _TIME_FREQUENCIES, width), nn.SiLU(), nn.Linear(width, width)
        )
        self.blocks = nn.ModuleList(Block(width, config.heads) for _ in range(config.depth))
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.modulation = nn.Linear(width, 2 * width)
        self.write_tokens = nn.Linear(width, config.token_dim)
        for layer in (self.modulation, self.write_tokens):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(
        self,
        noisy_BTD: torch.Tensor,
        time_B: torch.Tensor,
        condition_BTC: torch.Tensor,
        hidden_BS: torch.Tensor,
    ) -> torch.Tensor:
        """Predict the clean tokens.

        Args:
            noisy_BTD: normalised mel with noise, (B, T, D).
            time_B: where on the path from noise to sound, (B,) in 0..1.
            condition_BTC: visual features, (B, T, C).
            hidden_BS: which streams are hidden, bool (B, S).

        Returns:
            (B, T, D).
        """
        parts = condition_BTC.split(list(self.config.streams.values()), dim=-1)
        seen = zip(self.streams.values(), parts, hidden_BS.unbind(dim=1), strict=True)
        condition = torch.stack([stream(part, hidden_B) for stream, part, hidden_B in seen]).sum(0)
        tokens = self.read_tokens(noisy_BTD) + condition
        guide = F.silu(condition + self.read_time(_waves(time_B))[:, None])
        features = self.config.width // self.config.heads
        rotation = rotary_angles(tokens.shape[1], features, tokens.device)
        for block in self.blocks:
            tokens = block(tokens, guide, rotation)
        shift, scale = self.modulation(guide).chunk(2, dim=-1)
        return self.write_tokens(self.norm(tokens) * (1 + scale) + shift)


class Stream(nn.Module):
    """Embeds one stream of visual features.

    Args:
        dim: its features.
        width: features of a token inside the network.
    """

    def __init__(self, dim: int, width: int) -> None:
        super().__init__()
        self.read = nn.Sequential(
            nn.Conv1d(dim, width, _KERNEL, padding="same"), nn.SiLU(), nn.Conv1d(width, width, 1)
        )
        self.null = nn.Parameter(torch.zeros(width))

    def forward(self, features_BTC: torch.Tensor, hidden_B: torch.Tensor) -> torch.Tensor:
        """Embed the stream: (B, T, W), the null token where it is hidden."""
        read = self.read(features_BTC.transpose(1, 2)).transpose(1, 2)
        return torch.where(hidden_B[:, None, None], self.null.to(read.dtype), read)


class Block(nn.Module):
    """Attention and feed-forward, each shifted, scaled and gated by the guide (adaLN-Zero).

    Args:
        width: features of a token.
        heads: attention heads.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention = Attention(width, heads)
        self.feed_forward = FeedForward(width)
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        features = min(width // 2, _MOST_MODULATION)
        last = nn.Linear(features, 6 * width)
        self.modulation = nn.Sequential(nn.Linear(width, features, bias=False), last)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    def forward(
        self, tokens_BTW: torch.Tensor, guide_BTW: torch.Tensor, rotation: torch.Tensor
    ) -> torch.Tensor:
        """Tokens in, tokens out: (B, T, W)."""
        parts = self.modulation(guide_BTW).chunk(6, dim=-1)
        shift, scale, gate = parts[:3]
        tokens = tokens_BTW
        tokens = tokens + gate * self.attention(self.norm(tokens) * (1 + scale) + shift, rotation)
        shift, scale, gate = parts[3:]
        return tokens + gate * self.feed_forward(self.norm(tokens) * (1 + scale) + shift)


class Attention(nn.Module):
    """Self-attention with rotary positions and normalised queries and keys.

    Rotary positions: Su et al. 2021, "RoFormer", equation 34. Normalised queries and keys:
    Henry et al. 2020, "Query-Key Normalization for Transformers".

    Args:
        width: features of a token.
        heads: attention heads.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.read = nn.Linear(width, 3 * width)
        self.norm_query = nn.RMSNorm(width // heads)
        self.norm_key = nn.RMSNorm(width // heads)
        self.write = nn.Linear(width, width)

    def forward(self, tokens_BTW: torch.Tensor, rotation: torch.Tensor) -> torch.Tensor:
        """Tokens in, tokens out: (B, T, W)."""
        batch, length, width = tokens_BTW.shape
        parts = self.read(tokens_BTW).view(batch, length, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        query = rotate(self.norm_query(query), rotation)
        key = rotate(self.norm_key(key), rotation)
        mixed = F.scaled_dot_product_attention(query, key, value)
        return self.write(mixed.transpose(1, 2).reshape(batch, length, width))


class FeedForward(nn.Module):
    """A depthwise convolution over neighbouring tokens, and two linear layers.

    Args:
        width: features of a token.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mix = nn.Conv1d(width, width, _KERNEL, padding="same", groups=width)
        self.expand = nn.Linear(width, _EXPANSION * width)
        self.contract = nn.Linear(_EXPANSION * width, width)

    def forward(self, tokens_BTW: torch.Tensor) -> torch.Tensor:
        """Tokens in, tokens out: (B, T, W)."""
        mixed = tokens_BTW + self.mix(tokens_BTW.transpose(1, 2)).transpose(1, 2)
        return self.contract(F.silu(self.expand(mixed)))


def rotary_angles(length: int, features: int, device: torch.device | None = None) -> torch.Tensor:
    """Cosines and sines of each position: (2, T, K / 2)."""
    rates = 10_000.0 ** (-torch.arange(0, features, 2, device=device) / features)
    angles = torch.arange(length, device=device)[:, None] * rates
    return torch.stack([angles.cos(), angles.sin()])


def rotate(vectors_BHTK: torch.Tensor, rotation: torch.Tensor) -> torch.Tensor:
    """Turn each pair of features by the angle of its position."""
    cosine, sine = rotation
    first, second = vectors_BHTK.chunk(2, dim=-1)
    return torch.cat([first * cosine - second * sine, first * sine + second * cosine], dim=-1)


def _waves(time_B: torch.Tensor) -> torch.Tensor:
    """Sinusoids of the time, (B, 2 * _TIME_FREQUENCIES)."""
    steps = torch.arange(_TIME_FREQUENCIES, device=time_B.device) / _TIME_FREQUENCIES
    angles = 1000.0 * time_B[:, None] * torch.exp(-math.log(10_000.0) * steps)
    return torch.cat([angles.cos(), angles.sin()], dim=-1)
