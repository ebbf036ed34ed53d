"""A task that is nothing but a folder goes from its recipe to a served answer.

That is the proof that the seam holds: `tests/tasks/tone` is found by S2S_TASKS, and nothing of the
project has heard of it. docs/add-a-task.md lists what was written for it.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from sample.render import render_catalog
from sample.site import running_site

ROOT = Path(__file__).resolve().parents[2]
TASKS = ROOT / "tests" / "tasks"

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the recipe, and a bucket that has five films' catalog."""
    folder = tmp_path_factory.mktemp("own")
    shutil.copy(TASKS / "tone.yaml", folder)
    catalog = render_catalog(folder / "films", 5)
    (folder / "bucket").mkdir()
    shutil.copy(catalog, folder / "bucket" / "sample.csv")
    return folder


@pytest.fixture(scope="module")
def environment(folder: Path) -> Iterator[dict[str, str]]:
    with running_site(folder / "films") as url:
        yield {
            **os.environ,
            "S2S_TASKS": str(TASKS),
            "S2S_SOURCE_URL": url + "/{source_id}.mp4",
            "S2S_BUCKET": f"file://{folder}/bucket",
            "COLUMNS": "120",
        }


@pytest.fixture(scope="module")
def run(folder: Path, environment: dict[str, str]) -> Run:
    def run(*args: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "launcher", *args]
        return subprocess.run(
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=500,
            check=False,
        )

    return run


@pytest.fixture(scope="module")
def trained(run: Run, folder: Path) -> Path:
    """The folder, when all six stages have run."""
    done = run("run", "tone.yaml", "--strict")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_six_stages_run_and_the_model_says_what_it_is(trained: Path):
    (config,) = (trained / "bucket" / "models" / "tone").glob("*/config.json")
    content = json.loads(config.read_text())

    assert content["task"] == "tone"
    assert content["config"] == {"side_px": 32}
    metrics = json.loads(config.with_name("metrics.json").read_text())
    assert set(metrics["systems"]) == {"model", "usual"}
    assert metrics["training"]["steps"] == 150
    curve = config.with_name("metrics.csv").read_text().splitlines()
    losses = [float(line.split(",")[2]) for line in curve[1:] if line.split(",")[2]]
    assert losses[-1] < losses[0] / 3, "it has learned something"


def test_it_is_evaluated_with_a_page(trained: Path, run: Run):
    done = run("evaluate", "tone.yaml")

    assert done.returncode == 0, done.stderr
    assert "error" in done.stdout + done.stderr
    assert "evaluation.html" in done.stdout + done.stderr
    (page,) = trained.glob("reports/tone/evaluation.html")
    assert "the mean of training clips" in page.read_text()


def test_it_is_served_beside_another_model_of_its_own(trained: Path, environment: dict[str, str]):
    log = trained / "serve.log"
    command = [sys.executable, "-m", "launcher", "serve", "tone.yaml", "--port", "0"]
    with log.open("wb") as file:
        server = subprocess.Popen(command, cwd=trained, env=environment, stderr=file, stdout=file)
    try:
        with httpx.Client(base_url=_url_of(server, log), timeout=120) as http:
            while http.get("/readyz").status_code != httpx.codes.OK:
                time.sleep(0.1)
            (model,) = http.get("/v1/models").json()["models"]
            assert (model["task"], model["url"]) == ("tone", "/v1/tones")
            assert "offset_db" in model["options"]
            video = next((trained / "films").glob("*.mp4"))
            job = _job(http, video)
            assert [made["name"] for made in job["files"]] == ["curve", "mean"]
            table = http.get(job["files"][0]["url"], headers={"Range": "bytes=0-15"})
            assert (table.status_code, table.text) == (206, "seconds,decibels")
            mean = http.get(job["files"][1]["url"]).text
            assert float(mean) == pytest.approx(job["document"]["mean_db"], abs=0.006)
            tab = http.get("/static/tasks/tone/tab.js")
            assert "decib" in tab.text or "dB on average" in tab.text
    finally:
        server.terminate()
        server.wait(timeout=60)


def _url_of(server: subprocess.Popen[bytes], log: Path) -> str:
    while True:
        if match := re.search(r"http://127\.0\.0\.1:\d+", log.read_text()):
            return match[0]
        assert server.poll() is None, log.read_text()
        time.sleep(0.05)


def _job(http: httpx.Client, video: Path) -> dict:
    with video.open("rb") as file:
        answer = http.post("/v1/tones", files={"video": file}, data={"offset_db": "3"})
    assert answer.status_code == httpx.codes.ACCEPTED, answer.text
    while True:
        job = http.get(answer.headers["location"]).json()
        if job["state"] not in {"queued", "running"}:
            assert job["state"] == "done", job
            return job
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("feature_extraction: {motion_grid: 4}", "a setting of the task generation"),
        ("feature_extraction: {side: 4}", "feature_extraction.side"),
        ("task: tune", "tune"),
    ],
)
def test_a_recipe_that_does_not_fit_is_told_what_is_wrong(
    folder: Path, run: Run, change: str, said: str
):
    name = change.partition(":")[0]
    lines = (folder / "tone.yaml").read_text().splitlines()
    kept = [line for line in lines if not line.startswith(f"{name}:")]
    (folder / "wrong.yaml").write_text("\n".join([*kept, change]) + "\n")

    done = run("catalog", "sample.csv", "--recipe", "wrong.yaml")

    assert done.returncode == 1
    assert said in " ".join((done.stdout + done.stderr).split())
