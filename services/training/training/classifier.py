"""What sounds: a classifier of mel spectrograms, trained on real sound to judge generated sound."""

from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

__all__ = ["SoundClassifier"]

_LOUDEST_RISES = 12
_PARTS_S = ((0.0, 0.03), (0.03, 0.08), (0.08, 0.16), (0.16, 0.32))
"""Attack and decay: what is averaged after each rise."""


class SoundClassifier:
    """Tells the class of a clip from what sounds right after its strongest rises.

    Args:
        mels: log-mel of real clips, (M, B) each.
        labels: the class of each; at least two different ones.
        mel_rate_hz: mel frames a second.
    """

    def __init__(self, mels: Sequence[np.ndarray], labels: Sequence[str], mel_rate_hz: int) -> None:
        self._rate_hz = mel_rate_hz
        rises = [self._rises(mel) for mel in mels]
        targets = [label for label, rows in zip(labels, rises, strict=True) for _ in rows]
        self._model: Pipeline = make_pipeline(
            StandardScaler(), LogisticRegression(C=0.1, max_iter=1000)
        )
        self._model.fit(np.concatenate(rises), targets)

    def classify(self, mel_MB: np.ndarray) -> str:
        """The most likely class of a clip."""
        chances = self._model.predict_log_proba(self._rises(mel_MB)).mean(axis=0)
        return str(self._model.classes_[chances.argmax()])

    def _rises(self, mel_MB: np.ndarray) -> np.ndarray:
        """Spectra after the strongest rises, without their loudness: (K, features)."""
        level = mel_MB.mean(axis=1)
        rise = np.diff(level, prepend=level[0])
        rows: list[np.ndarray] = []
        for start in np.argsort(-rise, kind="stable")[:_LOUDEST_RISES]:
            parts = [
                mel_MB[start + int(a * self._rate_hz) :][: max(1, int((b - a) * self._rate_hz))]
                for a, b in _PARTS_S
            ]
            means = [(part if len(part) else mel_MB[-1:]).mean(axis=0) for part in parts]
            rows.append(np.concatenate(means) - np.mean(means))
        return np.stack(rows)
