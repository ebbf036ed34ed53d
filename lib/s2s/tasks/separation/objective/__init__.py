"""What is made small in training."""

from collections.abc import Iterator

from s2s.tasks.contract import Material, Objective
from s2s.tasks.separation.objective.separation import make_objective

__all__ = ["objectives"]


def objectives(material: Material) -> Iterator[Objective]:
    """The one objective of a separator.

    Raises:
        SettingsError: if the folder that noise is to be cut from cannot be read.
    """
    yield make_objective(material)
