"""A recipe: what every stage does for one task."""

import hashlib
import json
from typing import Any

from pydantic import Field

from s2s.settings.collection import CollectionSettings
from s2s.settings.evaluation import EvaluationSettings
from s2s.settings.feature_extraction import FeatureSettings
from s2s.settings.preprocessing import PreprocessingSettings
from s2s.settings.section import Section
from s2s.settings.serving import ServingSettings
from s2s.settings.tracking import TrackingSettings
from s2s.settings.training import TrainingSettings
from s2s.settings.validation import ValidationSettings
from s2s.spec import TimeSpec

__all__ = ["STAGES", "Recipe"]

STAGES = (
    "collection",
    "preprocessing",
    "validation",
    "feature_extraction",
    "training",
    "serving",
)


class Recipe(Section):
    """What every stage does for one task.

    A task's own class has the task's own sections in the place of those for `feature_extraction`,
    `training`, `evaluation` and `serving`.

    Attributes:
        name: the recipe's name, part of object keys.
        task: what is learned, one of `s2s.tasks.TASKS`.
        licence: what the data's licence asks of its users, for the model card.
        seed: seed of every random choice.
        spec: rates and lengths.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_.-]*$", max_length=64)
    task: str
    licence: str = ""
    seed: int = Field(default=0, ge=0)
    spec: TimeSpec = TimeSpec()
    collection: CollectionSettings
    preprocessing: PreprocessingSettings = PreprocessingSettings()
    validation: ValidationSettings = ValidationSettings()
    feature_extraction: FeatureSettings = FeatureSettings()
    training: TrainingSettings = TrainingSettings()
    tracking: TrackingSettings = TrackingSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    serving: ServingSettings = ServingSettings()

    def fingerprint(self, *sections: str) -> str:
        """Name the settings that an object depends on by 8 hexadecimal digits.

        Args:
            sections: names of the recipe's fields, or of one setting such as
                `validation.train`; `spec` is always part of it.
        """
        include: dict[str, Any] = {"spec": True}
        for name in sections:
            section, _, setting = name.partition(".")
            include[section] = include.get(section, set()) | {setting} if setting else True
        chosen = self.model_dump(mode="json", include=include)
        return hashlib.sha256(json.dumps(chosen, sort_keys=True).encode()).hexdigest()[:8]
