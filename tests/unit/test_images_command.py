"""The command ./s2s images, as far as it goes without an engine."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from launcher.commands.images import DOCKERFILES, images_app

ROOT = Path(__file__).parents[2]


def test_every_dockerfile_is_an_image():
    found = {str(path.relative_to(ROOT)) for path in ROOT.glob("[!.]*/**/Dockerfile")}
    assert set(DOCKERFILES.values()) == found


@pytest.mark.parametrize("command", ["build", "list", "clean"])
def test_an_image_that_there_is_none_of_is_named(command: str):
    result = CliRunner().invoke(images_app, [command, "trainig"])
    assert result.exit_code == 1
    assert "no image trainig" in result.output


def test_that_docker_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    result = CliRunner().invoke(images_app, ["list"])
    assert result.exit_code == 1
    assert "docker is not installed" in result.output
