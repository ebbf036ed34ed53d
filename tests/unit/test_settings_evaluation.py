"""A recipe's section `evaluation`: groups of clips, and what figures must come to."""

from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from s2s.errors import SettingsError
from s2s.tasks import TASKS
from s2s.tasks.generation.settings import GenerationEvaluationSettings
from s2s.tasks.loading import load_task
from s2s.tasks.recipes import load_recipe, recipe_class

GROUPS = {"hits": ("* knocking", "glass *"), "noise": ("rain*",)}


@pytest.mark.parametrize(
    ("labels", "group"),
    [
        (["wooden block knocking"], "hits"),
        (["speech", "rain on a roof"], "noise"),
        (["speech"], ""),
        ([], ""),
    ],
)
def test_a_clip_is_in_the_first_group_that_has_one_of_its_labels(labels: list[str], group: str):
    assert GenerationEvaluationSettings(groups=GROUPS).group_of(labels) == group


@pytest.mark.parametrize(
    ("must_be", "met", "missed"), [("at_least", 2.0, 1.9), ("at_most", 2.0, 2.1), ("below", 1.9, 2)]
)
def test_a_bound_may_be_a_share_of_another_systems_figure(must_be: str, met: float, missed: float):
    content = {"figure": "frechet", "must_be": must_be, "bound": 0.5, "of": "random_clip"}
    target = GenerationEvaluationSettings.model_validate({"targets": [content]}).targets[0]
    assert target.is_met(met, reference=4.0)
    assert not target.is_met(missed, reference=4.0)
    assert target.sentence({"frechet": "Fréchet distance"}).endswith(" 0.5 × that of random_clip")


@pytest.mark.parametrize("task", ["generation", "classification", "separation"])
@pytest.mark.parametrize(
    ("typo", "said"),
    [
        ({"figure": "FIGUR"}, "there is no figure 'FIGUR'; is FIGURE meant?"),
        ({"system": "modle"}, "there is no system 'modle'; is model meant?"),
        ({"of": "modell"}, "there is no system 'modell'; is model meant?"),
        ({"group": "alll"}, "there is no group 'alll'; is all meant?"),
        ({"group": "hitz"}, "there is no group 'hitz'; is hits meant?"),
    ],
)
def test_a_target_of_nothing_is_refused_when_the_recipe_is_read(
    tmp_path: Path, task: str, typo: dict[str, str], said: str
):
    figure = recipe_class(task).model_fields["evaluation"].default.FIGURES[0]
    target = {"figure": figure, "must_be": "below", "bound": 1, "group": "hits"} | typo
    path = tmp_path / "r.yaml"
    content = {"name": "r", "task": task, "collection": {"catalog": "c.csv"}}
    content["evaluation"] = {"groups": {"hits": ["x"]}, "targets": [target]}
    near = f"{figure}x"
    path.write_text(yaml.safe_dump(content).replace("FIGUR", near))
    said = said.replace("FIGURE", figure).replace("FIGUR", near)
    with pytest.raises(SettingsError) as caught:
        load_recipe(path)
    assert str(caught.value) == f"recipe {path}: evaluation: targets: {said}"


@pytest.mark.parametrize(
    ("task", "settings", "target", "remedy"),
    [
        ("classification", {}, {"system": "full_view"}, "evaluation.views or evaluation.crops"),
        ("classification", {"robustness": False}, {"of": "noise"}, "evaluation.robustness"),
        ("classification", {}, {"group": "only heard"}, "evaluation.modality_table"),
        ("classification", {}, {"group": "weights trained on"}, "evaluation.pretraining_list"),
        ("separation", {"conditions": ["noise"]}, {"group": "same_voice"}, "evaluation.conditions"),
    ],
)
def test_a_target_of_what_the_recipe_leaves_out_is_refused_when_it_is_read(
    tmp_path: Path, task: str, settings: dict[str, object], target: dict[str, str], remedy: str
):
    figure = recipe_class(task).model_fields["evaluation"].default.FIGURES[0]
    path = tmp_path / "r.yaml"
    content: dict[str, object] = {"name": "r", "task": task, "collection": {"catalog": "c.csv"}}
    target = {"figure": figure, "must_be": "below", "bound": 1} | target
    content["evaluation"] = settings | {"targets": [target]}
    path.write_text(yaml.safe_dump(content))
    (name,) = {"system", "of", "group"} & target.keys()
    with pytest.raises(SettingsError, match=f"{target[name]}' is not measured: .*{remedy}"):
        load_recipe(path)


@pytest.mark.parametrize("task", TASKS)
def test_settings_know_the_tasks_figures(task: str):
    known = recipe_class(task).model_fields["evaluation"].default.FIGURES
    assert known == tuple(figure.name for figure in load_task(task).figures)


@pytest.mark.parametrize(
    "content",
    [
        {"groups": {"all": ["x"]}},
        {"targets": [{"figure": "stft", "must_be": "below", "bound": 1, "group": "hits"}]},
        {"targets": [{"figure": "stft", "must_be": "equal", "bound": 1}]},
    ],
)
def test_what_cannot_be_measured_is_refused(content: dict[str, object]):
    with pytest.raises(ValidationError):
        GenerationEvaluationSettings.model_validate(content)
