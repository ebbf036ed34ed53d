"""Which trainings a comparison takes: every approach with every seed, and nothing else changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from s2s.errors import SettingsError, what_is_meant
from s2s.settings import Recipe, Settings
from s2s.tasks.recipes import load_recipe

__all__ = ["Run", "plan_runs"]


@dataclass(frozen=True)
class Run:
    """One training of a comparison.

    Attributes:
        approach: its name.
        seed: its seed.
        settings: of the run, with the recipe that the training follows.
    """

    approach: str
    seed: int
    settings: Settings

    @property
    def recipe(self) -> Recipe:
        """What the training follows."""
        return self.settings.recipe


def plan_runs(settings: Settings, seeds: int | None = None, only: Sequence[str] = ()) -> list[Run]:
    """The trainings, seed by seed: one that is stopped early has all approaches with some seeds.

    Args:
        settings: of the recipe whose approaches are compared.
        seeds: how many; None for what the recipe says.
        only: names of approaches; all where there are none.

    Raises:
        SettingsError: if there is nothing to compare, an approach is unknown, has a setting that
            is wrong, or changes one that all must share.
    """
    recipe = settings.recipe
    approaches = recipe.comparison.approaches or recipe.usual_approaches
    unknown = sorted(set(only) - approaches.keys())
    if unknown:
        raise SettingsError(
            f"recipe {recipe.name}: there is no approach {unknown[0]!r}; "
            f"{what_is_meant(unknown[0], approaches)}"
        )
    chosen = {name: changes for name, changes in approaches.items() if not only or name in only}
    if len(chosen) < 2:
        raise SettingsError(
            f"recipe {recipe.name}: a comparison takes two approaches or more: name settings of "
            "training for each in comparison.approaches, such as "
            "{slow: {learning_rate: 0.0001}, fast: {learning_rate: 0.001}}"
        )
    first, count = recipe.seed, seeds or recipe.comparison.seeds
    return [
        Run(name, seed, _settings_of(settings, name, changes, seed))
        for seed in range(first, first + count)
        for name, changes in chosen.items()
    ]


def _settings_of(settings: Settings, name: str, changes: Mapping[str, Any], seed: int) -> Settings:
    try:
        recipe = load_recipe(settings.recipe_path, seed=seed, training=changes)
    except SettingsError as error:
        raise SettingsError(f"comparison.approaches.{name}: {error}") from error
    for path in recipe.compared_alike:
        if _value(recipe, path) != _value(settings.recipe, path):
            raise SettingsError(
                f"recipe {recipe.name}: comparison.approaches.{name} changes {path}: all "
                "approaches have the same, or they could not be compared: set it in the recipe"
            )
    return settings.model_copy(update={"recipe": recipe})


def _value(recipe: Recipe, path: str) -> Any:
    section, _, name = path.partition(".")
    return getattr(getattr(recipe, section), name)
