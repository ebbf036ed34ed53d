"""Figures of classifications, held to hand-made answers and to scikit-learn's."""

import csv
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from dataset_fixtures import listed_clip
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import top_k_accuracy_score

from s2s.errors import SettingsError
from s2s.tasks.classification.metrics import FIGURES
from s2s.tasks.classification.metrics.answer_files import ClassFiles
from s2s.tasks.classification.metrics.figures import (
    calibration_error,
    confusion_matrix,
    mean_average_precision,
)
from s2s.tasks.classification.metrics.judge import ClassificationJudge, ClassScore, make_judge
from s2s.tasks.classification.metrics.lists import read_modalities, read_source_ids
from s2s.tasks.classification.page import show_examples
from s2s.tasks.classification.page.confusion import matrix_of
from s2s.tasks.classification.settings import ClassificationRecipe
from s2s.tasks.classification.settings.evaluation import NOT_PRETRAINED, PRETRAINED
from s2s.tasks.classification.systems import make_systems
from s2s.tasks.contract import Example

BY_NAME = {figure.name: figure for figure in FIGURES}


def score(chances: list[float], *classes: int) -> ClassScore:
    target = np.zeros(len(chances), bool)
    target[list(classes)] = True
    return ClassScore(np.array(chances), target)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 10**6)), min_size=12, max_size=40))
def test_top1_and_top5_agree_with_scikit_learn(clips: list[tuple[int, int]]):
    chances = [np.random.default_rng(seed).dirichlet(np.ones(10)) for _, seed in clips]
    true = [label for label, _ in clips]
    scores = [score(list(said), label) for said, label in zip(chances, true, strict=True)]

    for count in (1, 5):
        wanted = top_k_accuracy_score(true, np.stack(chances), k=count, labels=range(10))
        assert BY_NAME[f"top{count}"].of(scores) == pytest.approx(wanted)


def test_there_is_no_top5_of_few_classes():
    assert BY_NAME["top5"].of([score([0.2] * 5, 0)]) is None
    assert BY_NAME["top5"].of([score([1 / 9] * 9, 0)]) is None
    assert BY_NAME["top5"].of([score([0.1] * 10, 0)]) == 1


def test_calibration_is_perfect_where_certainty_is_the_share_that_is_right():
    right, wrong = score([0.75, 0.25], 0), score([0.75, 0.25], 1)
    assert calibration_error([right, right, right, wrong]) == pytest.approx(0)
    assert calibration_error([wrong] * 4) == pytest.approx(0.75)


def test_the_mean_of_classes_does_not_count_frequent_ones_more():
    scores = [score([0.9, 0.1], 0)] * 9 + [score([0.9, 0.1], 1)]
    assert BY_NAME["top1"].of(scores) == pytest.approx(0.9)
    assert BY_NAME["class_mean"].of(scores) == pytest.approx(0.5)
    assert confusion_matrix(scores).tolist() == [[9, 0], [1, 0]]


def test_of_several_labels_the_likelihood_is_that_of_every_yes_and_no():
    def of(chances: list[float], *classes: int) -> Any:
        told = score(chances, *classes)
        return BY_NAME["nll"].of([ClassScore(told.chances_L, told.target_L, is_multi_label=True)])

    assert of([0.5, 0.5, 0.5], 0, 1) == pytest.approx(np.log(2)), "it knows nothing"
    assert of([1.0, 1.0, 0.0], 0, 1) == pytest.approx(0)
    assert of([0.9, 0.6, 0.2], 0, 1) == pytest.approx(-np.log([0.9, 0.6, 0.8]).mean())
    assert of([1.0, 1.0, 1.0]) == pytest.approx(-np.log(1e-7)), "all that is said is wrong"
    assert of([0.1, 0.1, 0.1]) == pytest.approx(-np.log(0.9)), "that of no label, too"
    assert BY_NAME["nll"].of([score([0.7, 0.3], 0)]) == pytest.approx(-np.log(0.7))


