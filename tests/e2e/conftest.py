"""Running the command ./s2s as a user would."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sample.site import running_site

Launch = Callable[..., subprocess.CompletedProcess[str]]
ROOT = Path(__file__).resolve().parents[2]

# Title of each clip's sound and its catalog row, as VGGSound lists it but for the start: the source
# here is the clip itself.
REAL_ROWS = """\
0nib7bMm8BA,0,canary calling,test
1aDnyPubxdY,0,"baby crying, infant cry",test
6zlMP_kQ_-w,0,playing harp,test
54bz5yqN2IA,0,playing double bass,test
-Qowmc0P9ic,0,"playing bass drum (loud)",test
"""
RECIPE = """\
name: real_clips
spec: {duration_s: 10}
collection: {catalog: vggsound.csv, fetch: whole}
preprocessing: {short_side_px: 128, preset: ultrafast}
validation: {train: 0.6, val: 0.2}
training: {width: 32, depth: 1, heads: 2, max_steps: 5, batch_size: 4, held_out_clips: 2}
serving: {show_clips: 2}
"""


@pytest.fixture
def launch(tmp_path: Path) -> Launch:
    """Run ./s2s in a folder of the test's own."""

    def run(*args: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "launcher", *args],
            cwd=tmp_path,
            env=os.environ | {"COLUMNS": "120"} | environment,
            capture_output=True,
            text=True,
            timeout=500,
            check=False,
        )

    return run


@pytest.fixture
def real_site(real_data: Path, tmp_path: Path) -> Iterator[str]:
    """A site that serves the five real VGGSound clips under their source ids."""
    folder = tmp_path / "site"
    folder.mkdir()
    for path in (real_data / "clips" / "vggsound").glob("*.mp4"):
        shutil.copy(path, folder / f"{path.stem.rsplit('_', 2)[0]}.mp4")
    with running_site(folder) as url:
        yield url + "/{source_id}.mp4"


@pytest.fixture
def real_recipe(tmp_path: Path) -> Path:
    """A recipe that trains hardly at all on the five real clips."""
    (tmp_path / "vggsound.csv").write_text(REAL_ROWS)
    path = tmp_path / "real_clips.yaml"
    path.write_text(RECIPE)
    return path


@pytest.fixture(scope="session")
def docker_environment() -> dict[str, str]:
    """The environment in which `docker` reaches an engine and can build our images."""
    problem = "docker is not installed"
    # A machine may have several clients, and not each can build with BuildKit.
    for folder in os.environ["PATH"].split(os.pathsep):
        if (Path(folder) / "docker").exists():
            path = f"{folder}{os.pathsep}{os.environ['PATH']}"
            buildkit = {"DOCKER_BUILDKIT": "1", "COMPOSE_DOCKER_CLI_BUILD": "1"}
            environment = os.environ | buildkit | {"PATH": path}
            problem = docker_problem(environment)
            if not problem:
                return environment
    pytest.skip(problem)


@pytest.fixture(scope="session")
def image_mb(docker_environment: dict[str, str]) -> Callable[[str], float]:
    """How large an image is that is built, in megabytes."""

    def measure(image: str) -> float:
        size = subprocess.run(
            ["docker", "image", "inspect", "--format", "{{.Size}}", image],
            env=docker_environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return int(size.stdout) / 1e6

    return measure


def docker_problem(environment: dict[str, str]) -> str:
    """What keeps docker from building our images; empty if nothing does."""
    base = "python:3.11-slim-bookworm"
    steps = {
        "no Docker engine answers": "docker version",
        "docker cannot build with BuildKit": "echo FROM scratch | docker build --no-cache -",
        f"{base} is not here and cannot be pulled": f"docker inspect {base} || docker pull {base}",
    }
    for problem, command in steps.items():
        answer = subprocess.run(
            ["sh", "-c", command], env=environment, capture_output=True, check=False
        )
        if answer.returncode != 0:
            return problem
    return ""
