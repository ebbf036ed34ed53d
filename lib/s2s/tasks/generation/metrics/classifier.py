"""A small sound classifier, trained on real sound, that generated sound is scored with.

Its classes give class accuracy and KL divergence; its last hidden layer gives the embeddings of the
Fréchet distance.

Legend: B batch, M mel frames, F mel bands, K classes, W windows of a clip, E embedding.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

__all__ = ["Hearing", "SoundClassifier"]

EMBEDDING = 32
_WINDOW_S = 2.56
_CHANNELS = (1, 12, 24, 32)
_STEPS, _BATCH, _RATE = 200, 16, 4e-3
_GAIN = 1.0
"""Windows are made louder or softer by up to so many nepers: the class is not in the loudness."""
_LOG_MEL_CENTRE, _LOG_MEL_SPREAD = -7.0, 3.0


@dataclass(frozen=True)
class Hearing:
    """The classifier's output for a sound.

    Attributes:
        label: the most likely class.
        chances_K: probability of each class; they add up to one.
        embeddings_WE: one for each window of the clip.
    """

    label: str
    chances_K: np.ndarray
    embeddings_WE: np.ndarray


class SoundClassifier:
    """Tells the class of a clip's sound, however loud it is.

    Args:
        mels: log-mel of real clips, (M, F) each; they may be read when they are asked for.
        labels: the class of each; at least two different ones.
        mel_rate_hz: mel frames a second.
        seed: of weights and windows; the same gives the same classifier on one machine.
    """

    def __init__(
        self, mels: Sequence[np.ndarray], labels: Sequence[str], mel_rate_hz: int, seed: int = 0
    ) -> None:
        self.classes = sorted(set(labels))
        self._size = round(_WINDOW_S * mel_rate_hz)
        targets = np.array([self.classes.index(label) for label in labels])
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self._network = _Network(len(self.classes))
            self._train(mels, targets, np.random.default_rng(seed))

    @torch.inference_mode()
    def listen(self, mel_MF: np.ndarray) -> Hearing:
        """Classify a sound from its log-mel, (M, F)."""
        last = max(0, len(mel_MF) - self._size)
        starts = sorted({*range(0, last, self._size // 2), last})
        windows = np.stack([self._window(mel_MF, start) for start in starts])
        embeddings_WE, scores_WK = self._network(torch.from_numpy(windows))
        chances_K = scores_WK.log_softmax(dim=1).mean(dim=0).softmax(dim=0).numpy()
        label = self.classes[int(chances_K.argmax())]
        return Hearing(label, chances_K, embeddings_WE.numpy())

    def _train(
        self, mels: Sequence[np.ndarray], targets: np.ndarray, rng: np.random.Generator
    ) -> None:
        optimizer = torch.optim.AdamW(self._network.parameters(), lr=_RATE)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=_STEPS)
        by_class = [np.flatnonzero(targets == k) for k in range(len(self.classes))]
        self._network.train()
        for _ in range(_STEPS):
            # Every class as often: rare ones would not be heard otherwise.
            classes = rng.integers(len(by_class), size=_BATCH)
            chosen = [int(rng.choice(by_class[k])) for k in classes]
            windows = np.stack([self._random_window(mels[index], rng) for index in chosen])
            _, scores = self._network(torch.from_numpy(windows))
            loss = F.cross_entropy(scores, torch.from_numpy(classes), label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        self._network.eval()

    def _random_window(self, mel_MF: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        start = int(rng.integers(max(1, len(mel_MF) - self._size + 1)))
        return self._window(mel_MF, start) + np.float32(rng.uniform(-_GAIN, _GAIN))

    def _window(self, mel_MF: np.ndarray, start: int) -> np.ndarray:
        """A window, float32 (M, F); a clip that is too short is repeated."""
        piece = mel_MF[start : start + self._size].astype(np.float32)
        return piece[np.arange(self._size) % len(piece)]


class _Network(nn.Module):
    """Convolutions over time and pitch, pooled over time by maximum and mean."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in pairwise(_CHANNELS):
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.BatchNorm2d(after)]
            layers.append(nn.SiLU())
        self.layers = nn.Sequential(*layers)
        self.embed = nn.LazyLinear(EMBEDDING)
        self.classify = nn.Linear(EMBEDDING, classes)

    def forward(self, mel_BMF: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Embeddings (B, E) and scores (B, K)."""
        levels = (mel_BMF - _LOG_MEL_CENTRE) / _LOG_MEL_SPREAD
        maps = self.layers(levels[:, None])
        pooled = torch.cat([maps.amax(dim=2), maps.mean(dim=2)], dim=1).flatten(1)
        embeddings = self.embed(pooled)
        return embeddings, self.classify(F.silu(embeddings))
