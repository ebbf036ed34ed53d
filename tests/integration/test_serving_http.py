"""HTTP as RFC 9110 has it: conditions, ranges, HEAD, Allow; and what is away or full."""

import shutil
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from tone import tone_model

from s2s.errors import BucketUnavailableError
from s2s.storage import DirectoryBucket
from serving.client import open_client
from serving.http.app import create_app
from serving.http.server import Server
from serving.http.service import Limits
from serving.jobs.store import JobStore


@pytest.fixture(scope="module")
def result(tone_url: str, silent_video: Path) -> httpx.Response:
    """A result, whole."""
    with open_client(tone_url) as http, silent_video.open("rb") as video:
        answer = http.post("/v1/generations?wait=60", files={"video": ("a.mp4", video)})
        assert answer.status_code == 200
        return http.get(answer.headers["location"] + "/result")


def url_of(result: httpx.Response) -> str:
    return result.url.path


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If-None-Match": "{etag}"}, 304),
        ({"If-None-Match": "W/{etag}"}, 304),
        ({"If-None-Match": '"x", W/"y" ,{etag}'}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"x"'}, 200),
        ({"If-None-Match": "no tag"}, 200),
        ({"If-None-Match": "{etag}, Range"}, 200),
        ({"If-Match": "{etag}"}, 200),
        ({"If-Match": '"x", {etag}'}, 200),
        ({"If-Match": ", {etag},"}, 200),
        ({"If-None-Match": '"x",, {etag} ,'}, 304),
        ({"If-None-Match": '"x" {etag}'}, 200),
        ({"If-None-Match": '"x"' + " " * 30_000 + "x"}, 200),
        ({"If-Match": "*"}, 200),
        ({"If-Match": '"x"'}, 412),
        ({"If-Match": "W/{etag}"}, 412),
        ({"If-Match": '"x"', "Range": "bytes=0-9"}, 412),
        ({"If-Match": "*", "If-None-Match": "{etag}"}, 304),
        ({"If-None-Match": "{etag}", "Range": "bytes=0-9"}, 304),
        ({"If-None-Match": "{etag}", "Range": "bytes=9999999-"}, 304),
        ({"If-Range": "{etag}", "Range": "bytes=0-9"}, 206),
        ({"If-Range": "W/{etag}", "Range": "bytes=0-9"}, 200),
        ({"If-Range": "Sat, 28 Nov 2026 12:00:00 GMT", "Range": "bytes=0-9"}, 200),
        ({"Range": "bytes=1 2-3 4"}, 200),
        ({"Range": "BYTES=0-9"}, 206),
        ({"Range": "bytes=0-"}, 206),
        ({"Range": "bytes=0-" + "9" * 4301}, 206),
        ({"Range": "bytes=" + "9" * 5000 + "-"}, 416),
        ({"Range": "bytes=-" + "9" * 5000}, 206),
        ({"Range": "bytes=" + "9" * 4400 + "-" + "9" * 4401}, 416),
        ({"Range": "bytes=0" * 900 + "-1"}, 200),
        ({"Range": "bytes=-0"}, 416),
        ({"Range": "bytes=٣-٤".encode()}, 200),
    ],
)
def test_conditions_and_ranges(tone_api: httpx.Client, result: httpx.Response, headers, status):
    etag = result.headers["etag"]
    sent = {
        name: value if isinstance(value, bytes) else value.replace("{etag}", etag)
        for name, value in headers.items()
    }
    answer = tone_api.get(url_of(result), headers=sent)
    assert answer.status_code == status
    if status in {304, 412}:
        assert answer.headers["etag"] == etag
    if status == 304:
        assert answer.headers["cache-control"] == result.headers["cache-control"]
        assert answer.content == b""
    if status == 206:
        said = answer.headers["content-range"].removeprefix("bytes ").partition("/")[0]
        first, last = map(int, said.split("-"))
        assert answer.content == result.content[first : last + 1]
        assert first == 0
        assert last == (9 if headers["Range"].endswith("0-9") else len(result.content) - 1)
    if status == 200:
        assert answer.content == result.content


def test_a_condition_may_come_in_several_lines(tone_api: httpx.Client, result: httpx.Response):
    lines = [("If-None-Match", '"x"'), ("If-None-Match", result.headers["etag"])]
    assert tone_api.get(url_of(result), headers=lines).status_code == 304


@pytest.mark.parametrize("asked", ["bytes=0-9", "bytes=99999999-"])
def test_head_has_no_ranges(tone_api: httpx.Client, result: httpx.Response, asked: str):
    head = tone_api.head(url_of(result), headers={"Range": asked})
    assert head.status_code == 200
    assert head.headers["content-length"] == str(len(result.content))
    assert "content-range" not in head.headers
    etag = {"If-None-Match": result.headers["etag"]}
    assert tone_api.head(url_of(result), headers=etag).status_code == 304


