"""Our code, for clusters that have none of it."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from s2s.engine.modules import modules_of

__all__ = ["packages_of", "runtime_env"]

_PASSED_ON = ("S2S_LOG_LEVEL", "STORAGE_EMULATOR_HOST", "GOOGLE_CLOUD_PROJECT")


def packages_of(function: Callable[..., Any]) -> frozenset[str]:
    """Top packages that hold a function and what it was bound to, with our own."""
    return frozenset({"s2s", *(name.partition(".")[0] for name in modules_of(function))}) - {
        "__main__",
        "builtins",
        "functools",
    }


def runtime_env(packages: frozenset[str]) -> dict[str, Any]:
    """The runtime environment that lets functions of these packages run on a cluster's nodes.

    A folder of tasks of one's own (S2S_TASKS) becomes the workers' working directory.
    """
    variables = {name: os.environ[name] for name in _PASSED_ON if os.environ.get(name)}
    env: dict[str, Any] = {
        "py_modules": sorted(str(path) for name in packages if (path := _source(name))),
        "excludes": ["**/__pycache__/**"],
        "env_vars": variables,
    }
    if tasks := os.environ.get("S2S_TASKS"):
        env["working_dir"] = str(Path(tasks).absolute())
        variables["S2S_TASKS"] = "."
    return env


def _source(name: str) -> Path | None:
    """A package's folder, or a module's file; nothing for what has none."""
    file = getattr(sys.modules.get(name), "__file__", None)
    if file is None:
        return None
    path = Path(file)
    return path.parent if path.name == "__init__.py" else path
