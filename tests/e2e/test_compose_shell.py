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


def asked(no_docker: dict[str, str]) -> str:
    """What the docker that does nothing was asked for."""
    return (Path(no_docker["PATH"].split(os.pathsep)[0]).parent / "asked").read_text()


def check_refused(answer: subprocess.CompletedProcess[str], told: str) -> None:
    assert answer.returncode == 1
    (line,) = answer.stderr.splitlines()
    assert line.startswith("docker-shell.sh: ")
    assert told in line


@pytest.mark.parametrize("arguments", [("-c",), ("-c", "")])
def test_a_command_that_is_missing_is_asked_for(arguments: tuple[str, ...]):
    answer = shell("collection", *arguments)
    check_refused(answer, "-c needs a command")
    assert "line" not in answer.stderr


@pytest.mark.parametrize("arguments", [[], ["colection"], [""]])
def test_the_script_itself_needs_a_stage(arguments: list[str], no_docker: dict[str, str]):
    answer = script(*arguments, environment=no_docker)
    check_refused(answer, "there are collection feature_extraction")


def test_the_script_itself_explains_itself(no_docker: dict[str, str]):
    answer = script("--help", environment=no_docker)
    assert answer.returncode == 0
    assert "services/STAGE/docker-shell.sh" in answer.stdout


def script(*args: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    program = SERVICES.parent / "scripts" / "docker-shell"
    return subprocess.run(
        [str(program), *args], env=environment, capture_output=True, text=True, check=False
    )


def test_only_collection_makes_a_bucket_and_one_folder(no_docker: dict[str, str], tmp_path: Path):
    (tmp_path / "file").write_text("kept")
    for stage, name, told in (
        ("collection", "nope/missing", "there is no such folder, and it cannot be made"),
        ("collection", "file", "file is no folder"),
        ("validation", "bucket", "there is no such folder. Check its name"),
    ):
        url = f"file://{tmp_path}/{name}"
        answer = shell(stage, "-c", "true", environment=no_docker | {"S2S_BUCKET": url})
        check_refused(answer, f"S2S_BUCKET {url}: ")
        assert told in answer.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"asked", "bin", "file"}
    assert "build" not in asked(no_docker)
    made = no_docker | {"S2S_BUCKET": f"file://{tmp_path}/bucket"}
    answer = shell("collection", "-c", "true", environment=made)
    assert answer.returncode == 0
    assert f"made the folder {tmp_path}/bucket" in answer.stderr
    assert (tmp_path / "bucket").is_dir()
    assert f"--volume {tmp_path}/bucket:/bucket" in asked(no_docker)


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_recipe_of_ones_own_is_mounted_with_its_folder(
    scheme: str, no_docker: dict[str, str], tmp_path: Path
):
    own = tmp_path / "mine" / "silent_to_sound.sample.yaml"  # a name that recipes/ has, too
    own.parent.mkdir()
    own.write_text("name: mine")
    for named in (own, Path("mine", own.name)):
        environment = no_docker | {"S2S_RECIPE": f"{scheme}{named}"}
        answer = shell("collection", "-c", "true", environment=environment, cwd=tmp_path)
        assert answer.returncode == 0, answer.stderr
        run = asked(no_docker).rpartition("run --rm")[2]
        assert f"--volume {own.parent}:/recipe:ro --env S2S_RECIPE=/recipe/{own.name} " in run


@pytest.mark.parametrize("url", ["gs://bucket/mine.yaml", "file:///bucket/mine.yaml", "a_name"])
def test_a_recipe_that_the_container_reaches_is_passed_on(url: str, no_docker: dict[str, str]):
    answer = shell("collection", "-c", "true", environment=no_docker | {"S2S_RECIPE": url})
    assert answer.returncode == 0, answer.stderr
    assert "--env S2S_RECIPE --" in asked(no_docker)
    assert ":/recipe:ro" not in asked(no_docker)


@pytest.mark.parametrize("name", ["none.yaml", "none/silent_to_sound", "mine", "file:///none"])
def test_a_recipe_that_is_no_file_is_refused(name: str, no_docker: dict[str, str], tmp_path: Path):
    (tmp_path / "mine").mkdir()
    named = f"{tmp_path}/mine" if name == "mine" else name
    environment = no_docker | {"S2S_RECIPE": named}
    answer = shell("collection", "-c", "true", environment=environment, cwd=tmp_path)
    check_refused(answer, f"S2S_RECIPE {named}: no file that can be read")


def test_credentials_that_are_no_file_are_refused(no_docker: dict[str, str], tmp_path: Path):
    for name in ("none.json", "bin"):
        environment = no_docker | {"GOOGLE_APPLICATION_CREDENTIALS": f"{tmp_path}/{name}"}
        answer = shell("collection", "-c", "true", environment=environment)
        check_refused(answer, f"{tmp_path}/{name}: no file that you can read")


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
    own = tmp_path / "mine"
    own.mkdir()
    (own / "c.csv").write_text("gone1,0,bell,train\ngone2,0,drum,test\n")
    recipe = {"name": "none", "collection": {"catalog": "c.csv", "fetch": "whole"}}
    (own / "none.yaml").write_text(json.dumps(recipe))
    environment = docker_environment | {
        "S2S_BUCKET": f"file://{tmp_path}/bucket",
        "S2S_RECIPE": str(own / "none.yaml"),
        "S2S_SOURCE_URL": "http://127.0.0.1:9/{source_id}.mp4",
    }
    for command in ("collect --nums_to_download 1", "collect"):
        answer = shell("collection", "-c", command, environment=environment)
        assert answer.returncode == 1, answer.stderr
        said = " ".join(answer.stderr.split())
        assert " came through: " in said
        assert "network (" in said
    assert list((tmp_path / "bucket").rglob("none/**/*.json"))
    (own / "none.yaml").write_text(json.dumps({"name": "none", "colour": "red"}))
    said = " ".join(shell("collection", "-c", "collect", environment=environment).stderr.split())
    assert f"/recipe is {own} outside of the container" in said
