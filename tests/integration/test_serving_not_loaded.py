"""Servers of several models of which some cannot be loaded: the others serve, and all is told."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from brightness import brightness_model
from server_process import RECIPE, server
from serving_fixtures import save_untrained_model
from tone import TonePredictor, tone_model

from s2s.dataset import DatasetVersion, write_version
from s2s.errors import ModelError
from s2s.layout import model_prefix
from s2s.media import MediaLimits
from s2s.storage import DirectoryBucket
from s2s.tasks.recipes import load_recipe
from serving.client import open_client
from serving.http.app import create_app
from serving.http.server import Server
from serving.http.service import Limits
from serving.jobs.store import JobStore
from serving.models.stored import model_of_recipe, models_of_recipes
from serving.problems import not_loaded

WHY = "config.json: a model of format 2: train it again."


def fail() -> TonePredictor:
    raise ModelError("/srv/models/old/config.json: a model of format 2: train it again")


def make_app(limits: Limits, folder: Path):
    models = [tone_model("first"), tone_model("old", fail), brightness_model()]
    return create_app(models, limits, folder)


@pytest.fixture(scope="module")
def api(small_limits: Limits, server_folder: Path) -> Iterator[httpx.Client]:
    with (
        Server(make_app(small_limits, server_folder)).running() as url,
        open_client(url) as http,
    ):
        yield http


def post(http: httpx.Client, video: Path, route: str = "generations", **fields) -> httpx.Response:
    with video.open("rb") as file:
        return http.post(f"/v1/{route}?wait=60", files={"video": ("a.mp4", file)}, data=fields)


def assert_not_loaded(answer: httpx.Response) -> None:
    assert answer.status_code == 503, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) > 0
    problem = answer.json()
    assert (problem["type"].rpartition(":")[2], problem["detail"]) == ("not-loaded", WHY)


def test_the_others_serve_and_the_one_says_why_not(api: httpx.Client, silent_video: Path):
    assert post(api, silent_video).status_code == 200
    assert post(api, silent_video, "classifications").status_code == 200
    assert_not_loaded(post(api, silent_video, model="old"))


def test_the_server_is_ready_and_names_it(api: httpx.Client):
    assert api.get("/readyz").json() == {"status": "ready", "not_loaded": {"old": WHY}}
    models = api.get("/v1/models").json()["models"]
    told = [(model["id"], model["ready"], model["not_loaded"]) for model in models]
    assert told == [("first", True, None), ("old", False, WHY), ("brightness", True, None)]


def test_a_route_without_any_model_takes_no_upload(
    small_limits: Limits, silent_video: Path, tmp_path: Path
):
    app = create_app([tone_model("old", fail), brightness_model()], small_limits, tmp_path)
    with Server(app).running() as url, open_client(url) as http:
        assert_not_loaded(post(http, silent_video))
        assert_not_loaded(http.post("/v1/generations"))  # before anything is sent
        assert post(http, silent_video, "classifications").status_code == 200


def test_a_model_that_is_there_serves_while_another_is_loaded(
    small_limits: Limits, silent_video: Path, tmp_path: Path, gated_model
):
    gated, gate = gated_model
    told: list[list[str]] = []
    app = create_app([tone_model("first"), gated, tone_model("old", fail)], small_limits, tmp_path)
    service = app.state.service
    server = Server(app, on_loaded=lambda url, names: told.append([url, *names]))
    for name in ("first", "old"):
        service.batchers[name].loaded.exception()
    assert not told
    gate.set()
    with server.running() as url, open_client(url) as http:
        assert told == [[url, "first", "gated"]]
        assert post(http, silent_video, model="gated").status_code == 200


def test_jobs_that_an_earlier_server_left_for_it_say_why(
    small_limits: Limits, silent_video: Path, tmp_path: Path
):
    store = JobStore.of_folder(tmp_path)
    fields = {"route": "generations", "model": "old", "owner": "", "file_name": "a.mp4"}
    job = store.add("left", fields | {"kind": "video", "options": {}, "digest": ""}, {})
    store.close()
    (tmp_path / "uploads" / job.id).mkdir(parents=True)
    shutil.copy(silent_video, tmp_path / "uploads" / job.id / "upload")
    with Server(make_app(small_limits, tmp_path)).running() as url, open_client(url) as http:
        while http.get(f"/v1/jobs/{job.id}").json()["state"] != "failed":
            pass
        answer = http.get(f"/v1/jobs/{job.id}/result")
        assert (answer.status_code, answer.json()["detail"]) == (503, WHY)


def test_where_none_can_be_loaded_the_server_ends(small_limits: Limits, tmp_path: Path):
    app = create_app([tone_model("a", fail), tone_model("b", fail)], small_limits, tmp_path)
    with pytest.raises(ModelError, match="format 2"):
        Server(app, on_loaded=lambda *_: pytest.fail("nothing is served")).run()


def damage(folder: Path, how: str) -> Path:
    if how == "weights":
        weights = folder / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:1000])
    elif how == "no weights":
        (folder / "model.safetensors").unlink()
    elif how == "no config":
        (folder / "config.json").write_text("{")
    else:
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | {"format": 2}))
    return folder


WAYS = ("weights", "no weights", "no config", "format")


def test_the_command_says_what_is_loaded_and_then_what_is_served(
    untrained_model: Path, silent_video: Path, tmp_path: Path
):
    copies = [damage(shutil.copytree(untrained_model, tmp_path / way), way) for way in WAYS]
    with server(tmp_path, untrained_model, *copies) as running, open_client(running.url) as http:
        good = untrained_model.name
        told = running.log.read_text()
        assert told.startswith(f"Loading {good}, {', '.join(WAYS)}\n")
        assert f"\nServing {good} at {running.url} until Ctrl-C\n" in told
        for way in WAYS:
            assert f"{way} cannot be loaded, and is not served: " in told
            answer = post(http, silent_video, model=way)
            assert answer.status_code == 503
            assert answer.json()["type"].endswith(":not-loaded")
            assert "/" not in answer.json()["detail"].replace("./s2s training", "")
        assert set(http.get("/readyz").json()["not_loaded"]) == set(WAYS)
        assert post(http, silent_video, model=good, steps="1").status_code == 200


def test_a_command_whose_only_model_cannot_be_loaded_says_why(
    untrained_model: Path, tmp_path: Path
):
    copy = damage(shutil.copytree(untrained_model, tmp_path / "model"), "weights")
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE)
    command = [sys.executable, "-m", "serving", "serve", str(recipe), "--model", str(copy)]
    command += ["--port", "0", "--work-dir", str(tmp_path / "work")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "not the weights that config.json describes" in " ".join(done.stderr.split())
    assert "Serving" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_model_that_arrives_damaged_fails_to_load(tmp_path: Path):
    (tmp_path / "model").mkdir()
    model, bucket = save_untrained_model(tmp_path / "model"), DirectoryBucket(tmp_path / "bucket")
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    recipe = load_recipe(tmp_path / "recipe.yaml")
    write_version(bucket, recipe, DatasetVersion("dataset_v1", {"val": (), "test": ()}))
    for file in model.iterdir():
        bucket.upload(file, model_prefix(recipe, "dataset_v1") + file.name)
    served = model_of_recipe(bucket, recipe, tmp_path / "work")
    weights = next((tmp_path / "work").rglob("model.safetensors"))
    weights.write_bytes(b"")
    with pytest.raises(ModelError, match="not the weights"):
        served.load(MediaLimits())


def serve_waiting(folder: Path) -> tuple[subprocess.Popen[bytes], str, Path]:
    """A server of a recipe that has no model yet, once it says so; its address and its log."""
    (folder / "recipe.yaml").write_text(RECIPE)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "serving", "serve", str(folder / "recipe.yaml"), "--wait"]
    command += ["--port", str(port), "--work-dir", str(folder / "work")]
    command += ["--bucket", f"file://{folder}/bucket"]
    log = folder / "log.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stderr=output, env=os.environ | {"COLUMNS": "40"})
    while "Waiting: " not in log.read_text():
        assert process.poll() is None, log.read_text()
        time.sleep(0.05)
    return process, f"http://127.0.0.1:{port}", log


def test_a_server_that_waits_says_what_for_and_goes_on_to_serve(
    untrained_model: Path, silent_video: Path, tmp_path: Path
):
    bucket = DirectoryBucket(tmp_path / "bucket")
    process, url, log = serve_waiting(tmp_path)
    try:
        with open_client(url) as http:
            assert http.get("/healthz").json() == {"status": "ok"}
            (told,) = log.read_text().splitlines()
            for answer in (http.get("/readyz"), http.get("/"), post(http, silent_video)):
                assert answer.status_code == 503
                problem = answer.json()
                assert problem["type"].endswith(":not-loaded")
                assert problem["detail"].partition(": ")[2] + " " in f"{told}. "
                assert "no model of recipe test" in problem["detail"]
            recipe = load_recipe(tmp_path / "recipe.yaml")
            write_version(bucket, recipe, DatasetVersion("dataset_v1", {"val": (), "test": ()}))
            for file in sorted(
                untrained_model.iterdir(), key=lambda one: one.name == "config.json"
            ):
                bucket.upload(file, model_prefix(recipe, "dataset_v1") + file.name)
            while http.get("/readyz").status_code != 200:
                assert process.poll() is None, log.read_text()
                time.sleep(0.05)
            assert post(http, silent_video, steps="1").status_code == 200
    finally:
        process.kill()
        process.wait()


def test_a_server_that_waits_ends_when_it_is_told_to(tmp_path: Path):
    process, url, log = serve_waiting(tmp_path)
    assert httpx.get(f"{url}/healthz").is_success
    process.terminate()
    assert process.wait() == 0, "as one that has a model"
    assert "Traceback" not in log.read_text()


def test_where_no_recipe_has_a_model_the_first_says_why(tmp_path: Path):
    recipes = []
    for name in ("first", "second"):
        (tmp_path / f"{name}.yaml").write_text(RECIPE.replace("test\n", f"{name}\n", 1))
        recipes.append(load_recipe(tmp_path / f"{name}.yaml"))
    with pytest.raises(ModelError, match="no model of recipe first with its present settings"):
        models_of_recipes(DirectoryBucket(tmp_path), recipes, tmp_path / "work")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("/srv/old/model.safetensors: is cut off", "model.safetensors: is cut off."),
        ("file:///srv/bucket: no model of recipe a.", "bucket: no model of recipe a."),
        ("gs://a-bucket: no model of recipe a: x", "gs://a-bucket: no model of recipe a: x."),
        ("gs://a-bucket/models/a/b.json: cut off", "b.json: cut off."),
        ("a: none yet: run './s2s run R'", "a: none yet: run './s2s run R'."),
        ("this model is too old", "This model is too old."),
    ],
)
def test_names_of_files_are_told_as_they_are(said: str, told: str):
    assert not_loaded(ModelError(said)).document.detail == told
