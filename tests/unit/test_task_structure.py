"""Every task's folder holds the same parts: what is missing, or is no part, is named."""

import ast
import configparser
from pathlib import Path

import pytest

import s2s.tasks
from s2s.tasks import TASKS

ROOT = Path(s2s.tasks.__file__).parent
PARTS = {
    "settings": {"TaskRecipe"},
    "extractors": set(),
    "processor": {"make_processor"},
    "data": set(),
    "network": set(),
    "objective": {"objectives"},
    "metrics": {"FIGURES", "make_judge"},
    "systems": {"make_systems"},
    "predictor": {"OFFER", "load"},
    "page": {"CAPTION", "show_answers", "show_examples"},
}
"""Each part, and what `s2s.tasks.loading` looks for in it."""
PAGE_FILES = {"tab.html", "tab.js"}


def problems_of(folder: Path) -> list[str]:
    """What is wrong with a task's folder, in words."""
    found = {path.name.removesuffix(".py"): path for path in folder.iterdir()}
    found.pop("__pycache__", None)
    wanted = {"README.md", "__init__", *PARTS}
    problems = [f"{folder.name}: {name} is missing" for name in sorted(wanted - found.keys())]
    problems += [
        f"{folder.name}: {found[name].name} is no part of a task"
        for name in sorted(found.keys() - wanted)
    ]
    for part, names in PARTS.items():
        if part in found:
            problems += [
                f"{folder.name}: {part} has no {name}"
                for name in sorted(names - _names_in(found[part]))
            ]
    if "page" in found:
        missing = PAGE_FILES - {path.name for path in found["page"].glob("*")}
        problems += [f"{folder.name}: page has no {name}" for name in sorted(missing)]
    return problems


def _names_in(part: Path) -> set[str]:
    """What a module or a package's front door defines or brings in."""
    source = part / "__init__.py" if part.is_dir() else part
    names: set[str] = set()
    if not source.is_file():
        return names
    for node in ast.parse(source.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return names


OWN = Path(__file__).resolve().parents[1] / "tasks"
"""The task that is only in the tests."""


@pytest.mark.parametrize("folder", [*(ROOT / task for task in TASKS), OWN / "tone"])
def test_a_task_has_every_part_and_nothing_else(folder: Path):
    assert problems_of(folder) == []


def test_nothing_else_stands_beside_the_tasks():
    folders = {path.name for path in ROOT.iterdir() if path.is_dir()} - {"__pycache__"}
    assert folders == {*TASKS, "common"}


def test_the_import_contracts_name_every_task():
    contracts = configparser.ConfigParser()
    contracts.read(ROOT.parents[2] / ".importlinter")
    tasks = {f"s2s.tasks.{task}" for task in TASKS}
    for contract, names in (("tasks", "modules"), ("services_and_tasks", "forbidden_modules")):
        listed = set(contracts[f"importlinter:contract:{contract}"][names].split())
        assert listed >= tasks, f"{contract} misses {tasks - listed}"


def test_a_deviation_is_named(tmp_path: Path):
    folder = tmp_path / "tone"
    (folder / "page").mkdir(parents=True)
    (folder / "helpers.py").touch()
    (folder / "metrics.py").write_text("FIGURES = ()\n")
    problems = problems_of(folder)
    assert "tone: helpers.py is no part of a task" in problems
    assert "tone: network is missing" in problems
    assert "tone: metrics has no make_judge" in problems
    assert "tone: page has no tab.js" in problems
