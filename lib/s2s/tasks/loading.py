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
    Predictor,
    Processor,
    ReportPart,
    System,
)
from s2s.tasks.recipes import recipe_class
from s2s.tasks.values import Offer, Proof

__all__ = ["Task", "load_task"]


class Task:
    """A task: the parts of its folder behind one object, see `s2s.tasks.contract`.

    Args:
        name: such as `generation`.

    Raises:
        SettingsError: if there is no such task.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._package = module_of(name)

    @property
    def recipe_class(self) -> type[Recipe]:
        """The class of its recipes."""
        return recipe_class(self.name)

    @property
    def offer(self) -> Offer:
        """How it is served."""
        return self._part("predictor").OFFER

    @property
    def proof(self) -> Proof:
        """How the serving stage checks that it is served."""
        return getattr(self._part("predictor"), "PROOF", Proof())

    @property
    def page_folder(self) -> Path:
        """Where its `tab.html` and `tab.js` are."""
        spec = find_spec(self._package)
        assert spec is not None  # noqa: S101 - it is a package
        assert spec.submodule_search_locations  # noqa: S101
        return Path(spec.submodule_search_locations[0]) / "page"

    @property
    def figures(self) -> Sequence[Figure]:
        """The figures of an evaluation."""
        return self._part("metrics").FIGURES

    @property
    def report(self) -> ReportPart:
        """Its part of reports."""
        return self._part("page")

    def fetch_weights(
        self, recipe: Recipe, path: Path, recipe_folder: Path, bucket: Bucket
    ) -> None:
        """Write the weights of a recipe's extractors to one file."""
        self._part("extractors").fetch_weights(recipe, path, recipe_folder, bucket)

    def make_processor(self, recipe: Recipe, weights: Path | None) -> Processor:
        """Make a recipe's processor; `weights` is the file that `fetch_weights` wrote."""
        return self._part("processor").make_processor(recipe, weights)

    def objectives(self, material: Material) -> Iterator[Objective]:
        """What is trained, one after another."""
        return self._part("objective").objectives(material)

    def make_judge(self, material: Material, predictor: Predictor, *, thorough: bool) -> Judge:
        """Make the judge of an evaluation."""
        return self._part("metrics").make_judge(material, predictor, thorough=thorough)

    def make_systems(
        self, material: Material, predictor: Predictor, *, thorough: bool
    ) -> Mapping[str, System]:
        """Make the systems of an evaluation, by name."""
        return self._part("systems").make_systems(material, predictor, thorough=thorough)

    def make_files(self, material: Material, folder: Path) -> AnswerFiles | None:
        """Make what keeps answers as files; None for a task without any."""
        make = getattr(self._part("metrics"), "make_files", None)
        return None if make is None else make(material, folder)

    def load(self, folder: Path, limits: MediaLimits) -> Predictor:
        """Load a model directory.

        Raises:
            ModelError: if it does not hold a model of the task.
        """
        return self._part("predictor").load(folder, limits)

    def _part(self, name: str) -> Any:
        return import_module(f"{self._package}.{name}")


def load_task(name: str) -> Task:
    """Find a task by its name; its parts are imported when they are used.

    Raises:
        SettingsError: if there is no such task.
    """
    return Task(name)
