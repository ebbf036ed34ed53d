"""Recipes: one YAML file that says what every stage does for one task, checked on reading."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from s2s.errors import SettingsError
from s2s.records import Reason
from s2s.sections import (
    DEFAULT_SOURCE_URL,
    CheckSettings,
    CollectionSettings,
    EvaluationSettings,
    FeatureSettings,
    PreprocessingSettings,
    Section,
    TrackingSettings,
    TrainingSettings,
    ValidationSettings,
    VocoderSettings,
)
from s2s.spec import TimeSpec

__all__ = [
    "DEFAULT_SOURCE_URL",
    "CheckSettings",
    "CollectionSettings",
    "EvaluationSettings",
    "FeatureSettings",
    "PreprocessingSettings",
    "Recipe",
    "ServingSettings",
    "Settings",
    "TrackingSettings",
    "TrainingSettings",
    "ValidationSettings",
    "VocoderSettings",
    "checked",
    "load_recipe",
]

ModelT = TypeVar("ModelT", bound=BaseModel)
STAGES = (
    "collection",
    "preprocessing",
    "validation",
    "feature_extraction",
    "training",
    "serving",
)


class ServingSettings(Section):
    """Limits of the HTTP API.

    Attributes:
        max_upload_bytes: a larger upload is answered with 413.
        max_duration_s: a longer video is answered with 422.
        show_clips: held-out clips that the stage sends through the API.
    """

    max_upload_bytes: int = Field(default=200_000_000, ge=1)
    max_duration_s: float = Field(default=300.0, gt=0)
    show_clips: int = Field(default=6, ge=1)


class Recipe(Section):
    """What every stage does for one task.

    Attributes:
        name: the recipe's name, part of object keys.
        task: what is learned.
        licence: what the data's licence asks of its users, for the model card.
        seed: seed of every random choice.
        spec: rates and lengths.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_.-]*$", max_length=64)
    task: Literal["generation"] = "generation"
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


class Settings(BaseModel):
    """One run of a stage: a recipe, and where and how to run it.

    Attributes:
        recipe: what to do.
        recipe_path: the file that it was read from.
        bucket_url: `gs://NAME` or `file://DIR`.
        work_dir: directory for temporary files and local state.
        engine: what maps work over clips.
        workers: processes at a time; None for one a core.
        strict: a failed clip makes the run fail.
        retry_failed: clips with a permanent failure are tried again too.
        retry_reasons: only clips that failed for one of these are worked on; None for all clips.
        report_dir: reports are also written to `<report_dir>/<recipe>/<stage>.json`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: Recipe
    recipe_path: Path
    bucket_url: str
    work_dir: Path = Path(".s2s")
    engine: Literal["local", "ray"] = "local"
    workers: int | None = Field(default=None, ge=1)
    strict: bool = False
    retry_failed: bool = False
    retry_reasons: frozenset[Reason] | None = None
    report_dir: Path | None = None

    @property
    def n_workers(self) -> int:
        """Processes at a time."""
        return self.workers or os.cpu_count() or 1


def load_recipe(path: Path, **changes: Mapping[str, object]) -> Recipe:
    """Read and check a recipe.

    Args:
        path: the YAML file.
        changes: by section, settings that take the place of the file's.

    Raises:
        SettingsError: if the file cannot be read, is not YAML, or a setting is unknown or wrong;
            the message names the setting.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"recipe {path}: cannot be read ({error})") from error
    except yaml.YAMLError as error:
        raise SettingsError(f"recipe {path}: not YAML: {error}") from error
    if not isinstance(content, dict):
        raise SettingsError(f"recipe {path}: must be a mapping of settings, see recipes/README.md")
    for section, change in changes.items():
        content[section] = {**(content.get(section) or {}), **change}
    return checked(Recipe, content, f"recipe {path}")


def checked(model: type[ModelT], content: Mapping[str, object], name: str) -> ModelT:
    """Check settings.

    Raises:
        SettingsError: if one is unknown or wrong; the message names it.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, item['loc'])) or 'settings'}: {item['msg']}"
            for item in error.errors()
        )
        raise SettingsError(f"{name}: {problems}") from error
