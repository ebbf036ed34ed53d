"""The offset between sound and picture, measured by a probe that is trained on real clips.

Two towers of convolutions, one over visual features and one over mel, give each frame an embedding;
the shift of up to 12 frames at which the two agree best is the offset. After Chung and Zisserman
2016, "Out of time: automated lip sync in the wild". Convolutions never reach beyond what is given,
and shifted windows are cut from within the clip: a filled edge would tell the shift.

Legend: B batch, T frames, C visual features, D mel values of a frame, E values of an embedding,
S shifts.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

__all__ = ["MAX_SHIFT", "SyncProbe"]

MAX_SHIFT = 12
"""Frames."""
_KERNEL, _WIDTH, _EMBEDDING = 5, 64, 32
_MARGIN = 2 * (_KERNEL - 1)
"""Frames that two convolutions take from a window's length."""
_WINDOW = 56
_STEPS, _BATCH, _RATE = 300, 16, 2e-3
_SHARPNESS = 10.0

ClipArrays = tuple[np.ndarray, np.ndarray]


class SyncProbe:
    """Says by how much sound comes too late.

    Args:
        clips: visual features (T, C) and mel of each frame (T, D) of real clips; clips that are
            too short are left out.
        seed: of weights and windows.

    Raises:
        ValueError: if no clip is long enough, see `is_long_enough`.
    """

    def __init__(self, clips: Sequence[ClipArrays], seed: int = 0) -> None:
        usable = [clip for clip in clips if self.is_long_enough(len(clip[0]))]
        if not usable:
            raise ValueError(f"no clip of {_WINDOW + 2 * MAX_SHIFT} frames to train a probe on")
        stacked = [np.concatenate(arrays) for arrays in zip(*usable, strict=True)]
        self._scales = [(x.mean(axis=0), x.std(axis=0) + 1e-2) for x in stacked]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self._sight, self._mel = (_Tower(x.shape[1]) for x in stacked)
            self._train(usable, np.random.default_rng(seed))

    @staticmethod
    def is_long_enough(frames: int) -> bool:
        """Whether a clip has a window at every shift."""
        return frames >= _WINDOW + 2 * MAX_SHIFT

    @torch.inference_mode()
    def offset(self, seen_TC: np.ndarray, mel_TD: np.ndarray) -> int | None:
        """Frames by which sound is late, -12 to 12; None if the clip is too short to tell."""
        if not self.is_long_enough(len(seen_TC)):
            return None
        inner = seen_TC[MAX_SHIFT : len(seen_TC) - MAX_SHIFT]
        scores_BS = self._agreement(self._ready(inner, 0), self._ready(mel_TD, 1))
        return int(scores_BS.argmax()) - MAX_SHIFT

    def _train(self, clips: Sequence[ClipArrays], rng: np.random.Generator) -> None:
        parts = [*self._sight.parameters(), *self._mel.parameters()]
        optimizer = torch.optim.AdamW(parts, lr=_RATE)
        for _ in range(_STEPS):
            seen_BTC, mel_BTD, shifts_B = self._batch(clips, rng)
            loss = F.cross_entropy(self._agreement(seen_BTC, mel_BTD), shifts_B)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    def _batch(
        self, clips: Sequence[ClipArrays], rng: np.random.Generator
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Visual features of random windows, the mel around each, and the window's place in it."""
        motions, mels, places = [], [], []
        for _ in range(_BATCH):
            seen_TC, mel_TD = clips[int(rng.integers(len(clips)))]
            around = _WINDOW + 2 * MAX_SHIFT
            start = int(rng.integers(len(seen_TC) - around + 1))
            place = int(rng.integers(2 * MAX_SHIFT + 1))
            motions.append(self._ready(seen_TC[start + place :][:_WINDOW], 0))
            mels.append(self._ready(mel_TD[start : start + around], 1))
            places.append(place)
        return torch.cat(motions), torch.cat(mels), torch.tensor(places)

    def _ready(self, rows: np.ndarray, modality: int) -> torch.Tensor:
        mean, deviation = self._scales[modality]
        return torch.from_numpy(((rows - mean) / deviation).astype(np.float32))[None]

    def _agreement(self, seen_BTC: torch.Tensor, mel_BTD: torch.Tensor) -> torch.Tensor:
        """Agreement of the two at each shift: (B, S)."""
        seen, heard = self._sight(seen_BTC), self._mel(mel_BTD)
        heard_at = heard.unfold(2, seen.shape[2], 1)  # (B, E, S, T)
        return _SHARPNESS * torch.einsum("bet,best->bs", seen, heard_at) / seen.shape[2]


class _Tower(nn.Module):
    """Embeddings of length one of each frame."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(features, _WIDTH, _KERNEL),
            nn.SiLU(),
            nn.Conv1d(_WIDTH, _EMBEDDING, _KERNEL),
        )

    def forward(self, rows_BTC: torch.Tensor) -> torch.Tensor:
        """(B, T, C) to (B, E, T - margin)."""
        return F.normalize(self.layers(rows_BTC.transpose(1, 2)), dim=1)