def test_of_several_labels_the_mean_of_classes_counts_every_one():
    both, one = score([0.9, 0.8, 0.1], 0, 1), score([0.9, 0.8, 0.1], 1)
    assert BY_NAME["class_mean"].of([both]) == 1
    assert BY_NAME["class_mean"].of([both, one]) == pytest.approx((1 + 1 / 2) / 2)
    missed = score([0.9, 0.1, 0.8], 0, 1)
    assert BY_NAME["class_mean"].of([missed]) == pytest.approx(1 / 2)
    assert BY_NAME["class_mean"].of([score([0.9, 0.1])]) is None, "no class of the model's"


def test_average_precision_of_several_labels():
    scores = [score([0.9, 0.8, 0.1], 0, 1), score([0.2, 0.7, 0.1], 1), score([0.6, 0.1, 0.1], 0)]
    assert mean_average_precision(scores) == pytest.approx(1.0)
    assert mean_average_precision([]) is None


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.name)
def test_no_clips_give_no_figure(figure):
    assert figure.of([]) is None


def test_within_its_group_a_clip_is_told_from_its_like_only():
    group = np.array([True, True, False])
    taken_for_another_group = ClassScore(
        np.array([0.3, 0.2, 0.5]), np.array([1, 0, 0], bool), group
    )
    taken_for_its_like = ClassScore(np.array([0.3, 0.4, 0.3]), np.array([1, 0, 0], bool), group)
    undecided = ClassScore(np.full(3, 1 / 3), np.array([1, 0, 0], bool), group)
    within = BY_NAME["within_group"].of
    assert not taken_for_another_group.is_right
    assert within([taken_for_another_group]) == 1
    assert within([taken_for_its_like]) == 0
    assert within([undecided]) == 0.5
    assert within([taken_for_its_like, undecided, taken_for_another_group]) == 0.5
    alone = ClassScore(np.array([0.3, 0.4, 0.3]), np.array([0, 0, 1], bool), ~group)
    assert within([alone]) is None
    assert within([score([0.9, 0.1], 0)]) is None


def listed(source_id: str, *labels: str, **values: Any) -> Any:
    clip = SimpleNamespace(listed=listed_clip(source_id, "test", labels=labels, **values))
    return Example(0, clip)  # pyright: ignore[reportArgumentType]


def test_the_judge_knows_the_recipes_groups_and_what_weights_were_trained_on():
    seen = {"seen-1", "elsewhere"}
    held_out = ["seen-1", "seen-1", "new-1"]
    judge = ClassificationJudge(
        ("fall", "ring", "rise"), ("move", "", "move"), pretraining=seen, held_out=held_out
    )
    assert "sources of 2 of 3 held-out clips" in judge.note
    assert judge.groups(listed("seen-1", "fall")) == [PRETRAINED]
    assert judge.groups(listed("new-1", "fall")) == [NOT_PRETRAINED]
    told = judge.score(listed("new-1", "fall"), np.array([0.2, 0.7, 0.1]))
    assert told.peers_L is not None
    assert told.peers_L.tolist() == [True, False, True]
    assert judge.score(listed("new-1", "ring"), np.array([0.2, 0.7, 0.1])).peers_L is None
    unknown = ClassificationJudge(("fall", "ring"))
    assert (unknown.note, unknown.groups(listed("new-1", "fall"))) == ("", [])


def test_it_is_told_of_how_many_clips_the_table_of_modalities_knows(tmp_path: Path):
    (tmp_path / "table.csv").write_text("video_id,label,modality\nabc_000000,fall,A\n")
    recipe = ClassificationRecipe.model_validate(
        {
            "name": "r",
            "collection": {"catalog": "c.csv"},
            "evaluation": {"modality_table": "table.csv"},
        }
    )
    clips = [listed("abc", "fall").stored, listed("abc", "ring").stored, listed("d", "fall").stored]
    material: Any = SimpleNamespace(recipe=recipe, recipe_folder=tmp_path, clips={"test": clips})
    predictor: Any = SimpleNamespace(classes=("fall", "ring"))
    judge = make_judge(material, predictor, thorough=True)
    assert judge.note == (
        "Of 1 of 3 held-out clips VGGSounder's table says whether a label is heard, seen, or both."
    )
    assert make_judge(material, predictor, thorough=False).note == ""


