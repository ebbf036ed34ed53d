"""What --help says of every command can be read in a terminal of 80 columns."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

import launcher.__main__
from s2s.settings import STAGES

_APPS = {stage: import_module(f"{stage}.cli").app for stage in STAGES} | {
    "s2s": launcher.__main__.app
}


def _commands(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    # Those without an option for help pass it on.
    if command.context_settings.get("help_option_names") != []:
        yield path
    for name, one in getattr(command, "commands", {}).items():
        yield from _commands(one, (*path, name))


@pytest.mark.parametrize(
    "named",
    [
        path
        for name, app in _APPS.items()
        for path in _commands(typer.main.get_command(app), (name,))
    ],
    ids=" ".join,
)
def test_nothing_is_cut_off(named: tuple[str, ...]):
    app, *path = named
    shown = CliRunner().invoke(_APPS[app], [*path, "--help"], env={"COLUMNS": "80"})
    assert shown.exit_code == 0
    lines = shown.output.splitlines()
    assert "Usage: " in lines[1]
    assert "[[" not in lines[1]
    assert [line for line in lines if "\N{HORIZONTAL ELLIPSIS}" in line or len(line) > 80] == []
