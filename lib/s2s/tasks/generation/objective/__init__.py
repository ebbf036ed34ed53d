"""The objectives of training: the vocoder's, where the recipe asks for one, then the model's."""

from collections.abc import Iterator

from s2s.tasks.contract import Material, Objective
from s2s.tasks.generation.objective.flow import make_flow_objective
from s2s.tasks.generation.objective.vocoder import prepare_vocoder

__all__ = ["objectives"]


def objectives(material: Material) -> Iterator[Objective]:
    """The vocoder's, if one is to be trained and none is there yet, then the model's.

    Raises:
        ModelError: if a vocoder that was trained elsewhere does not fit.
        StageError: if there is no sound that a vocoder could be trained on.
    """
    vocoder = yield from prepare_vocoder(material)
    yield make_flow_objective(material, vocoder)
