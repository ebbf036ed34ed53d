"""What a training says of its model: figures of all clips, and of each group."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from s2s.dataset import DatasetVersion, Split
from s2s.tasks.common.mel import LogMel
from s2s.tasks.contract import Example, Figure, Material, System
from s2s.tasks.generation.metrics.scores import SoundJudge
from s2s.tasks.generation.settings import GenerationRecipe
from s2s.tasks.generation.systems.answer import SoundAnswer
from training.evaluation.after_training import measure_model

RECIPE = GenerationRecipe.model_validate(
    {
        "name": "quick",
        "collection": {"catalog": "none.csv"},
        "evaluation": {"groups": {"hits": ["hit"], "noise": ["rain"], "empty": ["none"]}},
    }
)
RATE_HZ, SECONDS = 16_000, 2.0


def hits(*at_s: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    samples = rng.normal(0, 1e-4, round(SECONDS * RATE_HZ))
    for start in (round(instant * RATE_HZ) for instant in at_s):
        length = len(samples) - start
        decay = np.exp(-np.arange(length) / (0.03 * RATE_HZ))
        samples[start:] += 0.2 * rng.normal(size=length) * decay
    return samples.astype(np.float32)


class FakeSounds:
    """Every clip sounds alike."""

    def of(self, _example: Example) -> np.ndarray:
        return hits(0.4, 1.2)


class Counting:
    """A task that is none of this project's: answers are numbers, and so are scores."""

    figures = (
        Figure("right", "right", lambda scores: float(np.mean(scores)), True, after_training=True),
        Figure("slow", "only in an evaluation", lambda _: 1 / 0),
    )

    classes: tuple[str, ...] = ()

    def make_systems(self, *_: object, thorough: bool) -> dict[str, System]:
        assert not thorough
        return {
            "model": System("the model", lambda example: example.index % 2),
            "ceiling": System("what is true", lambda _: 1),
        }

    def make_judge(self, *_: object, thorough: bool) -> Any:
        assert not thorough
        return SimpleNamespace(
            note="It counts.",
            classes=self.classes,
            score=lambda _, answer: float(answer),
            row=lambda score: {"score": score},
            groups=lambda example: ["first"] if example.index == 0 else [],
        )


def held_out(*labels: str) -> list[Any]:
    return [
        SimpleNamespace(clip_id=f"clip{n}", source_id=f"source{n // 2}", labels=(label,))
        for n, label in enumerate(labels)
    ]


def measured(task: Counting, *labels: str, split: Split = "test", count: int = 5) -> dict[str, Any]:
    listed = held_out(*labels)
    stored = [SimpleNamespace(clip_id=clip.clip_id, listed=clip) for clip in listed]
    version = DatasetVersion("dataset_v1", {split: tuple(listed)})
    material = Material(
        RECIPE,
        Path(),
        cast("Any", None),
        version,
        {split: cast("Any", stored)},
        Path(),
        cast("Any", None),
    )
    return measure_model(cast("Any", task), material, cast("Any", None), count)


@pytest.mark.parametrize(
    ("classes", "count", "said"),
    [
        ("hit rain", 5, ""),
        ("hit rain tick", 5, " 1 of 3 classes has no clip there: tick."),
        (
            "a b c d e f g hit rain",
            5,
            " 7 of 9 classes have no clip there: a, b, c, d, e and 2 more.",
        ),
        (
            "hit rain",
            1,
            " 1 of 2 classes has no clip among the 1 that were asked about: rain.",
        ),
        ("hit", 5, " 1 clip is of no class of the model, so that any answer is wrong."),
    ],
)
def test_classes_without_a_clip_are_told(classes: str, count: int, said: str):
    task = Counting()
    task.classes = tuple(classes.split())
    metrics = measured(task, "hit", "hit", "rain", count=count)
    assert metrics["note"] == (
        f"Measured on the test split. All 3 clips of the split could be decoded.{said} It counts."
    )
    assert metrics["classes"] == classes.split()
    on_val = measured(task, "hit", "hit", "rain", split="val", count=count)["note"]
    assert on_val.startswith("The test split has no clips: measured on the val split. ")


def test_figures_are_given_of_all_clips_and_of_each_group():
    metrics = measured(Counting(), "hit", "hit", "rain")

    assert (
        metrics["note"]
        == "Measured on the test split. All 3 clips of the split could be decoded. It counts."
    )
    assert (metrics["n_clips"], metrics["n_sources"]) == (3, 2)
    assert metrics["figures"] == {"right": {"title": "right", "better": "more"}}
    assert metrics["titles"] == {"model": "the model", "ceiling": "what is true"}
    assert metrics["systems"] == {"model": {"right": 0.3333}, "ceiling": {"right": 1.0}}
    counts = {name: group["n_clips"] for name, group in metrics["groups"].items()}
    assert counts == {"hits": 2, "noise": 1, "first": 1}, "those of labels, then those of the judge"
    assert set(metrics["groups"]["noise"]["systems"]) == {"model", "ceiling"}
    scores = [row["systems"]["model"]["score"] for row in metrics["clips"]]
    assert scores == [0, 1, 0]


def test_a_sound_that_is_to_be_late_is_right_when_it_is():
    judge = SoundJudge(cast("Any", FakeSounds()), LogMel(RECIPE.spec), None)
    example, late = cast("Any", SimpleNamespace(listed=held_out("hit")[0])), hits(0.6, 1.4)

    asked = judge.score(example, SoundAnswer(late, delay_s=0.2))
    unasked = judge.score(example, SoundAnswer(late))

    assert (asked.onsets.f1, asked.undelayed_onsets.f1) == (1.0, 0.0)
    assert (unasked.onsets.f1, unasked.mel_l1) == (0.0, pytest.approx(asked.mel_l1))
    assert judge.score(example, SoundAnswer(hits(0.4, 1.2))).mel_l1 == 0
    varied = judge.score(example, SoundAnswer(late, others=(hits(0.4),)))
    assert varied.diversity is not None
    assert varied.diversity > 0
    assert "no class accuracy" in judge.note
