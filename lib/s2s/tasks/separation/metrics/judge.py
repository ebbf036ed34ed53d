"""Compares what was found in a clip's mixtures with the voices that were mixed."""

from collections.abc import Mapping, Sequence
from typing import Any

from s2s.tasks.contract import Example, Judge, Material
from s2s.tasks.separation.data import HeldOutMixtures
from s2s.tasks.separation.metrics.hearing import Ears
from s2s.tasks.separation.metrics.scores import FaceScore, score_faces
from s2s.tasks.separation.systems.answer import SeparationAnswer

__all__ = ["MixtureScores", "SeparationJudge"]

MixtureScores = Sequence[Sequence[FaceScore]]
"""Scores of the faces of every mixture that is made for a clip."""


class SeparationJudge(Judge):
    """Knows the true voices.

    Args:
        material: where the clips are.
        thorough: whether it listens closely to some systems.
    """

    def __init__(self, material: Material, *, thorough: bool) -> None:
        self._mixtures = HeldOutMixtures(material)
        rate_hz = material.recipe.spec.sample_rate_hz
        self._ears = {closely: Ears(rate_hz, closely=closely) for closely in {False, thorough}}
        self.note = self._ears[thorough].note

    def score(self, example: Example, answer: SeparationAnswer) -> MixtureScores:
        """Scores of all faces of all mixtures."""
        plans, mixed = self._mixtures.plans(example), self._mixtures.of(example)
        seconds = None if answer.seconds is None else answer.seconds / len(mixed)
        ears = self._ears[answer.is_heard_closely]
        scores = [
            score_faces(one, [face.clip_id for face in plan.faces], found_SN, seconds, ears)
            for plan, one, found_SN in zip(plans, mixed, answer.voices, strict=True)
        ]
        return (
            [[face.dealt for face in faces] for faces in scores] if answer.is_only_dealt else scores
        )

    def row(self, score: MixtureScores) -> Mapping[str, Any]:
        """What is kept: each face of each mixture."""
        return {"mixtures": [{"faces": [face.row() for face in faces]} for faces in score]}

    def groups(self, example: Example) -> Sequence[str]:
        """The condition of the clip's mixtures."""
        return [self._mixtures.plans(example)[0].condition]
