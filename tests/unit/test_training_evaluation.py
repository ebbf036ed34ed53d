"""Who judges sounds, and who is compared with the model."""

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from s2s.settings import EvaluationSettings
from s2s.tasks.contract import Figure
from s2s.tasks.generation.metrics import fit_classifier
from s2s.tasks.generation.metrics.classifier import SoundClassifier
from training.evaluation.content import with_intervals
from training.evaluation.measured import Measured, Measurement


def stored(*labels: str) -> list[Any]:
    """Clips whose mel nobody reads."""
    return [SimpleNamespace(listed=SimpleNamespace(labels=(label, "other"))) for label in labels]


def mel_of(band: int, seed: int = 0) -> np.ndarray:
    """Quiet noise with a loud band after each of four rises."""
    mel = np.random.default_rng(seed).normal(-10, 0.1, (200, 40))
    for start in (20, 60, 110, 160):
        mel[start : start + 20, band : band + 4] = np.linspace(-2, -6, 20)[:, None]
    return mel


def test_a_classifier_needs_two_classes():
    assert fit_classifier(stored("low", "low"), 100) is None


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


def test_only_rivals_can_be_better_than_the_model():
    scores = {"model": 0.0, "baseline": 1.0, "ceiling": 1.0, "control": 1.0}
    rows = [
        Measured(
            cast(Any, SimpleNamespace(listed=SimpleNamespace(source_id=f"s{n}"))), ("easy",), scores
        )
        for n in range(4)
    ]
    measurement = Measurement(
        split="test",
        note="",
        n_listed=4,
        n_decoded=4,
        titles={name: name for name in scores},
        no_rivals={"ceiling", "control"},
        costs={},
        rows=rows,
        groups=("easy",),
        perfect_in={"baseline": {"easy"}},
    )
    figure = Figure("hits", "hits", lambda found: float(np.mean(found)), more_is_better=True)
    content = with_intervals(measurement, [figure], EvaluationSettings(), seed=0)
    assert content["groups"]["all"]["ahead"] == {"baseline": ["hits"]}
    assert content["groups"]["easy"]["ahead"] == {}
