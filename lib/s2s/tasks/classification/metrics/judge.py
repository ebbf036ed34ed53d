"""How one answer does, beside what the catalog says of the clip.

Legend: L classes.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from s2s.errors import SettingsError
from s2s.tasks.classification.settings import ClassificationRecipe
from s2s.tasks.contract import Example, Judge, Material, Predictor

__all__ = ["ClassScore", "ClassificationJudge", "make_judge"]

_LEAST_CHANCE = 1e-7
_MODALITIES = {"A": "only heard", "V": "only seen", "AV": "seen and heard"}


@dataclass(frozen=True)
class ClassScore:
    """One answer and the truth.

    Attributes:
        chances_L: what was said: probabilities of classes.
        target_L: bool: which classes the clip has.
    """

    chances_L: np.ndarray
    target_L: np.ndarray

    @property
    def is_right(self) -> bool:
        """Whether the most probable class is one of the clip's."""
        return self.is_in_first(1)

    def is_in_first(self, count: int) -> bool:
        """Whether one of the clip's classes is among the most probable."""
        return bool(self.target_L[np.argsort(-self.chances_L, kind="stable")[:count]].any())

    @property
    def surprise(self) -> float:
        """Negative logarithm of the probability of the clip's classes, in nats."""
        said = float((self.chances_L * self.target_L).sum())
        return float(-np.log(max(min(said, 1.0), _LEAST_CHANCE)))


class ClassificationJudge(Judge):
    """Compares probabilities with the catalog's labels.

    Args:
        classes: names of the classes, in the order of the answers.
        modalities: by source id and label, how VGGSounder's annotators know of the label.
    """

    def __init__(
        self, classes: Sequence[str], modalities: Mapping[tuple[str, str], str] | None = None
    ) -> None:
        self.classes = tuple(classes)
        self._modalities = modalities or {}

    def score(self, example: Example, answer: np.ndarray) -> ClassScore:
        """Compare an answer, float (L,)."""
        labels = example.listed.labels
        target_L = np.array([name in labels for name in self.classes])
        return ClassScore(np.asarray(answer, np.float64), target_L)

    def row(self, score: ClassScore) -> Mapping[str, Any]:
        """The most probable classes."""
        order = np.argsort(-score.chances_L, kind="stable")[:5]
        said = {self.classes[n]: round(float(score.chances_L[n]), 4) for n in order}
        return {"said": said, "is_right": score.is_right}

    def groups(self, example: Example) -> Sequence[str]:
        """Whether the clip's label can be heard, seen, or both."""
        listed = example.listed
        found = {self._modalities.get((listed.source_id, label)) for label in listed.labels}
        return [_MODALITIES[name] for name in sorted(found - {None}, key=str) if name]


def make_judge(material: Material, predictor: Predictor, *, thorough: bool) -> ClassificationJudge:
    """The judge of a recipe's model.

    Raises:
        SettingsError: if the table of modalities cannot be read.
    """
    recipe = material.recipe
    assert isinstance(recipe, ClassificationRecipe)  # noqa: S101 - for the type checker
    table = recipe.evaluation.modality_table
    modalities = _read_modalities(material.recipe_folder / table) if table and thorough else {}
    classes: Sequence[str] = getattr(predictor, "classes", ())
    return ClassificationJudge(classes, modalities)


def _read_modalities(path: Path) -> dict[tuple[str, str], str]:
    """VGGSounder's table (Zverev et al. 2025): `video_id,label,modality,…`, a label a row."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        return {
            (row["video_id"].rpartition("_")[0] or row["video_id"], row["label"]): row["modality"]
            for row in rows
            if row["modality"] in _MODALITIES
        }
    except (OSError, UnicodeDecodeError, KeyError, csv.Error) as error:
        raise SettingsError(
            f"evaluation.modality_table: {path} cannot be read ({error}): it must have the columns "
            "video_id, label and modality, as VGGSounder's table has"
        ) from error
