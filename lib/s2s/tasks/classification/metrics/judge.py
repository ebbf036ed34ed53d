"""How one answer does, beside what the catalog says of the clip.

Legend: L classes.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from s2s.features.stored import StoredClip
from s2s.tasks.classification.metrics.lists import read_modalities, read_source_ids
from s2s.tasks.classification.settings import ClassificationRecipe
from s2s.tasks.classification.settings.evaluation import MODALITIES, NOT_PRETRAINED, PRETRAINED
from s2s.tasks.contract import Example, Judge, Material, Predictor

__all__ = ["ClassScore", "ClassificationJudge", "make_judge"]

_LEAST_CHANCE = 1e-7
_MULTI_LABEL = (
    "A clip may have several classes, each yes or no: the negative log likelihood is the mean over "
    "classes, 0.693 where nothing is known."
)


@dataclass(frozen=True)
class ClassScore:
    """One answer and the truth.

    Attributes:
        chances_L: what was said: probabilities of classes.
        target_L: bool: which classes the clip has.
        peers_L: bool: classes of the clip's group, among which it is told apart; None without one.
        is_multi_label: whether clips may have several classes: probabilities are then of each class
            apart, yes or no, and do not add up to one.
    """

    chances_L: np.ndarray
    target_L: np.ndarray
    peers_L: np.ndarray | None = None
    is_multi_label: bool = False

    # Kept once they are computed: intervals ask for them some hundred times.
    @cached_property
    def rank(self) -> int:
        """How many classes are more probable than those of the clip."""
        order = np.argsort(-self.chances_L, kind="stable")
        found = np.flatnonzero(self.target_L[order])
        return int(found[0]) if len(found) else len(order)

    @property
    def is_right(self) -> bool:
        """Whether the most probable class is one of the clip's."""
        return self.is_in_first(1)

    def is_in_first(self, count: int) -> bool:
        """Whether one of the clip's classes is among the most probable."""
        return self.rank < count

    @cached_property
    def found(self) -> np.ndarray:
        """Bool (L,): the clip's classes that are among the most probable, as many as it has.

        As in the precision at equal recall rate of Abu-El-Haija et al. 2016, "YouTube-8M". Of a
        clip with one class: whether it is the most probable one.
        """
        first = np.argsort(-self.chances_L, kind="stable")[: int(self.target_L.sum())]
        found_L = np.zeros(len(self.target_L), bool)
        found_L[first] = self.target_L[first]
        return found_L

    @cached_property
    def pair(self) -> tuple[int, int]:
        """Its class and what is said; of several classes the one that is said, or the first."""
        said = int(self.chances_L.argmax())
        return (said if self.is_right else int(self.target_L.argmax())), said

    @cached_property
    def share_in_group(self) -> float | None:
        """Whether it is right among the classes of its group; None without another class there.

        Of classes that are as probable as the clip's one is drawn: it counts by its chance.
        """
        if self.peers_L is None:
            return None
        own, others = self.peers_L & self.target_L, self.peers_L & ~self.target_L
        if not own.any() or not others.any():
            return None
        best = self.chances_L[own].max()
        if best < self.chances_L[others].max():
            return 0.0
        return 1 / (1 + int((self.chances_L[others] == best).sum()))

    @cached_property
    def surprise(self) -> float:
        """Negative log likelihood of the truth, in nats.

        Of one class a clip: of the probability of the clip's class. Of several: the mean over all
        classes of that of yes where the clip has it, of no where it has not; log 2 where nothing is
        known.
        """
        if self.is_multi_label:
            said_L = np.where(self.target_L, self.chances_L, 1 - self.chances_L)
            return float(-np.log(said_L.clip(_LEAST_CHANCE, 1)).mean())
        said = float((self.chances_L * self.target_L).sum())
        return float(-np.log(max(min(said, 1.0), _LEAST_CHANCE)))