@pytest.mark.parametrize(
    "path", ["/docs", "/static/example.mp4", "/static/app.js", "/static/tasks/generation/tab.js"]
)
def test_what_the_page_is_made_of_has_ranges_and_conditions_too(tone_api: httpx.Client, path: str):
    whole = tone_api.get(path)
    etag = whole.headers["etag"]
    for headers, status in (
        ({"Range": "bytes=2-9"}, 206),
        ({"Range": "bytes=5-1"}, 200),
        ({"Range": "items=0-1"}, 200),
        ({"Range": "bytes=" + "9" * 5000 + "-"}, 416),
        ({"Range": "bytes=2-9", "If-Range": '"x"'}, 200),
        ({"If-Match": '"x"'}, 412),
        ({"If-None-Match": f'"x", W/{etag}'}, 304),
    ):
        answer = tone_api.get(path, headers=headers)
        assert answer.status_code == status, headers
        if status == 206:
            assert answer.content == whole.content[2:10]
        if status == 200:
            assert answer.content == whole.content
        if status > 400:
            assert answer.headers["content-type"] == "application/problem+json"
    assert tone_api.head(path, headers={"Range": "bytes=0-9"}).status_code == 200


@pytest.mark.parametrize(
    "path", ["/static/none.js", "/static/index.html", "/static/../app.py", "/healthz/", "/docs/"]
)
def test_nothing_else_is_there_and_nobody_is_sent_elsewhere(tone_api: httpx.Client, path: str):
    answer = tone_api.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("body", ["[" * 16_000, "9" * 9_000])
