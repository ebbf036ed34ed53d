"""docker-shell.sh of every service: it explains itself, and opens a stage's container."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from s2s.settings import STAGES

SERVICES = Path(__file__).resolve().parents[2] / "services"


def shell(
    stage: str, *args: str, environment: dict[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(SERVICES / stage / "docker-shell.sh"), *args],
        cwd=cwd,
        env=environment or dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("stage", STAGES)
def test_explains_itself_from_anywhere(stage: str, tmp_path: Path):
    answer = shell(stage, "--help", cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert "open a shell in its container" in answer.stdout
    assert f"services/{stage}/docker-shell.sh" in answer.stdout


@pytest.mark.parametrize("stage", STAGES)
def test_has_commands_to_list(stage: str):
    lines = (SERVICES / stage / "README.md").read_text().splitlines()
    commands = [line.strip() for line in lines if line.startswith("    ")]
    assert f"python -m {stage} --help" in [line.partition("  ")[0] for line in commands]


def test_unknown_option_is_refused():
    answer = shell("collection", "--colour")
    assert answer.returncode == 1
    assert "unknown option --colour" in answer.stderr


def test_says_that_docker_is_missing(tmp_path: Path):
    for program in ("bash", "dirname"):
        path = next(
            Path(folder) / program
            for folder in os.environ["PATH"].split(os.pathsep)
            if (Path(folder) / program).exists()
        )
        (tmp_path / program).symlink_to(path)
    answer = shell("collection", "-c", "true", environment={"PATH": str(tmp_path)})
    assert answer.returncode == 1
    assert "docker is not installed" in answer.stderr


@pytest.fixture
def no_docker(tmp_path: Path) -> dict[str, str]:
    """An environment with a docker that does nothing but write down what it is asked for."""
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/asked\n')
    program.chmod(0o755)
    return os.environ | {"PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}


def test_one_folder_is_made_for_a_bucket_and_no_more(no_docker: dict[str, str], tmp_path: Path):
    (tmp_path / "file").write_text("kept")
    for name, told in (
        ("nope/missing", "nope/missing is not there and cannot be made: check the name"),
        ("file", "file is no folder"),
    ):
        bucket = {"S2S_BUCKET": f"file://{tmp_path}/{name}"}
        answer = shell("collection", "-c", "true", environment=no_docker | bucket)
        assert answer.returncode == 1
        (line,) = answer.stderr.splitlines()
        assert f"docker-shell.sh: S2S_BUCKET file://{tmp_path}/{name}: " in line
        assert told in line
    assert not (tmp_path / "nope").exists()
    assert "build" not in (tmp_path / "asked").read_text()
    made = no_docker | {"S2S_BUCKET": f"file://{tmp_path}/bucket"}
    assert shell("collection", "-c", "true", environment=made).returncode == 0
    assert (tmp_path / "bucket").is_dir()
    assert f"--volume {tmp_path}/bucket:/bucket" in (tmp_path / "asked").read_text()


@pytest.mark.docker
@pytest.mark.timeout(1800)
def test_runs_a_command_in_the_container(docker_environment: dict[str, str], tmp_path: Path):
    credentials = tmp_path / "key.json"
    credentials.write_text('{"secret": 1}')
    credentials.chmod(0o400)
    command = """
        set -e
        python -m collection --help | grep -q raw_data
        grep -q secret "$GOOGLE_APPLICATION_CREDENTIALS"
        test -e /recipes/silent_to_sound.sample.yaml
        test "$S2S_BUCKET" = file:///bucket
        echo seen >/bucket/object
        if touch /app/changed || touch /recipes/changed; then exit 1; fi
        if grep 'CapEff:.*[1-9a-f]' /proc/self/status; then exit 2; fi
        exit 7
    """
    environment = docker_environment | {
        "S2S_BUCKET": f"file://{tmp_path}/bucket",
        "GOOGLE_APPLICATION_CREDENTIALS": str(credentials),
    }
    answer = shell("collection", "-c", command, environment=environment, cwd=tmp_path)
    assert answer.returncode == 7, answer.stderr
    assert (tmp_path / "bucket" / "object").read_text() == "seen\n"
    assert (tmp_path / "bucket" / "object").stat().st_uid == os.getuid()


@pytest.mark.docker
@pytest.mark.timeout(1800)
def test_a_catalog_of_which_nothing_is_to_be_had_is_no_success(
    docker_environment: dict[str, str], tmp_path: Path
):
    (tmp_path / "bucket").mkdir()
    (tmp_path / "bucket" / "c.csv").write_text("gone1,0,bell,train\ngone2,0,drum,test\n")
    recipe = {"name": "none", "collection": {"catalog": "c.csv", "fetch": "whole"}}
    (tmp_path / "bucket" / "none.yaml").write_text(json.dumps(recipe))
    environment = docker_environment | {
        "S2S_BUCKET": f"file://{tmp_path}/bucket",
        "S2S_RECIPE": "file:///bucket/none.yaml",
        "S2S_SOURCE_URL": "http://127.0.0.1:9/{source_id}.mp4",
    }
    for command in ("collect --nums_to_download 1", "collect"):
        answer = shell("collection", "-c", command, environment=environment)
        assert answer.returncode == 1, answer.stderr
        said = " ".join(answer.stderr.split())
        assert " came through: " in said
        assert "network (" in said
