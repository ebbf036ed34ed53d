"""Tasks: one folder each, with the same files in all; `contract` describes the files.

A task of your own is such a folder, too, in a directory that S2S_TASKS names.
"""

import os
from pathlib import Path

from s2s.errors import SettingsError

__all__ = ["TASKS", "module_of", "task_names"]

TASKS = ("generation", "classification", "separation")
"""The tasks that this project brings."""

_OWN = os.environ.get("S2S_TASKS", "")
if _OWN:
    __path__.append(_OWN)


def task_names() -> tuple[str, ...]:
    """Every task that a recipe may name: those of the project, and those under S2S_TASKS."""
    own = sorted(path.parent.name for path in Path(_OWN).glob("*/settings*")) if _OWN else []
    return (*TASKS, *(name for name in own if name not in TASKS))


def module_of(name: str) -> str:
    """The package of a task.

    Raises:
        SettingsError: if there is no such task.
    """
    if name not in task_names():
        raise SettingsError(
            f"task {name!r}: there is none of that name, use {', '.join(task_names())}"
        )
    return f"s2s.tasks.{name}"
