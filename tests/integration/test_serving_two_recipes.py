"""`serve` with recipes: the bucket's newest model of each, at once, in one server.

A third recipe has no model yet, and keeps the two from nothing.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from serving_fixtures import save_untrained_model

from s2s.dataset import DatasetVersion, write_version
from s2s.layout import model_prefix
from s2s.storage import DirectoryBucket
from s2s.tasks.recipes import load_recipe

VERSION, UNTRAINED = "dataset_v1", "kinetics_actions.sample"
WHY = (
    f"bucket: no model of recipe {UNTRAINED} with its present settings yet: run './s2s run RECIPE' "
    "(for a sample recipe './s2s demo NAME')."
)
RECIPE = "name: {name}\ncollection: {{catalog: test.csv}}\nserving: {{max_duration_s: {most_s}}}\n"


def make_recipe(folder: Path, name: str, most_s: int, model: Path) -> Path:
    """A recipe with a model in the bucket."""
    path, bucket = folder / f"{name}.yaml", DirectoryBucket(folder / "bucket")
    path.write_text(RECIPE.format(name=name, most_s=most_s))
    recipe = load_recipe(path)
    write_version(bucket, recipe, DatasetVersion(VERSION, {"val": (), "test": ()}))
    for file in model.iterdir():
        bucket.upload(file, model_prefix(recipe, VERSION) + file.name)
    return path


@pytest.fixture(scope="module")
def url(untrained_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("two")
    (folder / "other").mkdir()
    recipes = [
        make_recipe(folder, "short", 1, untrained_model),
        make_recipe(folder, "long", 30, save_untrained_model(folder / "other", seed=1)),
        Path("recipes", f"{UNTRAINED}.yaml").absolute(),
    ]
    command = [sys.executable, "-m", "serving", "serve", *map(str, recipes), "--port", "0"]
    command += ["--bucket", f"file://{folder}/bucket", "--work-dir", str(folder / "work")]
    log = folder / "log.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stderr=output, env=os.environ | {"COLUMNS": "300"})
    try:
        while not (match := re.search(r"http://127\.0\.0\.1:\d+", log.read_text())):
            assert process.poll() is None, log.read_text()
            time.sleep(0.02)
        while not httpx.get(f"{match[0]}/readyz", timeout=None).is_success:
            time.sleep(0.05)
        yield match[0]
    finally:
        process.kill()
        process.wait()


def post(url: str, video: Path, model: str) -> httpx.Response:
    fields = {"model": model, "steps": "2", "format": "wav"}
    with video.open("rb") as file:
        return httpx.post(
            f"{url}/v1/generations?wait=100",
            files={"video": ("clip.mp4", file)},
            data=fields,
            timeout=120,
        )


def test_each_answers_by_its_own_model_and_limits_at_once(url: str, make_video):
    models = httpx.get(f"{url}/v1/models").json()["models"][:2]
    assert [model["id"].partition("/")[0] for model in models] == ["short", "long"]
    assert [model["max_duration_s"] for model in models] == [1, 30]
    short, long = (model["id"] for model in models)
    video, too_long = make_video("clip.mp4", seconds=0.8), make_video("clip.mp4", seconds=4)
    asked = [(video, short), (video, long), (video, short), (video, long), (too_long, short)]
    with ThreadPoolExecutor(len(asked)) as threads:
        answers = list(threads.map(lambda one: post(url, *one), asked))
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 422]
    named = [httpx.get(url + answer.headers["location"]).json()["model"] for answer in answers[:4]]
    assert named == [short, long, short, long]
    sounds = [answer.content for answer in answers[:4]]
    assert sounds[0] == sounds[2]
    assert sounds[1] == sounds[3]
    assert sounds[0] != sounds[1]
    assert post(url, too_long, long).status_code == 200
    assert post(url, video, "").content == sounds[0]


def test_a_recipe_without_a_model_is_offered_and_says_why_not(url: str, silent_video: Path):
    model = httpx.get(f"{url}/v1/models").json()["models"][2]
    assert (model["id"], model["task"]) == (UNTRAINED, "classification")
    assert (model["ready"], model["has_page"]) == (False, True)
    why = model["not_loaded"]
    assert why == WHY
    assert httpx.get(f"{url}/readyz").json() == {"status": "ready", "not_loaded": {UNTRAINED: why}}
    answer = httpx.post(url + model["url"], files={"video": silent_video.read_bytes()})
    assert answer.status_code == 503
    assert answer.json()["type"].endswith(":not-loaded")
    assert answer.json()["detail"] == why