def test_the_judge_knows_from_the_recipe_that_a_clip_may_have_several_classes():
    content = {"name": "r", "collection": {"catalog": "c.csv"}, "training": {"multi_label": True}}
    recipe = ClassificationRecipe.model_validate(content)
    material: Any = SimpleNamespace(recipe=recipe, recipe_folder=None, clips={})
    judge = make_judge(material, cast("Any", SimpleNamespace(classes=("a", "b"))), thorough=False)
    assert BY_NAME["nll"].of([judge.score(listed("one", "a", "b"), np.full(2, 0.5))]) == (
        pytest.approx(np.log(2))
    )
    assert "0.693 where nothing is known" in judge.note


@pytest.mark.parametrize(("multi_label", "frequent"), [(False, [0.6, 0.4]), (True, [0.75, 0.5])])
def test_the_prior_is_a_share_of_clips_where_they_may_have_several_classes(
    multi_label: bool, frequent: list[float]
):
    stored = [listed(name, *name).stored for name in ("ab", "a", "a", "b")]
    classifier: Any = SimpleNamespace(
        classes=("a", "b"),
        config=SimpleNamespace(multi_label=multi_label, network=SimpleNamespace(sees=True)),
        gflops=None,
    )
    content = {"name": "r", "collection": {"catalog": "c.csv"}}
    recipe = ClassificationRecipe.model_validate(content)
    material: Any = SimpleNamespace(recipe=recipe, clips={"train": stored})
    predictor: Any = SimpleNamespace(classifier=classifier)
    prior = make_systems(material, predictor, thorough=False)["prior"]
    assert prior.answer(listed("c", "a")) == pytest.approx(frequent)


def test_the_page_counts_clips_that_are_lost_by_hearing_or_seeing_more():
    tests = {"no_sound": {"second_only": 2}, "no_picture": {"second_only": 0}}
    content = {
        "clips": [],
        "classes": [],
        "titles": {"no_sound": "without sound", "no_picture": "without picture"},
        "groups": {
            "all": {"n_clips": 8, "paired": {"top1": tests}},
            "only seen": {"n_clips": 3, "paired": {"top1": tests}},
        },
    }
    nothing: Any = None
    page = " ".join(show_examples(nothing, nothing, content).split())
    assert 'class="number">right without sound</th>' in page
    assert "2 of 8 (25.0 %)" in page
    assert "2 of 3 (66.7 %)" in page
    assert page.count("0 of ") == 2
    seen_only = {"all": {"n_clips": 8, "paired": {}}}
    assert "Lost by" not in show_examples(nothing, nothing, content | {"groups": seen_only})


def test_what_is_heard_and_seen_is_of_a_clip_and_not_of_its_source(tmp_path: Path):
    table = tmp_path / "vggsounder.csv"
    table.write_text(
        "video_id,label,modality,background_music,static_image,voice_over\n"
        "a_b-c_000030,playing harp,AV,False,False,False\n"
        "a_b-c_000030,orchestra,V,False,False,False\n"
        "a_b-c_000090,orchestra,A,False,False,False\n"
        'a_b-c_000090,"bird chirping, tweeting",,False,False,False\n'
    )
    judge = ClassificationJudge(("orchestra",), modalities=read_modalities(table))
    for start_s, labels, groups in (
        (30.0, ["orchestra"], ["only seen"]),
        (30.5, ["playing harp", "orchestra"], ["seen and heard", "only seen"]),
        (90.0, ["orchestra", "bird chirping, tweeting"], ["only heard"]),
        (60.0, ["orchestra"], []),
    ):
        clip = listed("a_b-c", *labels, start_s=start_s, end_s=start_s + 10)
        assert judge.groups(clip) == groups, (start_s, labels)


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "video_id,label,modality\nabc,harp,AV\n"])
def test_a_table_that_is_not_vggsounders_is_named_with_the_setting(text: str, tmp_path: Path):
    (tmp_path / "t.csv").write_text(text)
    for path in (tmp_path / "t.csv", tmp_path / "none.csv"):
        with pytest.raises(SettingsError, match=r"modality_table: .*csv cannot be read .*video_id"):
            read_modalities(path)