class ClassificationJudge(Judge):
    """Compares probabilities with the catalog's labels.

    Args:
        classes: names of the classes, in the order of the answers.
        class_groups: the recipe's group of each class; empty where it has none.
        modalities: by source id, second at which a clip starts, and label, how VGGSounder's
            annotators know of the label.
        pretraining: source ids of clips that the weights were trained on.
        held_out: source ids of clips that may be measured on.
        is_multi_label: whether clips may have several classes.
    """

    def __init__(
        self,
        classes: Sequence[str],
        class_groups: Sequence[str] = (),
        modalities: Mapping[tuple[str, int, str], str] | None = None,
        pretraining: Container[str] = (),
        held_out: Sequence[str] = (),
        *,
        is_multi_label: bool = False,
    ) -> None:
        self.classes = tuple(classes)
        self._is_multi_label = is_multi_label
        self._class_groups = np.array(class_groups or [""] * len(self.classes), object)
        self._modalities = modalities or {}
        self._seen = {source for source in held_out if source in pretraining}
        n_seen = sum(source in self._seen for source in held_out)
        self.note = (
            f"The weights were trained on the sources of {n_seen} of {len(held_out)} held-out "
            "clips: figures are given of those and of the others too."
            if n_seen
            else ""
        )

    def score(self, example: Example, answer: np.ndarray) -> ClassScore:
        """Compare an answer, float (L,)."""
        labels = example.listed.labels
        target_L = np.array([name in labels for name in self.classes], bool)
        groups = {name for name in self._class_groups[target_L] if name}
        peers_L = np.isin(self._class_groups, sorted(groups)) if groups else None
        return ClassScore(
            np.asarray(answer, np.float64), target_L, peers_L, is_multi_label=self._is_multi_label
        )

    def row(self, score: ClassScore) -> Mapping[str, Any]:
        """The most probable classes."""
        order = np.argsort(-score.chances_L, kind="stable")[:5]
        said = {self.classes[n]: round(float(score.chances_L[n]), 4) for n in order}
        return {"said": said, "is_right": score.is_right}

    def groups(self, example: Example) -> Sequence[str]:
        """Whether its label can be heard, seen, or both; whether weights were trained on it."""
        listed = example.listed
        place = listed.source_id, int(listed.start_s)
        found = {self._modalities.get((*place, label)) for label in listed.labels}
        groups = [MODALITIES[name] for name in sorted(found - {None}, key=str) if name]
        if self._seen:
            groups.append(PRETRAINED if listed.source_id in self._seen else NOT_PRETRAINED)
        return groups


def make_judge(material: Material, predictor: Predictor, *, thorough: bool) -> ClassificationJudge:
    """The judge of a recipe's model.

    Raises:
        SettingsError: if a list or table that the recipe names cannot be read.
    """
    recipe = material.recipe
    assert isinstance(recipe, ClassificationRecipe)  # noqa: S101 - for the type checker
    settings, folder = recipe.evaluation, material.recipe_folder
    classes: Sequence[str] = getattr(predictor, "classes", ())
    modalities: Mapping[tuple[str, int, str], str] = {}
    pretraining: Container[str] = ()
    if thorough and settings.modality_table:
        modalities = read_modalities(folder / settings.modality_table)
    if thorough and settings.pretraining_list:
        pretraining = read_source_ids(folder / settings.pretraining_list)
    held_out = material.clips.get("test") or material.clips.get("val") or ()
    judge = ClassificationJudge(
        classes,
        [settings.group_of([name]) for name in classes],
        modalities,
        pretraining,
        [clip.listed.source_id for clip in held_out],
        is_multi_label=recipe.training.multi_label,
    )
    notes = [judge.note]
    if recipe.training.multi_label:
        notes.append(_MULTI_LABEL)
    if modalities:
        notes.append(_said_of_modalities(held_out, modalities))
    judge.note = " ".join(filter(None, notes))
    return judge


def _said_of_modalities(
    held_out: Sequence[StoredClip], modalities: Mapping[tuple[str, int, str], str]
) -> str:
    listed = [clip.listed for clip in held_out]
    n_known = sum(
        any((clip.source_id, int(clip.start_s), label) in modalities for label in clip.labels)
        for clip in listed
    )
    return (
        f"Of {n_known} of {len(listed)} held-out clips VGGSounder's table says whether a label is "
        "heard, seen, or both."
    )
