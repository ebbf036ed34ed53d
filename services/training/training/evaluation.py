"""What the model is worth: figures on clips of sources that it was not trained on.

Every system gives each held-out clip a sound; the sounds are compared with the real one.

real                  the clip's own sound
real_mel              its own mel through the vocoder: the most that the model can reach
model                 generated from the picture
random_clip           a training clip's sound: what chance gives
silence               nothing
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from s2s.dataset import DatasetClip, DatasetVersion
from s2s.features.mel import LogMel
from s2s.media import read_audio
from s2s.predictors.generation import GenerationPredictor
from s2s.settings import Recipe
from s2s.storage import Bucket
from training.classifier import SoundClassifier
from training.data import StoredClip
from training.onsets import TOLERANCE_S, OnsetScore, find_onsets, score_onsets

__all__ = ["SYSTEMS", "HeldOut", "choose_held_out", "evaluate", "fit_classifier"]

SYSTEMS = ("real", "real_mel", "model", "random_clip", "silence")
_CLASSIFIED_CLIPS = 2000


@dataclass(frozen=True)
class HeldOut:
    """Which clips are measured on.

    Attributes:
        split: the split they are from; None if there are none.
        note: a sentence about that for people.
        clips: the clips, listed and stored.
    """

    split: str | None
    note: str
    clips: tuple[tuple[DatasetClip, StoredClip], ...] = ()


@dataclass(frozen=True)
class ClipScore:
    """How one system did on one clip.

    Attributes:
        onsets: agreement with the real sound's onsets.
        mel_l1: mean absolute difference to the real log-mel, in nepers.
        heard: class that the classifier hears; None without a classifier.
    """

    onsets: OnsetScore
    mel_l1: float
    heard: str | None


def choose_held_out(
    version: DatasetVersion, stored: dict[str, list[StoredClip]], count: int
) -> HeldOut:
    """Clips to measure on: from test, else from val, never from train; evenly chosen."""
    for split in ("test", "val"):
        listed = {clip.clip_id: clip for clip in version.split(split)}
        clips = [(listed[clip.clip_id], clip) for clip in stored.get(split, [])]
        if clips:
            chosen = [clips[i * len(clips) // count] for i in range(count)]
            chosen = clips if len(clips) <= count else chosen
            note = "Measured on the test split."
            if split == "val":
                note = "The test split has no clips: measured on the val split."
            return HeldOut(split, note, tuple(chosen))
    return HeldOut(None, "Neither test nor val has clips: nothing was measured.")


def fit_classifier(
    version: DatasetVersion, clips: Sequence[StoredClip], mel_rate_hz: int
) -> SoundClassifier | None:
    """A classifier of the training clips' first labels; None where there are less than two."""
    labels = {clip.clip_id: clip.labels[0] for clip in version.split("train") if clip.labels}
    labelled = [clip for clip in clips if clip.clip_id in labels][:_CLASSIFIED_CLIPS]
    names = [labels[clip.clip_id] for clip in labelled]
    if len(set(names)) < 2:
        return None
    return SoundClassifier([clip.mel() for clip in labelled], names, mel_rate_hz)


class _Sounds:
    """Gives each system's sound of a clip."""

    def __init__(
        self,
        predictor: GenerationPredictor,
        fetch: Callable[[DatasetClip], np.ndarray],
        train: Sequence[DatasetClip],
        seed: int,
    ) -> None:
        self._predictor = predictor
        self._fetch = fetch
        self._train = train
        self._seed = seed

    def of(self, index: int, clip: DatasetClip, stored: StoredClip) -> dict[str, np.ndarray]:
        """Sounds by system, float32 (N,) of the same length."""
        n_samples = self._predictor.config.spec.samples(stored.frames)
        rng = np.random.default_rng((self._seed, index))
        # The seed that serving shows held-out clips with: figures and examples are of one sound.
        mel_MB = self._predictor.mel(stored.motion(), seed=self._seed)
        sounds = {
            "real": self._fetch(clip),
            "real_mel": self._predictor.vocode(torch.from_numpy(stored.mel())),
            "model": self._predictor.vocode(mel_MB),
            "random_clip": self._fetch(self._train[int(rng.integers(len(self._train)))]),
            "silence": np.zeros(n_samples, dtype=np.float32),
        }
        return {name: _fitted(samples, n_samples) for name, samples in sounds.items()}


