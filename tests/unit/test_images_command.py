"""The command ./s2s images, as far as it goes without an engine."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from launcher.commands.images import DOCKERFILES, images_app

ROOT = Path(__file__).parents[2]


def test_every_dockerfile_is_an_image():
    found = {str(path.relative_to(ROOT)) for path in ROOT.glob("[!.]*/**/Dockerfile")}
    assert set(DOCKERFILES.values()) == found


@pytest.mark.parametrize("name", ["trainig", ""])
@pytest.mark.parametrize("command", ["build", "list", "clean"])
def test_an_image_that_there_is_none_of_is_named(command: str, name: str):
    result = CliRunner().invoke(images_app, [command, name])
    assert result.exit_code == 1
    assert f"no image '{name}': there are" in result.output


def test_that_docker_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    result = CliRunner().invoke(images_app, ["list"])
    assert result.exit_code == 1
    assert "docker is not installed" in result.output


def test_an_image_where_the_registry_belongs_is_told_apart():
    result = CliRunner().invoke(images_app, ["push", "collection"])
    assert result.exit_code == 1
    assert "REGISTRY is missing before the image collection" in " ".join(result.output.split())


@pytest.fixture
def docker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A docker that has built what the file `built` names, and writes down what it is asked for."""
    program = tmp_path / "docker"
    program.write_text(
        "#!/bin/sh\n"
        f'cd {tmp_path} && echo "$@" >>asked\n'
        'if [ "$1" = images ]; then grep -x "$3" built; fi; true\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    return tmp_path


def push(*names: str) -> tuple[int, str]:
    result = CliRunner().invoke(images_app, ["push", "host/s2s", *names])
    return result.exit_code, " ".join(result.output.split())


def test_what_is_built_is_pushed_and_what_is_not_is_told(docker: Path):
    (docker / "built").write_text("s2s/collection\ns2s/serving\n")
    status, told = push()
    assert status == 0
    asked = (docker / "asked").read_text().splitlines()
    pushed = [line for line in asked if line.startswith("push")]
    assert pushed == ["push host/s2s/collection:latest", "push host/s2s/serving:latest"]
    assert "not built: preprocessing, " in told
    assert "run './s2s images build preprocessing " in told


@pytest.mark.parametrize(
    ("built", "names", "told"),
    [
        ("s2s/serving\n", ["serving"], ["removed s2s/serving"]),
        (
            "s2s/serving\n",
            ["bucket", "serving"],
            ["removed s2s/serving", "s2s/bucket is not built: nothing to remove"],
        ),
        ("s2s/serving\n", [], ["removed s2s/serving"]),
        ("", [], ["no image is built: nothing to remove"]),
    ],
)
def test_what_is_removed_and_what_is_not_is_told(
    docker: Path, built: str, names: list[str], told: list[str]
):
    (docker / "built").write_text(built)
    result = CliRunner().invoke(images_app, ["clean", *names])
    assert (result.exit_code, result.output.splitlines()) == (0, told)
    removed = [line for line in (docker / "asked").read_text().splitlines() if "rmi" in line]
    assert removed == ["rmi s2s/serving"] * ("s2s/serving" in built)


@pytest.mark.parametrize(("built", "names"), [("", []), ("s2s/serving\n", ["serving", "bucket"])])
def test_nothing_built_or_a_named_one_not_built_is_an_error(
    docker: Path, built: str, names: list[str]
):
    (docker / "built").write_text(built)
    status, told = push(*names)
    assert status == 1
    assert "not built: " in told
    assert "push" not in (docker / "asked").read_text()
