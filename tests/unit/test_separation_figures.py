"""Figures of separations: held to answers whose worth is known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from talker_clips import RATE_HZ, separation_recipe, store_talkers

from s2s.dataset import DatasetVersion
from s2s.storage import DirectoryBucket
from s2s.tasks.contract import Example, Material
from s2s.tasks.separation.data import HeldOutMixtures
from s2s.tasks.separation.metrics import FIGURES
from s2s.tasks.separation.metrics.answer_files import VoiceFiles
from s2s.tasks.separation.metrics.judge import SeparationJudge
from s2s.tasks.separation.settings import Condition
from s2s.tasks.separation.systems.answer import SeparationAnswer
from s2s.tasks.separation.systems.known import best_order, matched, oracle_mask

BY_NAME = {figure.name: figure for figure in FIGURES}


def material_of(folder: Path, *conditions: Condition, mixtures: int = 1) -> Material:
    """Held-out clips of three speakers, with mixtures of given conditions."""
    clips = store_talkers(folder, ("ann", "ann", "bob", "cid"), split="test")
    return Material(
        recipe=separation_recipe(evaluation={"conditions": conditions, "mixtures": mixtures}),
        recipe_folder=folder,
        bucket=DirectoryBucket(folder / "bucket"),
        version=DatasetVersion("dataset_v1", {"test": tuple(clip.listed for clip in clips)}),
        clips={"test": clips},
        folder=folder,
        fit=lambda objective: pytest.fail(f"nothing is to be trained: {objective}"),
    )


def figures(material: Material, find, index: int = 0, *, closely: bool = False) -> dict:
    """Every figure of one system on one clip's mixtures."""
    example = Example(index, material.clips["test"][index])
    mixed = HeldOutMixtures(material).of(example)
    answer = SeparationAnswer(
        tuple(find(one) for one in mixed), seconds=0.05 * len(mixed), is_heard_closely=closely
    )
    score = SeparationJudge(material, thorough=closely).score(example, answer)
    return {name: figure.of([score]) for name, figure in BY_NAME.items()}


def test_the_mixture_itself_is_no_better_than_it_is(tmp_path: Path):
    material = material_of(tmp_path, "different_voices")
    found = figures(material, lambda m: np.repeat(m.mixture_N[None], 2, axis=0), closely=True)
    assert found["si_sdri"] == pytest.approx(0, abs=1e-4)
    assert found["sdri"] == pytest.approx(0, abs=1e-3)
    assert found["alike"] == pytest.approx(1, abs=1e-4)
    assert found["silence_db"] is None
    assert found["real_time_factor"] == pytest.approx(0.05, rel=1e-3)


def test_true_voices_are_right_and_swapped_ones_are_not(tmp_path: Path):
    material = material_of(tmp_path, "different_voices")
    true = figures(material, lambda m: m.voices_SN, closely=True)
    swapped = figures(material, lambda m: m.voices_SN[::-1].copy())
    assert true["right_speaker"] == 1
    assert swapped["right_speaker"] == 0
    assert true["si_sdri"] > 40
    assert swapped["si_sdri"] < -15
    assert true["estoi"] == pytest.approx(1, abs=1e-3)
    assert true["alike"] < 0.3
    assert swapped["sdri"] is swapped["estoi"] is None


@pytest.mark.parametrize("left_db", [-10.0, -40.0])
@pytest.mark.parametrize("condition", ["silent_face", "muted_face"])
def test_of_a_silent_face_what_is_left_is_measured(
    tmp_path: Path, condition: Condition, left_db: float
):
    material = material_of(tmp_path, condition)
    gain = 10 ** (left_db / 20)
    found = figures(material, lambda m: np.stack([m.voices_SN[0], gain * m.mixture_N]))
    assert found["silence_db"] == pytest.approx(left_db, abs=1e-3)
    assert found["right_speaker"] is None
    # The other voice is all that is heard: it cannot get nearer.
    assert found["si_sdri"] is None


def test_nothing_that_is_found_is_as_bad_as_can_be_and_no_error(tmp_path: Path):
    material = material_of(tmp_path, "three_voices")
    found = figures(material, lambda m: 0 * m.voices_SN, closely=True)
    assert found["si_sdri"] < -20
    assert found["alike"] == 0
    assert found["estoi"] is None
    assert found["right_speaker"] == 0


def test_a_ratio_mask_and_the_best_order_are_ceilings(tmp_path: Path):
    material = material_of(tmp_path, "different_voices")
    mask = figures(material, lambda m: oracle_mask(m, RATE_HZ))
    assert mask["si_sdri"] > 5
    assert mask["right_speaker"] == 1
    backwards = figures(material, lambda m: best_order(m.voices_SN[::-1].copy(), m))
    assert backwards["right_speaker"] == 1
    spare = figures(
        material, lambda m: best_order(np.concatenate([0 * m.voices_SN[:1], m.voices_SN]), m)
    )
    assert spare["right_speaker"] == 1
    few = figures(material, lambda m: best_order(m.voices_SN[1:], m))
    assert few["right_speaker"] == 0.5


def test_lips_and_loudness_that_go_together_find_the_speaker(tmp_path: Path):
    material = material_of(tmp_path, "different_voices", mixtures=2)
    for index in range(4):
        assert figures(material, matched, index)["right_speaker"] == 1


def test_conditions_take_turns_over_clips_and_every_mixture_counts(tmp_path: Path):
    conditions: tuple[Condition, ...] = ("different_voices", "same_voice")
    material = material_of(tmp_path, *conditions, mixtures=2)
    judge, mixtures = SeparationJudge(material, thorough=False), HeldOutMixtures(material)
    examples = [Example(n, clip) for n, clip in enumerate(material.clips["test"][:2])]
    assert {judge.groups(example)[0] for example in examples} == set(conditions)
    for example in examples:
        mixed = mixtures.of(example)
        score = judge.score(example, SeparationAnswer(tuple(m.voices_SN for m in mixed)))
        assert [len(faces) for faces in score] == [2, 2]
        rows = judge.row(score)["mixtures"]
        assert rows[0]["faces"][0]["clip_id"] == example.stored.clip_id
        assert rows[0]["faces"][0]["is_right"] is True


def test_examples_are_written_as_reports_read_them(tmp_path: Path):
    material = material_of(tmp_path, "silent_face")
    files, mixtures = VoiceFiles(material), HeldOutMixtures(material)
    example = Example(0, material.clips["test"][0])
    (mixed,) = mixtures.of(example)
    files.write(example, "model", SeparationAnswer((mixed.voices_SN,)))
    files.write(example, "mixture", SeparationAnswer((0 * mixed.voices_SN,)))
    folder = tmp_path / "examples"
    folder.mkdir()
    files.show(example, folder)
    assert {path.name for path in folder.iterdir()} == {
        "clip-0.mixture.wav",
        "clip-0.0.model.wav",
        "clip-0.1.model.wav",
        "clip-0.0.truth.wav",
        "clip-0.json",
        "mixtures.json",
    }
    assert files.measure(None) == {}


def test_a_clip_is_mixed_with_others_of_its_split_only(tmp_path: Path):
    material = material_of(tmp_path, "different_voices")
    train = store_talkers(tmp_path / "more", ("eve", "fay"), split="train")
    both = replace(material, clips={**material.clips, "train": train})
    example = Example(0, material.clips["test"][0])
    assert HeldOutMixtures(both).plans(example) == HeldOutMixtures(material).plans(example)