def test_a_body_that_cannot_be_read_is_a_bad_request(tone_api: httpx.Client, body: str):
    headers = {"Content-Type": "application/json"}
    answer = tone_api.post("/v1/session", content=body, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["type"].endswith(":bad-request")


def test_head_is_answered_wherever_get_is(tone_api: httpx.Client, result: httpx.Response):
    job = url_of(result).removesuffix("/result")
    described = tone_api.get("/openapi.json").json()["paths"]
    paths = [path for path, methods in described.items() if "get" in methods]
    assert len(paths) >= 9
    for template in [*paths, "/", "/static/app.js", "/static/tasks/generation/tab.js"]:
        path = template.replace("/v1/jobs/{job_id}", job).replace("{name}", "video")
        got, head = tone_api.get(path), tone_api.head(path)
        assert (head.status_code, head.content) == (got.status_code, b""), path
        assert head.headers["content-type"] == got.headers["content-type"]


def test_allow_names_every_method_of_a_path(tone_api: httpx.Client):
    for method, path, allowed in (
        ("PUT", "/v1/jobs/none", "DELETE, GET, HEAD"),
        ("GET", "/v1/generations", "POST"),
        ("POST", "/healthz", "GET, HEAD"),
        ("DELETE", "/v1/jobs/none/files/video", "GET, HEAD"),
        ("PATCH", "/", "GET, HEAD"),
        ("POST", "/static/app.js", "GET, HEAD"),
    ):
        answer = tone_api.request(method, path)
        assert (answer.status_code, answer.headers["allow"]) == (405, allowed), path


def test_openapi_names_problems_for_every_422(tone_api: httpx.Client):
    for path, methods in tone_api.get("/openapi.json").json()["paths"].items():
        for operation in methods.values():
            for status, answer in operation["responses"].items():
                if status >= "400":
                    assert list(answer["content"]) == ["application/problem+json"], path


@pytest.mark.parametrize("number", ["9" * 5000, "-1", "٣", "1" * 19])
def test_odd_numbers_of_events_are_no_fault(
    tone_api: httpx.Client, result: httpx.Response, number: str
):
    url = url_of(result).replace("/result", "/events")
    sent = [(b"Last-Event-ID", number.encode())]
    assert tone_api.get(url, headers=sent).status_code == 200


def test_an_input_that_is_left_empty_is_not_sent(tone_api: httpx.Client, silent_video: Path):
    for kind, empty in (("video", "picture"), ("picture", "video")):
        part = silent_video.read_bytes()
        body = b"".join(
            b'--cut\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n'
            b"Content-Type: application/octet-stream\r\n\r\n%s\r\n" % (name.encode(), file, data)
            for name, file, data in ((kind, b"a.mp4", part), (empty, b"", b""))
        )
        headers = {"Content-Type": "multipart/form-data; boundary=cut"}
        answer = tone_api.post("/v1/generations", content=body + b"--cut--\r\n", headers=headers)
        assert answer.status_code == 202, answer.text


class Away(DirectoryBucket):
    """A bucket that can be away."""

    is_away = False

    def open_range(self, key, start, length):
        self._check()
        return super().open_range(key, start, length)

    def delete(self, key):
        self._check()
        super().delete(key)

    def _check(self) -> None:
        if self.is_away:
            raise BucketUnavailableError("away")


def until(check: Callable[[], bool]) -> None:
    while not check():
        time.sleep(0.01)


def test_while_the_bucket_is_away_results_wait_and_deletions_are_done_later(
    small_limits: Limits, silent_video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("serving.jobs.runner._SWEEP_S", 0.05)
    bucket = Away(tmp_path / "bucket")
    app = create_app([tone_model()], small_limits, tmp_path / "api", bucket)
    with Server(app).running() as url, open_client(url) as http, silent_video.open("rb") as video:
        sent = http.post("/v1/generations?wait=60", files={"video": ("a.mp4", video)})
        job = sent.headers["location"]
        bucket.is_away = True
        answer = http.get(f"{job}/result")
        assert answer.status_code == 503
        assert answer.json()["type"].endswith(":bucket-away")
        assert int(answer.headers["retry-after"]) > 0
        assert http.delete(job).status_code == 204
        assert http.get(job).status_code == 404
        time.sleep(0.2)
        assert list(bucket.keys("serving/"))
        bucket.is_away = False
        until(lambda: not list(bucket.keys("serving/")))


def test_a_bucket_whose_folder_cannot_be_used_is_away_not_empty(
    small_limits: Limits, silent_video: Path, tmp_path: Path
):
    bucket = DirectoryBucket(tmp_path / "bucket")
    app = create_app([tone_model()], small_limits, tmp_path / "api", bucket)
    with Server(app).running() as url, open_client(url) as http, silent_video.open("rb") as video:
        sent = http.post("/v1/generations?wait=60", files={"video": ("a.mp4", video)})
        shutil.move(tmp_path / "bucket", tmp_path / "elsewhere")
        (tmp_path / "bucket").write_bytes(b"no folder")
        assert http.get(sent.headers["location"] + "/result").status_code == 503


def test_a_bucket_that_is_taken_away_is_not_made_anew(
    small_limits: Limits, silent_video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("serving.jobs.results.RETRY_S", 0.05)
    monkeypatch.setattr("serving.jobs.results.WATCH_S", 0.05)
    bucket, elsewhere = tmp_path / "bucket", tmp_path / "elsewhere"
    app = create_app([tone_model()], small_limits, tmp_path / "api", DirectoryBucket(bucket))
    with Server(app).running() as url, open_client(url) as http, silent_video.open("rb") as video:
        until(lambda: http.get("/readyz").status_code == 200)
        until(bucket.is_dir)
        bucket.rename(elsewhere)
        until(lambda: http.get("/readyz").status_code == 503)
        away = http.get("/readyz")
        assert away.json()["type"].endswith(":bucket-away")
        assert int(away.headers["retry-after"]) > 0
        job = http.post("/v1/generations", files={"video": ("a.mp4", video)}).headers["location"]
        until(lambda: http.get(job).json()["state"] == "running")
        assert not bucket.exists()
        elsewhere.rename(bucket)
        until(lambda: http.get(job).json()["state"] == "done")
        assert http.get(f"{job}/result").status_code == 200
        until(lambda: http.get("/readyz").status_code == 200)


def test_a_full_disk_takes_no_uploads(
    small_limits: Limits, silent_video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    app = create_app([tone_model()], small_limits, tmp_path)
    with Server(app).running() as url, open_client(url) as http, silent_video.open("rb") as video:
        usage = shutil.disk_usage(tmp_path)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
        full = http.post("/v1/generations", files={"video": ("a.mp4", video)})
        assert (full.status_code, full.json()["type"].rpartition(":")[2]) == (507, "disk-full")
        assert http.get("/readyz").status_code == 503
        assert http.get("/healthz").status_code == 200
        monkeypatch.undo()
        assert http.get("/readyz").status_code == 200


def test_a_store_that_fails_for_good_is_seen(
    small_limits: Limits, silent_video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("serving.jobs.runner.RETRY_S", 0.05)
    begin = JobStore.begin

    def fail(_store: JobStore, _job_id: str) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    app = create_app([tone_model()], small_limits, tmp_path)
    with Server(app).running() as url, open_client(url) as http, silent_video.open("rb") as video:
        monkeypatch.setattr(JobStore, "begin", fail)
        job = http.post("/v1/generations", files={"video": ("a.mp4", video)})
        assert job.status_code == 202
        until(lambda: http.get("/readyz").status_code == 503)
        monkeypatch.setattr(JobStore, "begin", begin)
        until(lambda: http.get("/readyz").status_code == 200)
        until(lambda: http.get(job.headers["location"]).json()["state"] == "done")


def test_a_store_without_room_is_a_full_disk(tone_api: httpx.Client, monkeypatch):
    def fail(_store: JobStore, _job_id: str) -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    monkeypatch.setattr(JobStore, "get", fail)
    assert tone_api.get("/v1/jobs/none").status_code == 507
