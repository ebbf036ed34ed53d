"""docs/api.md: its examples do what it says, and its tables name what there is."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from s2s.media import probe, run_ffmpeg
from serving.problems import TITLES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "api.md"
ADDRESS = "http://127.0.0.1:8000"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def folder(silent_video: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    shutil.copy(silent_video, folder / "clip.mp4")
    run_ffmpeg(["-i", str(silent_video), "-frames:v", "1", str(folder / "picture.png")], "picture")
    return folder


def execute(command: list[str], folder: Path, url: str) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"PATH": path, "S2S_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("number", range(len(blocks("sh"))))
def test_shell_examples(number: int, tone_url: str, folder: Path):
    example = blocks("sh")[number]
    for name in ("sounding.mp4", "another.mp4", "shown.mp4"):
        (folder / name).unlink(missing_ok=True)
    said = execute(["bash", "-euc", example.replace(ADDRESS, tone_url)], folder, tone_url)
    check_files(example, folder)
    if "seed=7" in example:
        assert "x-s2s-seed: 7" in (folder / "headers.txt").read_text().lower()
    if "/readyz" in example:
        assert json.loads(said) == {"status": "ready"}
    if "job.json" in example and "/events" not in example:
        assert json.loads((folder / "job.json").read_text()).keys() == example_of("links").keys()
    if "Idempotency-Key" in example:
        first, again = (json.loads((folder / f"job{n}.json").read_text()) for n in (1, 2))
        assert first["id"] == again["id"]
    if "/events" in example:
        assert "event: done" in said
        assert (folder / "part.bin").read_bytes() == (folder / "result.mp4").read_bytes()[:100]
    if "/v1/models" in example:
        assert json.loads(said)["models"][0].keys() == example_of("models")["models"][0].keys()
    if "notes.mp4" in example:
        assert json.loads(said) == example_of("detail")


@pytest.mark.parametrize("number", range(len(blocks("sh"))))
def test_no_example_writes_a_refusal_into_a_result(number: int):
    for command in re.split(r"(?<!\\)\n", blocks("sh")[number]):
        if command.lstrip().startswith("curl") and "--output" in command:
            assert "--fail " in command, command


def test_the_first_example_writes_nothing_when_it_is_refused(tone_url: str, tmp_path: Path):
    (tmp_path / "clip.mp4").write_bytes(b"no video")
    example = blocks("sh")[0].replace(ADDRESS, tone_url)
    done = subprocess.run(["bash", "-euc", example], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 22
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def example_of(key: str) -> dict:
    return next(json.loads(block) for block in blocks("json") if key in json.loads(block))


def check_files(example: str, folder: Path) -> None:
    for name in re.findall(r"(?:--output|--out) (\S+\.mp4)", example):
        assert probe(folder / name).has_audio
    if "files.json" not in example:
        return
    (listed,) = json.loads((folder / "files.json").read_text())
    (shown,) = next(json.loads(block) for block in blocks("json") if block.startswith("["))
    assert listed.keys() == shown.keys()
    assert (folder / "file.mp4").stat().st_size == listed["bytes"]


def test_the_python_example(tone_url: str, folder: Path):
    (example,) = blocks("python")
    said = execute([sys.executable, "-c", example.replace(ADDRESS, tone_url)], folder, tone_url)
    assert said.startswith("7 {'upload': ")


def test_the_page_names_every_route_field_and_problem(tone_api: httpx.Client):
    text = PAGE.read_text()
    described = tone_api.get("/openapi.json").json()
    form = described["paths"]["/v1/generations"]["post"]["requestBody"]["content"]
    fields = form["multipart/form-data"]["schema"]["properties"]
    for name in (*described["paths"], *fields, *TITLES):
        assert re.search(rf"[` ]{re.escape(name)}[`,]", text), name
