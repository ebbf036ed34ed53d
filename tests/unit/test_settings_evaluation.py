"""A recipe's section `evaluation`: groups of clips, and what figures must come to."""

import pytest
from pydantic import ValidationError

from s2s.tasks.generation.settings import GenerationEvaluationSettings

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
