"""Sample recipes: on data that the project renders, so that they need no account and no network."""

from pathlib import Path

from s2s.errors import SettingsError

__all__ = ["DEFAULT_SAMPLE", "sample_names", "sample_recipe"]

DEFAULT_SAMPLE = "silent_to_sound"
_RECIPES = Path(__file__).parents[1] / "recipes"
_SUFFIX = ".sample.yaml"


def sample_recipe(name: str = DEFAULT_SAMPLE) -> Path:
    """The file of a sample recipe.

    Args:
        name: such as `silent_to_sound`.

    Raises:
        SettingsError: if there is none of that name; it names those that there are.
    """
    names = sample_names()
    if name not in names:
        raise SettingsError(f"no sample recipe {name!r}: use {', '.join(names)}")
    return _RECIPES / f"{name}{_SUFFIX}"


def sample_names() -> list[str]:
    """Names of the sample recipes."""
    return sorted(path.name.removesuffix(_SUFFIX) for path in _RECIPES.glob(f"*{_SUFFIX}"))