@pytest.mark.parametrize(
    "text",
    [
        "abc\n-dash\n",
        "label,youtube_id,time_start\ndance,abc,0\ndance,-dash,10\n",
        "abc,30,playing harp,test\n-dash,0,rain,test\n",
        "﻿video_id\nabc\n\n-dash\n",
    ],
)
def test_lists_of_ids_are_read_however_they_are_published(text: str, tmp_path: Path):
    path = tmp_path / "list.csv"
    path.write_text(text, encoding="utf-8")
    assert read_source_ids(path) == {"abc", "-dash"}


def test_a_list_that_cannot_be_used_is_named_with_the_setting(tmp_path: Path):
    with pytest.raises(SettingsError, match=r"pretraining_list: .*none\.csv cannot be read"):
        read_source_ids(tmp_path / "none.csv")
    (tmp_path / "empty.csv").write_text("\n")
    with pytest.raises(SettingsError, match="names no source"):
        read_source_ids(tmp_path / "empty.csv")


def test_answers_become_files(tmp_path: Path):
    clips = [SimpleNamespace(listed=listed_clip(name, labels=(name,))) for name in ("b", "a")]
    material: Any = SimpleNamespace(clips={"train": clips})
    files = ClassFiles(material)
    for source, label, chances in (("one", "a", (0.9, 0.1)), ("two", "b", (0.6, 0.4))):
        files.write(listed(source, label), "model", np.array(chances))
        files.write(listed(source, label), "prior", np.array((0.0, 1.0)))
    files.keep(tmp_path)
    rows = list(csv.DictReader((tmp_path / "predictions.csv").open()))
    assert [(row["clip_id"], row["said"], float(row["b"])) for row in rows] == [
        ("one", "a", 0.1),
        ("two", "a", 0.4),
    ]
    assert (tmp_path / "confusion.csv").read_text() == "class,a,b\na,1,0\nb,1,0\n"
    assert (tmp_path / "confusion.png").read_bytes().startswith(b"\x89PNG")


def test_the_pages_table_has_the_rows_of_the_file_also_those_of_classes_without_a_clip(
    tmp_path: Path,
):
    classes = ("a", "b", "c", "d")
    clips = [SimpleNamespace(listed=listed_clip(name, labels=(name,))) for name in classes]
    files = ClassFiles(cast("Any", SimpleNamespace(clips={"train": clips})))
    answers = [(("a",), 0), (("b",), 2), (("c", "b"), 0), (("c", "b"), 2), (("strange",), 3)]
    rows, judge = [], ClassificationJudge(classes)
    for labels, said in answers:
        example, chances = listed("one", *labels), np.eye(4)[said]
        files.write(example, "model", chances)
        kept = judge.row(judge.score(example, chances))
        rows.append({"labels": labels, "groups": [], "systems": {"model": kept}})
    files.keep(tmp_path)
    table = list(csv.reader((tmp_path / "confusion.csv").open()))
    matrix = matrix_of([(row["labels"], row["systems"]["model"]) for row in rows], classes)
    assert [["class", *matrix.labels]] == table[:1]
    assert [[row.label, *map(str, row.counts)] for row in matrix.rows] == table[1:]
    assert [sum(map(int, row[1:])) for row in table[1:]] == [1, 2, 1, 0]
    many = sorted({"c", *(f"n{number}" for number in range(41))})
    (first, second) = matrix_of([(("n1",), rows[1]["systems"]["model"])], many).rows
    assert (first.label, second.label) == ("c", "n1"), "of too many, those that occur"
