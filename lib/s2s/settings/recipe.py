"""A recipe: what every stage does for one task."""

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, Field

from s2s.settings.collection import CollectionSettings
from s2s.settings.evaluation import ComparisonSettings, EvaluationSettings
from s2s.settings.feature_extraction import FeatureSettings
from s2s.settings.naming import FEATURES, PARTS, SHARED, Kind, Names, setting_paths
from s2s.settings.preprocessing import PreprocessingSettings
from s2s.settings.section import matching
from s2s.settings.serving import ServingSettings
from s2s.settings.training import TrackingSettings, TrainingSettings
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
_RATES = ("fps", "sample_rate_hz", "mel_per_frame", "n_mels")


class Recipe(BaseModel, frozen=True, extra="forbid"):
    """The settings of every stage, for one task.

    A task's own class has the task's own sections in the place of those for `feature_extraction`,
    `training`, `evaluation` and `serving`, and continues `naming` with a row for each of its own
    settings.

    Attributes:
        naming: which names of objects each setting is part of, by path.
        compared_alike: settings of `training`, by path, that approaches which are compared share.
        name: the recipe's name, part of object keys.
        task: what is learned, one of `s2s.tasks.TASKS`.
        licence: what the data's licence asks of its users, for the model card.
        seed: seed of every random choice.
        spec: rates and lengths.
    """

    naming: ClassVar[Mapping[str, Names]] = SHARED
    compared_alike: ClassVar[tuple[str, ...]] = (
        "training.batch_size",
        "training.max_steps",
        "training.max_minutes",
    )

    name: Annotated[
        str,
        Field(max_length=64),
        matching(
            r"[a-z0-9][a-z0-9_.-]*",
            "small letters, digits, _ . and -, a letter or digit first, as it is part of keys",
        ),
    ]
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
    comparison: ComparisonSettings = ComparisonSettings()
    serving: ServingSettings = ServingSettings()

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse a recipe class with a setting that has no row in the table of names."""
        super().__pydantic_init_subclass__(**kwargs)
        missing = [path for path in setting_paths(cls) if path not in cls.naming]
        if missing:
            raise TypeError(
                f"{cls.__name__}.naming has no row for {', '.join(missing)}: say which objects' "
                "bytes depend on it, see s2s/settings/naming.py"
            )

    @property
    def usual_approaches(self) -> Mapping[str, Mapping[str, Any]]:
        """Settings of `training` of each approach that the task knows, by name; may be none."""
        return {}

    @property
    def why_not_shown(self) -> str:
        """Why the recipe's clips cannot be sent to its model, a clause; empty where they can be."""
        return ""

    @property
    def feature_rates(self) -> tuple[str, ...]:
        """Fields of `spec` that the features depend on; in names, others have their defaults."""
        return _RATES

    def named_settings(self, kind: Kind) -> dict[str, Any]:
        """The settings that objects of a kind depend on, by path such as `preprocessing.crf`."""
        content = self.model_dump(mode="json")
        values = {path: _value(content, path) for path in setting_paths(type(self))}
        if FEATURES in (kind, *PARTS.get(kind, ())):
            unused = set(_RATES) - set(self.feature_rates)
            values |= {f"spec.{name}": getattr(TimeSpec(), name) for name in unused}
        return {
            path: value
            for path, value in values.items()
            if self.naming[path].is_part_of(kind, value, values)
        }

    def fingerprint(self, kind: Kind) -> str:
        """Name the settings that objects of a kind depend on by 8 hexadecimal digits."""
        text = json.dumps(self.named_settings(kind), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:8]


def _value(content: Mapping[str, Any], path: str) -> Any:
    value: Any = content
    for name in path.split("."):
        value = value[name]
    return value
