"""Tasks by their names: each part of a task's folder is imported when it is asked for."""

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from s2s.media import MediaLimits
from s2s.settings import Recipe
from s2s.storage import Bucket
from s2s.tasks import module_of
from s2s.tasks.contract import (
    AnswerFiles,
    Figure,
    Judge,
    Material,
    Objective,
    Offer,
    Predictor,
    Processor,
    Proof,
    ReportPart,
    System,
    Task,
)
from s2s.tasks.recipes import recipe_class

__all__ = ["load_task"]


def load_task(name: str) -> Task:
    """A task; whatever of its parts brings torch is imported when it is used.

    Raises:
        SettingsError: if there is no such task.
    """
    module_of(name)
    return _Folder(name)


class _Folder:
    """A task, by what its folder has."""

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def recipe_class(self) -> type[Recipe]:
        return recipe_class(self.name)

    @property
    def offer(self) -> Offer:
        return self._part("predictor").OFFER

    @property
    def proof(self) -> Proof:
        return getattr(self._part("predictor"), "PROOF", Proof())

    @property
    def page_folder(self) -> Path:
        spec = find_spec(module_of(self.name))
        assert spec is not None  # noqa: S101 - it is a package
        assert spec.submodule_search_locations  # noqa: S101
        return Path(spec.submodule_search_locations[0]) / "page"

    @property
    def figures(self) -> Sequence[Figure]:
        return self._part("metrics").FIGURES

    def fetch_weights(
        self, recipe: Recipe, path: Path, recipe_folder: Path, bucket: Bucket
    ) -> None:
        self._part("extractors").fetch_weights(recipe, path, recipe_folder, bucket)

    def make_processor(self, recipe: Recipe, weights: Path | None) -> Processor:
        return self._part("processor").make_processor(recipe, weights)

    def objectives(self, material: Material) -> Iterator[Objective]:
        return self._part("objective").objectives(material)

    def make_judge(self, material: Material, predictor: Predictor, *, thorough: bool) -> Judge:
        return self._part("metrics").make_judge(material, predictor, thorough=thorough)

    def make_systems(
        self, material: Material, predictor: Predictor, *, thorough: bool
    ) -> Mapping[str, System]:
        return self._part("systems").make_systems(material, predictor, thorough=thorough)

    @property
    def report(self) -> ReportPart:
        return self._part("page")

    def make_files(self, material: Material, folder: Path) -> AnswerFiles | None:
        make = getattr(self._part("metrics"), "make_files", None)
        return None if make is None else make(material, folder)

    def load(self, folder: Path, limits: MediaLimits) -> Predictor:
        return self._part("predictor").load(folder, limits)

    def _part(self, name: str) -> Any:
        return import_module(f"{module_of(self.name)}.{name}")
