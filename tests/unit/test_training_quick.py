"""What a training says of its model: figures of all clips, and of each group."""

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch

from s2s.tasks.common.mel import LogMel
from s2s.tasks.generation.metrics.scores import Judge, Take
from s2s.tasks.generation.settings import GenerationRecipe
from training.evaluation.after_training import evaluate
from training.evaluation.held_out import HeldOut

RECIPE = GenerationRecipe.model_validate(
    {
        "name": "quick",
        "collection": {"catalog": "none.csv"},
        "evaluation": {"groups": {"hits": ["hit"], "noise": ["rain"], "empty": ["none"]}},
    }
)
RATE_HZ, SECONDS = 16_000, 2.0
FRAMES = RECIPE.spec.frames(SECONDS)


def hits(*at_s: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    samples = rng.normal(0, 1e-4, round(SECONDS * RATE_HZ))
    for start in (round(instant * RATE_HZ) for instant in at_s):
        length = len(samples) - start
        decay = np.exp(-np.arange(length) / (0.03 * RATE_HZ))
        samples[start:] += 0.2 * rng.normal(size=length) * decay
    return samples.astype(np.float32)


class FakeLibrary:
    """Every clip sounds alike."""

    def sound(self, _clip: object) -> np.ndarray:
        return hits(0.4, 1.2)

    def random_clip(self, *_args: object) -> np.ndarray:
        return hits(0.8)


class FakePredictor:
    """Draws what it is asked for, and says sound of it 0.2 s too late."""

    def mels(self, draws: list[Any]) -> list[torch.Tensor]:
        return [torch.zeros(4 * len(draw.condition_TC), RECIPE.spec.n_mels) for draw in draws]

    def vocode(self, _mel: torch.Tensor) -> np.ndarray:
        return hits(0.6, 1.4)


def held_out(*labels: str) -> HeldOut:
    clips: list[Any] = []
    for n, label in enumerate(labels):
        listed = SimpleNamespace(clip_id=f"clip{n}", source_id=f"source{n}", labels=(label,))
        stored = SimpleNamespace(
            frames=FRAMES,
            shard=SimpleNamespace(header=SimpleNamespace(spec=RECIPE.spec)),
            mel=lambda: np.zeros((4 * FRAMES, RECIPE.spec.n_mels), np.float32),
            condition=lambda: np.zeros((FRAMES, 3), np.float32),
        )
        clips.append((listed, stored))
    return HeldOut("test", "Measured.", tuple(clips))


def test_figures_are_given_of_all_clips_and_of_each_group():
    library, predictor = cast("Any", FakeLibrary()), cast("Any", FakePredictor())
    metrics = evaluate(predictor, RECIPE, library, held_out("hit", "hit", "rain"), None)

    assert metrics["systems"]["real"]["onset_f1"] == 1.0
    assert metrics["systems"]["model"]["onset_f1"] == 0.0
    assert metrics["systems"]["model"]["class_accuracy"] is None
    counts = {name: group["n_clips"] for name, group in metrics["groups"].items()}
    assert counts == {"hits": 2, "noise": 1}
    assert set(metrics["groups"]["noise"]["systems"]) == set(metrics["systems"])
    assert [row["systems"]["model"]["onsets"] for row in metrics["clips"]] == [2, 2, 2]


def test_a_sound_that_is_to_be_late_is_right_when_it_is():
    judge, condition = Judge(LogMel(RECIPE.spec), None), np.zeros((FRAMES, 3), np.float32)
    real, late = judge.listen(hits(0.4, 1.2)), hits(0.6, 1.4)

    asked = judge.score(real, Take(late, delay_s=0.2), ["hit"], condition)
    unasked = judge.score(real, Take(late), ["hit"], condition)

    assert (asked.onsets.f1, asked.undelayed_onsets.f1) == (1.0, 0.0)
    assert (unasked.onsets.f1, unasked.mel_l1) == (0.0, pytest.approx(asked.mel_l1))
    varied = judge.score(real, Take(late, others=(hits(0.4),)), ["hit"], condition)
    assert varied.diversity is not None
    assert varied.diversity > 0
