"""Every system answers held-out mixtures, and what is shown otherwise is shown so."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from talker_clips import separation_recipe, store_talkers

from s2s.dataset import DatasetVersion
from s2s.media import MediaLimits
from s2s.storage import DirectoryBucket
from s2s.tasks.contract import Example, Material
from s2s.tasks.loading import load_task
from s2s.tasks.separation.data import HeldOutMixtures
from s2s.tasks.separation.metrics import make_judge
from s2s.tasks.separation.objective import objectives
from s2s.tasks.separation.settings import SeparationRecipe
from s2s.tasks.separation.systems import make_systems
from s2s.tasks.separation.systems.shown import ShownFaces

EVERY = ["model", "mixture", "oracle_mask", "audio_only", "swapped", "frozen", "late", "matcher"]


def material_of(folder: Path, recipe: SeparationRecipe) -> Material:
    """An untrained model in a directory, and held-out clips."""
    clips = store_talkers(folder / "clips", ("ann", "ann", "bob", "cid"))
    held_out = [replace(c, listed=replace(c.listed, split="test")) for c in clips]
    material = Material(
        recipe=recipe,
        recipe_folder=folder,
        bucket=DirectoryBucket(folder / "bucket"),
        version=DatasetVersion("dataset_v1", {"test": tuple(c.listed for c in held_out)}),
        clips={"train": clips, "test": held_out},
        folder=folder / "model",
        fit=lambda objective: pytest.fail(f"is not asked for: {objective}"),
    )
    (objective,) = objectives(material)
    objective.export(material.folder)
    return material


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("audio_visual", EVERY),
        ("audio_only", ["model", "mixture", "oracle_mask", "audio_only", "matcher"]),
        ("looking_to_listen", [name for name in EVERY if name != "audio_only"]),
    ],
)
def test_every_system_of_a_model_answers(tmp_path: Path, model: str, expected: list[str]):
    recipe = separation_recipe(
        training={"model": model}, evaluation={"conditions": ["different_voices", "three_voices"]}
    )
    material = material_of(tmp_path, recipe)
    predictor = load_task("separation").load(material.folder, MediaLimits())
    systems = make_systems(material, predictor, thorough=True)
    assert set(systems) == set(expected) <= set(recipe.evaluation.SYSTEMS)
    assert set(make_systems(material, predictor, thorough=False)) == set(expected[:3])
    judge = make_judge(material, predictor, thorough=True)
    for index in range(2):
        example = Example(index, material.clips["test"][index])
        (mixed,) = HeldOutMixtures(material).of(example)
        for name, system in systems.items():
            answer = system.answer(example)
            assert answer.voices[0].shape == mixed.voices_SN.shape
            assert np.isfinite(answer.voices[0]).all()
            (faces,) = judge.score(example, answer)
            assert len(faces) == len(mixed.is_heard_S)
            assert (faces[0].real_time_factor is not None) == (name == "model")


def test_faces_are_shown_swapped_still_and_late(tmp_path: Path):
    material = material_of(tmp_path, separation_recipe(evaluation={"conditions": ["same_voice"]}))
    example = Example(0, material.clips["test"][0])
    mixtures = HeldOutMixtures(material)
    (mixed,) = mixtures.of(example)
    shown: list[np.ndarray] = []

    class Watching:
        fps = 25
        is_on_cpu = True

        def separate(
            self, mixture_N: np.ndarray, lips_STD: np.ndarray, seen_ST: np.ndarray
        ) -> np.ndarray:
            """Answers with what it sees of each face in the end."""
            assert seen_ST.all()
            shown.append(lips_STD)
            return np.repeat(lips_STD[:, -4, :1], len(mixture_N), axis=1)

    faces = ShownFaces(Watching(), mixtures, is_heard_closely=False)  # pyright: ignore[reportArgumentType]
    as_they_are, swapped = faces.as_they_are(example), faces.swapped(example)
    np.testing.assert_array_equal(shown[1], mixed.lips_STD[::-1])
    np.testing.assert_array_equal(as_they_are.voices[0], swapped.voices[0])
    assert as_they_are.seconds is not None
    faces.frozen(example)
    assert (shown[2] == shown[2][:, :1]).all()
    assert not shown[2][:, :, 7:].any()  # speeds
    faces.late(example)
    np.testing.assert_array_equal(shown[3][:, 12:], mixed.lips_STD[:, :-12])
    assert (shown[3][:, :12] == mixed.lips_STD[:, :1]).all()
