"""Several models of several tasks in one server, and results of several files."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from brightness import brightness_model
from tone import TonePredictor, tone_model
from typer.testing import CliRunner

from s2s.errors import ModelError, SettingsError
from s2s.media import MediaLimits
from s2s.settings import CollectionSettings, ServingSettings
from s2s.storage import DirectoryBucket
from s2s.tasks.contract import Made, MadeFile
from s2s.tasks.generation.settings import GenerationRecipe
from serving.cli import app
from serving.client import open_client, send_file
from serving.http.app import create_app
from serving.http.server import Server
from serving.http.service import Limits
from serving.models.stored import model_of_folder


class Pair(TonePredictor):
    """Gives its sound and a note beside it."""

    def finish(self, upload, options, output, notes):
        made = super().finish(upload, options, output, notes)
        note = upload.folder / "note.txt"
        note.write_text("a tone")
        return Made((*made.files, MadeFile("note", note, "text/plain", "_note.txt")), {"pitch": 1})


@pytest.fixture(scope="module")
def api(small_limits: Limits, server_folder: Path) -> Iterator[httpx.Client]:
    strict = replace(tone_model("strict"), max_upload_bytes=1_000, media=small_limits.media)
    models = [tone_model("first"), tone_model("pair", Pair), brightness_model(), strict]
    with (
        Server(create_app(models, small_limits, server_folder)).running() as url,
        open_client(url) as http,
    ):
        yield http


def post(http: httpx.Client, video: Path, route: str = "generations", **fields) -> httpx.Response:
    with video.open("rb") as file:
        files = {"video": ("my clip.mp4", file)}
        return http.post(f"/v1/{route}?wait=60", files=files, data=fields)


def test_all_are_listed_and_each_task_has_its_route(api: httpx.Client):
    models = api.get("/v1/models").json()["models"]
    assert [(model["id"], model["task"], model["url"]) for model in models] == [
        ("first", "generation", "/v1/generations"),
        ("pair", "generation", "/v1/generations"),
        ("brightness", "classification", "/v1/classifications"),
        ("strict", "generation", "/v1/generations"),
    ]
    assert models[3]["max_upload_bytes"] == 1_000
    form = api.get("/openapi.json").json()["paths"]["/v1/generations"]["post"]["requestBody"]
    field = form["content"]["multipart/form-data"]["schema"]["properties"]["model"]
    assert field == {"enum": ["first", "pair", "strict"], "default": "first"}


def test_the_first_is_used_unless_another_is_named(api: httpx.Client, silent_video: Path):
    for fields, name in (({}, "first"), ({"model": ""}, "first"), ({"model": "pair"}, "pair")):
        answer = post(api, silent_video, **fields)
        assert answer.status_code == 200, answer.text
        job = api.get(answer.headers["location"]).json()
        assert (job["task"], job["model"]) == ("generation", name)


def test_an_unknown_model_is_refused_with_those_that_there_are(
    api: httpx.Client, silent_video: Path
):
    for route, name in (("generations", "brightness"), ("classifications", "first")):
        answer = post(api, silent_video, route, model=name)
        assert answer.status_code == 422
        (error,) = answer.json()["errors"]
        assert error["field"] == "model"
    assert "brightness" in error["detail"]
    assert "first" not in error["detail"]


def test_the_name_of_a_request_is_of_one_kind_of_job(api: httpx.Client, silent_video: Path):
    name = {"Idempotency-Key": "the same for two tasks"}
    statuses = []
    for route in ("generations", "classifications", "generations"):
        with silent_video.open("rb") as video:
            answer = api.post(f"/v1/{route}", files={"video": ("a.mp4", video)}, headers=name)
        statuses.append(answer.status_code)
    assert statuses == [202, 422, 202]


def test_each_model_has_its_own_limits(api: httpx.Client, silent_video: Path):
    assert post(api, silent_video, model="strict").status_code == 413


def test_a_job_lists_its_files_and_gives_each(api: httpx.Client, silent_video: Path):
    answer = post(api, silent_video, model="pair", format="wav")
    job = api.get(answer.headers["location"]).json()
    assert [file["name"] for file in job["files"]] == ["sound", "note"]
    assert job["document"] == {"pitch": 1}
    assert api.get(job["links"]["files"]).json() == job["files"]
    sound, note = job["files"]
    assert (
        api.get(sound["url"]).content == answer.content == api.get(job["links"]["result"]).content
    )
    assert note == {
        "name": "note",
        "url": f"{job['links']['files']}/note",
        "media_type": "text/plain",
        "bytes": 6,
        "file_name": "my_clip_note.txt",
    }
    part = api.get(note["url"], headers={"Range": "bytes=2-"})
    assert (part.status_code, part.text) == (206, "tone")
    head = api.head(note["url"])
    assert (head.headers["content-length"], head.content) == ("6", b"")
    etag = part.headers["etag"]
    assert api.get(note["url"], headers={"If-None-Match": etag}).status_code == 304
    missing = api.get(f"{job['links']['files']}/picture")
    assert (missing.status_code, missing.json()["detail"]) == (
        404,
        "The job has no file of that name. It has: sound, note.",
    )


def test_all_files_of_a_job_are_deleted(small_limits: Limits, silent_video: Path, tmp_path: Path):
    bucket = DirectoryBucket(tmp_path / "bucket")
    served = create_app([tone_model("pair", Pair)], small_limits, tmp_path / "work", bucket)
    with Server(served).running() as url, open_client(url) as http:
        location = post(http, silent_video).headers["location"]
        assert len(list(bucket.keys("serving/"))) == 2
        assert http.delete(location).status_code == 204
        while list(bucket.keys("serving/")):
            pass


def test_a_job_without_files_answers_its_document(
    api: httpx.Client, silent_video: Path, tmp_path: Path
):
    answer = post(api, silent_video, "classifications", top="2")
    assert answer.headers["content-type"] == "application/json"
    assert "content-disposition" not in answer.headers
    rows = answer.json()["labels_over_time"]
    assert [row["at_s"] for row in rows] == [k / 5 for k in range(10)]
    job = api.get(answer.headers["location"]).json()
    assert (job["files"], job["document"]) == ([], answer.json())
    assert "result" not in job
    result = job["links"]["result"]
    assert api.head(result).headers["content-length"] == str(len(answer.content))
    assert api.get(result, headers={"Range": "bytes=0-0"}).content == b"{"
    with silent_video.open("rb") as video:
        sent = send_file(api, "classifications", video, "a.mp4", tmp_path / "out.json")
    assert sent.media_type == "application/json"


def test_the_frame_has_each_tasks_part(api: httpx.Client):
    assert "/v1/generations?wait=600" in api.get("/").text
    for name in ("tab.html", "tab.js", "drawing.js"):
        assert api.get(f"/static/tasks/generation/{name}").is_success
    for name in ("generation/__init__.py", "generation/none.js", "classification/tab.js"):
        assert api.get(f"/static/tasks/{name}").status_code == 404


def test_two_of_one_name_are_an_error(small_limits: Limits, tmp_path: Path):
    with pytest.raises(SettingsError, match="two models are named 'tone'"):
        create_app([tone_model("tone"), tone_model("tone")], small_limits, tmp_path)


def recipe_of(name: str, **serving) -> GenerationRecipe:
    return GenerationRecipe(
        name=name,
        collection=CollectionSettings(catalog="test.csv"),
        serving=ServingSettings(**serving),
    )


def test_a_recipe_sets_its_models_limits(untrained_model: Path):
    recipe = recipe_of("test", max_upload_bytes=7, max_duration_s=3)
    model = model_of_folder(untrained_model, "a", recipe)
    assert (model.max_upload_bytes, model.media) == (7, MediaLimits(4096 * 2304, 3, 8, 4096**2))
    limits = Limits.of(recipe.serving, ServingSettings(max_upload_bytes=9, max_duration_s=1))
    assert (limits.max_upload_bytes, limits.max_duration_s) == (9, 3)
    assert limits.of_model(model) == (7, model.media)
    config = json.loads((untrained_model / "config.json").read_text())["config"]
    assert model.own == {"steps": config["sampling_steps"], "guidance": config["guidance"]}


def test_a_model_of_another_task_is_told(tmp_path: Path):
    (tmp_path / "config.json").write_text('{"task": "separation"}')
    with pytest.raises(ModelError, match="of the task separation"):
        model_of_folder(tmp_path, "a", recipe_of("test"))


def test_model_directories_go_with_one_recipe(tmp_path: Path):
    paths = [tmp_path / "a.yaml", tmp_path / "b.yaml"]
    for path in paths:
        path.write_text("name: a\ncollection: {catalog: test.csv}\n")
    options = ["--port", "0", "--model", str(tmp_path)]
    done = CliRunner().invoke(app, ["serve", *map(str, paths), *options])
    assert done.exit_code == 1
    assert "--model with 2 recipes" in " ".join(done.stderr.split())


OLD_STORE = """
CREATE TABLE jobs (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
    route TEXT NOT NULL, owner TEXT NOT NULL, file_name TEXT NOT NULL, kind TEXT NOT NULL,
    options TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'queued', progress REAL NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0, created_s REAL NOT NULL, expires_s REAL,
    seconds TEXT NOT NULL, result TEXT, problem TEXT);
