"""Files, functions and folders of the code are small enough to be read at one go."""

import ast
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_ROOMS = ("benchmarks", "launcher", "lib", "sample", "services")
_HOUSE = ("launcher", "lib", "sample", "services")
"""Where folders are counted, too; benchmarks are a list, like recipes."""

MOST_LINES = 300
MOST_LINES_OF_A_FUNCTION = 40
"""Without its docstring."""
MOST_FILES = 12


def _listed(*folders: str) -> list[Path]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *folders]
    names = subprocess.run(command, cwd=_ROOT, check=True, capture_output=True, text=True).stdout
    return [path for name in names.splitlines() if (path := _ROOT / name).is_file()]


def long_functions(source: str) -> Iterator[tuple[str, int]]:
    """Functions over the limit, with their lines; decorators and docstrings are not counted."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            has_docstring = ast.get_docstring(node, clean=False) is not None
            lines = _lines(node) - (_lines(node.body[0]) if has_docstring else 0)
            if lines > MOST_LINES_OF_A_FUNCTION:
                yield node.name, lines


def _lines(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def full_folders(paths: list[Path]) -> dict[Path, int]:
    """Folders with more files than are read through at one go."""
    counted = Counter(path.parent for path in paths)
    return {folder: count for folder, count in counted.items() if count > MOST_FILES}


@pytest.mark.parametrize("room", _ROOMS)
def test_files_and_functions_are_short(room: str):
    long: dict[str, object] = {}
    for path in _listed(room):
        if path.suffix == ".py":
            source, name = path.read_text(encoding="utf-8"), str(path.relative_to(_ROOT))
            if (lines := source.count("\n")) > MOST_LINES:
                long[name] = lines
            long |= {f"{name}: {function}": n for function, n in long_functions(source)}
    assert long == {}


@pytest.mark.parametrize("room", _HOUSE)
def test_folders_hold_a_dozen_files(room: str):
    full = full_folders(_listed(room))
    assert {str(folder.relative_to(_ROOT)): count for folder, count in full.items()} == {}


def test_what_is_too_long_is_found(tmp_path: Path):
    body = "".join(f"    x{n} = {n}\n" for n in range(MOST_LINES_OF_A_FUNCTION - 1))
    docstring = '    """One.\n\n    Two.\n    """\n'
    assert list(long_functions(f"def short():\n{docstring}{body}")) == []
    assert list(long_functions(f"def long():\n{docstring}{body}    y = 0\n")) == [("long", 41)]
    paths = [tmp_path / "small" / "a.py", *(tmp_path / "full" / f"{n}.py" for n in range(13))]
    assert full_folders(paths) == {tmp_path / "full": 13}
