"""A recipe's file, checked on reading: its task says which sections it has."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

from s2s.errors import SettingsError, what_is_meant
from s2s.settings import Recipe, Section, checked
from s2s.tasks import TASKS, module_of, task_names

__all__ = ["find_named_recipe", "load_recipe", "recipe_class"]

_SUFFIX = ".yaml"
_FOLDERS = (Path("recipes"), Path(__file__).parents[3] / "recipes", Path("/recipes"))
"""Where recipes are known by their names: of the working directory, of the project wherever that
is, and of the image."""


def find_named_recipe(name: str) -> Path | None:
    """The file of a recipe that is known by its name, such as `silent_to_sound.sample`."""
    paths = (folder / f"{name}{_SUFFIX}" for folder in _FOLDERS)
    return next((path for path in paths if path.is_file()), None)


def recipe_class(task: str) -> type[Recipe]:
    """Find the recipe class of a task; imports no torch.

    Raises:
        SettingsError: if there is no such task.
    """
    return import_module(f"{module_of(task)}.settings").TaskRecipe


def load_recipe(path: Path, *, seed: int | None = None, **changes: Mapping[str, object]) -> Recipe:
    """Read and check a recipe.

    Args:
        path: the YAML file.
        seed: takes the place of the file's.
        changes: by section, settings that take the place of the file's; of a section in a section
            only those that are named.

    Returns:
        of its task's own class.

    Raises:
        SettingsError: if the file cannot be read, is not YAML, or a setting is unknown or wrong;
            the message names the setting, and the task whose it is where it is another's.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SettingsError(
            f"recipe {path}: cannot be read (no such file, and no recipe of that name in "
            f"recipes/); {_what_is_there(path)}"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"recipe {path}: cannot be read ({error})") from error
    except yaml.YAMLError as error:
        raise SettingsError(f"recipe {path}: not YAML: {error}") from error
    if not isinstance(content, dict):
        raise SettingsError(f"recipe {path}: must be a mapping of settings, see recipes/README.md")
    content = _changed(content, changes if seed is None else {**changes, "seed": seed})
    task = str(content.setdefault("task", TASKS[0]))
    if task not in task_names():
        raise SettingsError(
            f"recipe {path}: task: there is no {task!r}, use {', '.join(task_names())}"
        )
    model = recipe_class(task)
    _refuse_settings_of_others(model, content, path)
    return checked(model, content, f"recipe {path}")


def _what_is_there(path: Path) -> str:
    """How an error about a file that is not there goes on: recipes by name, and those beside it."""
    files = sorted(file.name for file in path.parent.glob("*.y*ml"))
    names = (file.stem for folder in _FOLDERS for file in sorted(folder.glob(f"*{_SUFFIX}")))
    known = list(dict.fromkeys(names))
    if path.suffix in {_SUFFIX, ".yml"}:
        return what_is_meant(path.name, files or known)
    return what_is_meant(
        path.name, [*known, *(name for name in files if Path(name).stem not in known)]
    )


def _changed(content: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Content with some values changed, however deep."""
    made = dict(content)
    for name, value in changes.items():
        old = made.get(name)
        if isinstance(value, Mapping) and isinstance(old, dict):
            value = _changed(old, value)  # noqa: PLW2901 - a section, as it becomes
        made[name] = value
    return made


def _refuse_settings_of_others(
    model: type[Recipe], content: Mapping[str, object], path: Path
) -> None:
    """Say of a setting that the task does not have, but another has, whose it is."""
    for section, settings in content.items():
        if section not in model.model_fields or not isinstance(settings, dict):
            continue
        for name in settings.keys() - _settings(model, section):
            owners = [
                other for other in task_names() if name in _settings(recipe_class(other), section)
            ]
            if owners:
                raise SettingsError(
                    f"recipe {path}: {section}.{name}: a setting of the task "
                    f"{' and '.join(owners)}, and the recipe's task is {content['task']}: remove it"
                )


def _settings(model: type[Recipe], section: str) -> set[str]:
    field = model.model_fields.get(section)
    kind = field.annotation if field else None
    if isinstance(kind, type) and issubclass(kind, Section):
        return set(kind.model_fields)
    return set()