CREATE TABLE events (number INTEGER PRIMARY KEY AUTOINCREMENT, job TEXT NOT NULL,
    name TEXT NOT NULL, data TEXT NOT NULL);
CREATE TABLE requests (owner TEXT NOT NULL, name TEXT NOT NULL, job TEXT NOT NULL,
    PRIMARY KEY (owner, name));
INSERT INTO jobs (id, route, owner, file_name, kind, options, state, created_s, seconds, result)
VALUES ('old', 'generations', '', 'a.mp4', 'video', '{"seed": 4}', 'done', 1, '{}',
    '{"key": "serving/results/old", "size": 3, "crc32c": "AAAA", "media_type": "video/mp4",
      "file_name": "a_with_sound.mp4"}');
"""


def test_jobs_of_an_earlier_server_are_taken_over(small_limits: Limits, tmp_path: Path):
    database = sqlite3.connect(tmp_path / "jobs.sqlite3")
    database.executescript(OLD_STORE)
    database.close()
    bucket = DirectoryBucket(tmp_path / "bucket")
    bucket.write("serving/results/old", b"mp4")
    for _ in range(2):
        served = create_app([tone_model()], small_limits, tmp_path, bucket)
        with Server(served).running() as url, open_client(url) as http:
            assert http.get("/v1/jobs/old").json()["files"][0]["name"] == "result"
            assert http.get("/v1/jobs/old/result").content == b"mp4"


@pytest.mark.parametrize("content", ["damaged", "later"])
def test_a_store_that_cannot_be_used_is_put_aside(
    small_limits: Limits, tmp_path: Path, caplog: pytest.LogCaptureFixture, content: str
):
    path = tmp_path / "jobs.sqlite3"
    if content == "damaged":
        path.write_bytes(b"no database at all, but long enough to be read as the head of one" * 20)
    else:
        database = sqlite3.connect(path)
        database.execute("PRAGMA user_version = 99")
        database.close()
    kept = path.read_bytes()
    served = create_app([tone_model()], small_limits, tmp_path)
    with Server(served).running() as url, open_client(url) as http:
        assert http.get("/readyz").is_success
    (aside,) = tmp_path.glob("jobs.sqlite3.*.aside")
    assert aside.read_bytes() == kept
    assert aside.name in caplog.text
