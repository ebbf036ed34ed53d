"""A day with a data set as docs/containers.md has it, through the shells of real containers."""

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cut_clips import make_recipe, put_clips, write_catalog, write_recipe

from launcher.bucket_server import BucketServer
from s2s.dataset import version_names
from s2s.storage import Bucket, DirectoryBucket, open_bucket

ROOT = Path(__file__).resolve().parents[2]
RECIPE = make_recipe()
CLIPS = {f"bell{n}": [0] for n in range(8)}
IMAGES_MB = {"collection": 400, "preprocessing": 400, "validation": 400}
"""What each image without torch takes at most, in 10^6 bytes as `docker images` counts."""
Shell = Callable[..., str]
pytestmark = [pytest.mark.docker, pytest.mark.timeout(2400)]


def sessions() -> list[str]:
    """What is typed inside the container of validation, session by session."""
    text = (ROOT / "docs" / "containers.md").read_text()
    day = text.partition("## A day with a data set")[2]
    blocks = re.findall(r"```sh\n(.*?)```", day, re.DOTALL)
    inside = [block for block in blocks if block.endswith("exit\n")]
    return [block.replace("dataset-silent_to_sound", f"dataset-{RECIPE.name}") for block in inside]


@pytest.fixture(params=["file", "gs"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Where a bucket of that kind is, with cut clips and the recipe in it."""
    (tmp_path / "clips").mkdir()
    server = BucketServer(tmp_path / "gcs", 0)
    if request.param == "file":
        fill(DirectoryBucket(tmp_path / "bucket"), tmp_path)
        yield {
            "S2S_BUCKET": f"file://{tmp_path}/bucket",
            "S2S_RECIPE": "file:///bucket/recipe.yaml",
        }
        return
    server.start()
    try:
        server.make_bucket("day")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("STORAGE_EMULATOR_HOST", server.url)
            fill(open_bucket("gs://day"), tmp_path)
            yield {
                "S2S_BUCKET": "gs://day",
                "S2S_RECIPE": "gs://day/recipe.yaml",
                "STORAGE_EMULATOR_HOST": server.url,
            }
    finally:
        server.stop()


def fill(bucket: Bucket, folder: Path) -> None:
    put_clips(bucket, RECIPE, folder / "clips", write_catalog(bucket, RECIPE, CLIPS))
    bucket.upload(write_recipe(folder / "recipe.yaml", RECIPE), "recipe.yaml")


@pytest.fixture
def shell(docker_environment: dict[str, str], place: dict[str, str]) -> Iterator[Shell]:
    """Type a session into validation's shell through a pipe; what it prints."""
    environment = docker_environment | place

    def type_in(session: str) -> str:
        done = subprocess.run(
            [str(ROOT / "services" / "validation" / "docker-shell.sh")],
            input=f"set -e\n{session}",
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    yield type_in
    forget(environment)


def forget(environment: dict[str, str]) -> None:
    """Remove the volume that the sessions share."""
    number = """s2s-validation-$(printf %s "$S2S_BUCKET" | cksum | cut -d' ' -f1)"""
    script = f"docker volume rm {number}"
    subprocess.run(["sh", "-c", script], env=environment, check=True, capture_output=True)


def test_split_in_one_session_and_tag_in_the_next(
    shell: Shell, place: dict[str, str], docker_environment: dict[str, str]
):
    split, tag, bring_back = sessions()
    assert "up to date" in shell(split)
    bucket = open_bucket(place["S2S_BUCKET"])
    assert version_names(bucket, RECIPE) == ["dataset_v1"]
    assert {"dataset_v1", "reviewed"} <= set(shell(tag).split())
    forget(docker_environment | place)
    said = shell(bring_back)
    assert "dataset_v1" in said
    assert "up to date" in said
    assert version_names(bucket, RECIPE) == ["dataset_v1"]


@pytest.mark.parametrize("stage", IMAGES_MB)
def test_image_is_small_and_has_the_commands_that_it_lists(
    stage: str, docker_environment: dict[str, str], image_mb: Callable[[str], float]
):
    readme = (ROOT / "services" / stage / "README.md").read_text()
    lines = [line.strip() for line in readme.splitlines() if line.startswith("    ")]
    programs = sorted({line.split()[0] for line in lines})
    script = f"for name in {' '.join(programs)}; do command -v $name || exit 3; done"
    done = subprocess.run(
        [str(ROOT / "services" / stage / "docker-shell.sh"), "-c", script],
        env=docker_environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert image_mb(f"s2s/{stage}") < IMAGES_MB[stage]
