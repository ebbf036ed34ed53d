"""What the documentation names is there: files, modules and their members, commands of `./s2s`."""

import importlib
import re
import subprocess
from pathlib import Path

import pytest
import typer.main

from launcher.__main__ import app

_ROOT = Path(__file__).parents[2]
_PAGES = sorted(
    subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=_ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
)

_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[\w-]+)?\)")
_CODE = re.compile(r"`([^`\n]+)`")
_FOLDERS = (
    "benchmarks|docs|infra|launcher|lib|notebooks|recipes|sample|scripts|services|tests|\\.ci"
)
_PATH = re.compile(rf"(?<![\w./~])(?:{_FOLDERS})/[\w./-]*[\w/]")
_SERVICES = "|".join(path.name for path in sorted((_ROOT / "services").iterdir()))
_MODULE = re.compile(
    rf"(?<![\w./-])(?:s2s|launcher|{_SERVICES})(?:\.[A-Za-z_]\w*)+(?![\w/]|\.[a-z]+/)"
)
_COMMAND = re.compile(r"\./s2s ([a-z_]+)\b(?: ([a-z]+)\b)?")

# Of recipes: "serving.max_upload_bytes" is a setting, not a module.
_SETTINGS = set(_SERVICES.split("|"))

pytestmark = pytest.mark.parametrize("page", _PAGES)


def _text(page: str) -> str:
    return (_ROOT / page).read_text(encoding="utf-8")


def test_links_lead_somewhere(page: str):
    folder = (_ROOT / page).parent
    links = [link for link in _LINK.findall(_text(page)) if ":" not in link]
    assert [link for link in links if not (folder / link).exists()] == []


def test_paths_are_there(page: str):
    told = {
        path
        for path in _PATH.findall(_text(page))
        if not re.search(rf"{re.escape(path)}[<*{{…]", _text(page))
    }
    assert sorted(path for path in told if not _is_there(path, page)) == []


def _is_there(path: str, page: str) -> bool:
    """From the root, from the page's folder, or in a service's image; of output, ignored by git."""
    here = [_ROOT / path, (_ROOT / page).parent / path]
    return any(place.exists() for place in here) or Path(path).name.startswith(("yours", "NAME"))


def test_modules_are_there(page: str):
    told = {name for code in _CODE.findall(_text(page)) for name in _MODULE.findall(code)}
    told = {name for name in told if not _is_setting(name)}
    assert sorted(name for name in told if not _can_be_imported(name)) == []


def _is_setting(name: str) -> bool:
    service, _, _ = name.partition(".")
    module = (_ROOT / "services" / service / name.replace(".", "/")).with_suffix(".py")
    return service in _SETTINGS and not module.exists()


def _can_be_imported(name: str) -> bool:
    module, _, member = name.rpartition(".")
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:
        return "." in name and hasattr(importlib.import_module(module), member)
    return True


def test_commands_are_there(page: str):
    commands = getattr(typer.main.get_command(app), "commands")  # noqa: B009
    told = set(_COMMAND.findall(_text(page)))
    unknown = [first for first, _ in told if first not in commands]
    assert unknown == []
    groups = {name for name, command in commands.items() if hasattr(command, "commands")}
    inner = [f"{a} {b}" for a, b in told if a in groups and b and b not in commands[a].commands]
    assert inner == []
