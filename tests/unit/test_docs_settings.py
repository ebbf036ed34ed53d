"""The tables of recipes/README.md name every setting of every task, and nothing else."""

import re
from pathlib import Path

import pytest

from s2s.settings.naming import setting_paths
from s2s.tasks import task_names
from s2s.tasks.recipes import recipe_class

_ROOT = Path(__file__).parents[2]
_VOCODER = "training.vocoder."  # docs/vocoder.md has these
_WHOLE = ("collection.columns",)  # sections that are named as one


def named_settings() -> set[str]:
    """Names in the first column; `.name` is in the section of the name before it."""
    text, named = (_ROOT / "recipes" / "README.md").read_text(encoding="utf-8"), set()
    for row in re.findall(r"^\| (`[^|]*) \|", text, re.MULTILINE):
        section = ""
        for name in re.findall(r"`([^`]+)`", row):
            whole = section + name if name.startswith(".") else name
            section = whole.rpartition(".")[0]
            named.add(whole)
    return {name for name in named if not name.endswith(".yaml")}


def settings_of(task: str) -> set[str]:
    return set(setting_paths(recipe_class(task)))


@pytest.mark.parametrize("task", task_names())
def test_every_setting_is_named(task: str):
    vocoder = set(re.findall(r"`(\w+)`", (_ROOT / "docs" / "vocoder.md").read_text("utf-8")))
    named = named_settings() | {_VOCODER + name for name in vocoder}
    assert (
        sorted(path for path in settings_of(task) - named if path.rpartition(".")[0] not in _WHOLE)
        == []
    )


def test_every_setting_that_is_named_is_there():
    known = set().union(*(settings_of(task) for task in task_names()))
    assert sorted(named_settings() - known - {*_WHOLE}) == []