def evaluate(
    predictor: GenerationPredictor,
    recipe: Recipe,
    bucket: Bucket,
    held_out: HeldOut,
    train: tuple[Sequence[DatasetClip], SoundClassifier | None],
) -> dict[str, Any]:
    """Measure every system on the held-out clips.

    Args:
        predictor: the trained model.
        recipe: its recipe.
        bucket: where the clips' sound is.
        held_out: the clips.
        train: the clips that it was trained on, and a classifier of their sound.

    Returns:
        what `metrics.json` says: systems, and a row for each clip.
    """
    train_clips, classifier = train
    rows: list[tuple[DatasetClip, dict[str, ClipScore]]] = []
    with tempfile.TemporaryDirectory() as folder:

        def fetch(clip: DatasetClip) -> np.ndarray:
            path = Path(folder) / "clip.wav"
            bucket.download(clip.wav_key, path)
            return read_audio(path, recipe.spec.sample_rate_hz)

        sounds = _Sounds(predictor, fetch, train_clips, recipe.seed)
        for index, (clip, stored) in enumerate(held_out.clips):
            scores = _score(sounds.of(index, clip, stored), LogMel(recipe.spec), classifier)
            rows.append((clip, scores))
    return {
        "split": held_out.split,
        "note": held_out.note,
        "n_clips": len(rows),
        "n_sources": len({clip.source_id for clip, _ in rows}),
        "onset_tolerance_s": TOLERANCE_S,
        "systems": {name: _summary(name, rows) for name in SYSTEMS} if rows else {},
        "clips": [_clip_row(clip, scores) for clip, scores in rows],
    }


def _fitted(samples_N: np.ndarray, length: int) -> np.ndarray:
    return np.pad(samples_N[:length], (0, max(0, length - len(samples_N))))


def _score(
    sounds: dict[str, np.ndarray], log_mel: LogMel, classifier: SoundClassifier | None
) -> dict[str, ClipScore]:
    mels = {name: log_mel.of_samples(torch.from_numpy(y)).numpy() for name, y in sounds.items()}
    rate_hz = log_mel.spec.sample_rate_hz
    onsets_s = {name: find_onsets(samples, rate_hz) for name, samples in sounds.items()}
    return {
        name: ClipScore(
            onsets=score_onsets(onsets_s["real"], onsets_s[name]),
            mel_l1=float(np.abs(mels[name] - mels["real"]).mean()),
            heard=classifier.classify(mels[name]) if classifier else None,
        )
        for name in sounds
    }


def _summary(
    name: str, rows: Sequence[tuple[DatasetClip, dict[str, ClipScore]]]
) -> dict[str, float | None]:
    onsets = sum((scores[name].onsets for _, scores in rows), OnsetScore())
    right = [scores[name].heard in clip.labels for clip, scores in rows if scores[name].heard]
    return {
        "onset_precision": round(onsets.precision, 4),
        "onset_recall": round(onsets.recall, 4),
        "onset_f1": round(onsets.f1, 4),
        "class_accuracy": round(float(np.mean(right)), 4) if right else None,
        "mel_l1": round(float(np.mean([scores[name].mel_l1 for _, scores in rows])), 4),
    }


def _clip_row(clip: DatasetClip, scores: dict[str, ClipScore]) -> dict[str, Any]:
    systems = {
        name: {
            "onset_f1": round(score.onsets.f1, 4),
            "onsets": score.onsets.estimated,
            "mel_l1": round(score.mel_l1, 4),
            "heard": score.heard,
        }
        for name, score in scores.items()
    }
    return {"clip_id": clip.clip_id, "labels": list(clip.labels), "systems": systems}
