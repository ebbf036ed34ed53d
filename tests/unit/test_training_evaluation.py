"""Which clips are measured on, and who judges them."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from s2s.dataset import DatasetClip, DatasetVersion, Split
from s2s.tasks.generation.metrics.classifier import SoundClassifier
from training.evaluation.held_out import choose_held_out, fit_classifier


def listed(number: int, split: Split, *labels: str) -> DatasetClip:
    checksums = {"crc32c": "AAAAAA==", "wav_crc32c": "AAAAAA=="}
    checksums |= {"sha256": "0" * 64, "wav_sha256": "0" * 64}
    row = {"clip_id": f"clip{number}", "source_id": f"source{number}", "start_s": 0, "end_s": 1}
    row |= {"split": split, "labels": labels, "key": "m", "size": 1, "wav_key": "w", "wav_size": 1}
    return TypeAdapter(DatasetClip).validate_python(row | checksums)


def stored(*numbers: int, pitch: int = 0) -> list[Any]:
    return [SimpleNamespace(clip_id=f"clip{n}", mel=lambda: mel_of(pitch)) for n in numbers]


def mel_of(band: int, seed: int = 0) -> np.ndarray:
    """Quiet noise with a loud band after each of four rises."""
    mel = np.random.default_rng(seed).normal(-10, 0.1, (200, 40))
    for start in (20, 60, 110, 160):
        mel[start : start + 20, band : band + 4] = np.linspace(-2, -6, 20)[:, None]
    return mel


VERSION = DatasetVersion(
    "dataset_v1",
    {
        "train": tuple(listed(n, "train", "low", "other") for n in range(4)),
        "val": tuple(listed(n, "val", "low") for n in range(10, 13)),
        "test": tuple(listed(n, "test", "low") for n in range(20, 26)),
    },
)


def test_test_clips_are_measured_on_and_evenly_chosen():
    held_out = choose_held_out(VERSION, {"test": stored(*range(20, 26))}, 3)
    assert held_out.split == "test"
    assert [clip.clip_id for clip, _ in held_out.clips] == ["clip20", "clip22", "clip24"]


def test_only_clips_with_features_are_measured_on():
    held_out = choose_held_out(VERSION, {"test": stored(21, 25)}, 5)
    assert [clip.clip_id for clip, _ in held_out.clips] == ["clip21", "clip25"]


@pytest.mark.parametrize(
    ("has_features", "split", "note"),
    [
        ({"val": stored(10), "test": []}, "val", "test split has no clips"),
        ({"train": stored(0), "val": [], "test": []}, None, "nothing was measured"),
    ],
)
def test_training_clips_are_never_measured_on(
    has_features: dict[str, list[Any]], split: str | None, note: str
):
    held_out = choose_held_out(VERSION, has_features, 5)
    assert held_out.split == split
    assert note in held_out.note


def test_a_classifier_needs_two_classes():
    assert fit_classifier(VERSION, stored(0, 1), 100) is None


def test_the_classifier_hears_bands_however_loud():
    mels = [mel_of(band, seed) for seed in range(3) for band in (5, 25)]
    classifier = SoundClassifier(mels, ["low", "high"] * 3, mel_rate_hz=100)
    assert classifier.listen(mel_of(5, seed=9) + 2).label == "low"
    assert classifier.listen(mel_of(25, seed=9) - 2).label == "high"
    assert classifier.listen(mel_of(5, seed=9)).chances_K.sum() == pytest.approx(1)


@pytest.mark.parametrize("frames", [1, 3, 50])
def test_the_classifier_hears_short_clips(frames: int):
    mels = [mel_of(band, seed) for seed in range(3) for band in (5, 25)]
    classifier = SoundClassifier(mels, ["low", "high"] * 3, mel_rate_hz=100)
    assert classifier.listen(mel_of(5, seed=9)[20 : 20 + frames]).label in {"low", "high"}
