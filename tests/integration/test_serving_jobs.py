"""Jobs over HTTP: made, watched, read in parts, removed; and who may do so how often."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from tone import TonePredictor, tone_model

from s2s.errors import StageError
from s2s.storage import DirectoryBucket
from serving.access.keys import KeyRing, add_key
from serving.client import generate, open_client
from serving.http.app import create_app
from serving.http.server import Server
from serving.http.service import Limits


class Gated(TonePredictor):
    """Works when the gate is open; notes its batches."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.batches: list[int] = []

    def predict(self, batch):
        self.gate.wait(30)
        self.batches.append(len(batch))
        return super().predict(batch)


@contextmanager
def serving(
    folder: Path, limits: Limits, predictor: TonePredictor | None = None, **options
) -> Iterator[httpx.Client]:
    model = tone_model("tone", lambda: predictor or TonePredictor())
    with (
        Server(create_app([model], limits, folder, **options)).running() as url,
        open_client(url) as http,
    ):
        yield http


def send(http: httpx.Client, video: Path, wait: float | None = None, **fields) -> httpx.Response:
    url = "/v1/generations" + ("" if wait is None else f"?wait={wait}")
    with video.open("rb") as file:
        return http.post(url, files={"video": (video.name, file)}, data=fields)


def until(check: Callable[[], bool]) -> None:
    while not check():
        time.sleep(0.01)


def events(answer: httpx.Response) -> list[tuple[int, str, dict]]:
    found = []
    for block in answer.text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if fields:
            found.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
    return found


def kind_of(answer: httpx.Response) -> str:
    return answer.json()["type"].rpartition(":")[2]


def test_a_job_from_202_to_its_removal(tone_api: httpx.Client, silent_video: Path):
    accepted = send(tone_api, silent_video, seed="3")
    assert accepted.status_code == 202
    job = accepted.json()
    assert job["links"]["self"] == accepted.headers["location"] == f"/v1/jobs/{job['id']}"
    assert job["state"] in {"queued", "running"}

    told = events(tone_api.get(job["links"]["events"]))
    assert [number for number, _, _ in told] == sorted({number for number, _, _ in told})
    progress = [data["progress"] for _, _, data in told]
    assert progress == sorted(progress)
    assert (progress[0], progress[-1]) == (0, 1)
    assert told[-1][1] == "done"

    done = tone_api.get(job["links"]["self"]).json()
    assert done["state"] == "done"
    assert done["options"]["seed"] == 3
    assert {"upload", "check", "wait", "decode", "model", "mux", "store"} == set(
        done["seconds_by_step"]
    )
    result = tone_api.get(job["links"]["result"])
    assert result.headers["content-type"] == "video/mp4"
    assert len(result.content) == done["result"]["size"]

    assert tone_api.delete(job["links"]["self"]).status_code == 204
    for url in job["links"].values():
        answer = tone_api.get(url)
        assert (answer.status_code, kind_of(answer)) == (404, "no-such-job")


def test_events_go_on_after_the_last_that_was_seen(tone_api: httpx.Client, silent_video: Path):
    links = send(tone_api, silent_video).json()["links"]
    told = events(tone_api.get(links["events"]))
    number = told[1][0]
    rest = events(tone_api.get(links["events"], headers={"Last-Event-ID": str(number)}))
    assert rest == told[2:]
    for odd in ("no number", "-1", "9" * 40):
        assert tone_api.get(links["events"], headers={"Last-Event-ID": odd}).is_success


def test_parts_of_a_result(tone_api: httpx.Client, silent_video: Path):
    url = send(tone_api, silent_video, wait=60).headers["location"] + "/result"
    whole = tone_api.get(url)
    size, etag = len(whole.content), whole.headers["etag"]
    assert whole.headers["accept-ranges"] == "bytes"
    for asked, expected in {
        "bytes=0-9": whole.content[:10],
        "bytes=10-": whole.content[10:],
        "bytes=-7": whole.content[-7:],
        f"bytes=5-{size + 100}": whole.content[5:],
    }.items():
        part = tone_api.get(url, headers={"Range": asked})
        assert part.status_code == 206
        assert part.content == expected
        assert part.headers["content-range"].endswith(f"/{size}")
    for asked in ("bytes=0-1,5-6", "lines=1-2", "bytes=9-1", "bytes=-"):
        assert tone_api.get(url, headers={"Range": asked}).status_code == 200
    beyond = tone_api.get(url, headers={"Range": f"bytes={size}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    changed = tone_api.get(url, headers={"Range": "bytes=0-9", "If-Range": '"other"'})
    assert changed.status_code == 200
    assert tone_api.get(url, headers={"If-None-Match": etag}).status_code == 304
    head = tone_api.head(url)
    assert (head.status_code, head.headers["content-length"]) == (200, str(size))


def test_jobs_are_queued_batched_bounded_and_removed(
    tmp_path: Path, small_limits: Limits, silent_video: Path
):
    gated = Gated()
    with serving(tmp_path, replace(small_limits, max_jobs=5), gated) as http:
        jobs = [send(http, silent_video).json() for _ in range(5)]
        full = send(http, silent_video)
        assert (full.status_code, kind_of(full)) == (429, "queue-full")
        assert int(full.headers["retry-after"]) > 0
        url = jobs[0]["links"]["self"]
        until(lambda: http.get(url).json()["progress"] > 0.1)
        waiting = [job["links"]["self"] for job in jobs[1:4]]
        until(lambda: all(http.get(each).json()["progress"] >= 0.4 for each in waiting))
        early = http.get(jobs[0]["links"]["result"])
        assert (early.status_code, kind_of(early)) == (409, "not-done")
        assert send(http, silent_video, wait=1).status_code == 429

        assert http.delete(jobs[4]["links"]["self"]).status_code == 204
        gated.gate.set()
        for job in jobs[:4]:
            assert events(http.get(job["links"]["events"]))[-1][1] == "done"
        assert sum(gated.batches) in {4, 5}
        assert max(gated.batches) > 1
        assert http.get(jobs[4]["links"]["self"]).status_code == 404
        until(lambda: not list((tmp_path / "uploads").iterdir()))
        files = (tmp_path / "results").rglob("*")
        stored = {path.parent.name for path in files if path.is_file()}
        assert stored == {job["id"] for job in jobs[:4]}


def test_who_waits_too_short_gets_the_job(tmp_path: Path, small_limits: Limits, silent_video: Path):
    gated = Gated()
    with serving(tmp_path, small_limits, gated) as http:
        answer = send(http, silent_video, wait=0.05)
        assert answer.status_code == 202
        gated.gate.set()
        assert send(http, silent_video, wait=60).status_code == 200
        for wait in ("-1", "nan", "601", "long"):
            wrong = send(http, silent_video, wait=wait)  # pyright: ignore[reportArgumentType]
            assert (wrong.status_code, kind_of(wrong)) == (422, "invalid-fields")


def test_a_job_that_fails_tells_why_again_and_again(
    tmp_path: Path, small_limits: Limits, silent_video: Path
):
    class Full(TonePredictor):
        def predict(self, batch):  # noqa: ARG002
            raise OSError(28, "No space left on device")

    with serving(tmp_path, small_limits, Full()) as http:
        job = send(http, silent_video).json()
        assert events(http.get(job["links"]["events"]))[-1][1] == "failed"
        assert http.get(job["links"]["self"]).json()["problem"]["status"] == 507
        result = http.get(job["links"]["result"])
        assert (result.status_code, kind_of(result)) == (507, "disk-full")


def test_results_expire(tmp_path: Path, small_limits: Limits, silent_video: Path, monkeypatch):
    monkeypatch.setattr("serving.jobs.runner._SWEEP_S", 0.05)
    bucket = DirectoryBucket(tmp_path / "bucket")
    limits = replace(small_limits, keep_s=0.2)
    with serving(tmp_path, limits, bucket=bucket) as http:
        job = send(http, silent_video, wait=60)
        assert job.status_code == 200
        until(lambda: http.get(job.headers["location"]).status_code == 404)
        until(lambda: not list(bucket.keys("serving/")))


def test_finished_jobs_survive_a_restart(tmp_path: Path, small_limits: Limits, silent_video: Path):
    with serving(tmp_path, small_limits) as http:
        before = send(http, silent_video, wait=60)
        location = before.headers["location"]
    with serving(tmp_path, small_limits) as http:
        assert http.get(location).json()["state"] == "done"
        assert http.get(location + "/result").content == before.content


def test_a_folder_is_for_one_server(tmp_path: Path, small_limits: Limits):
    with (
        serving(tmp_path, small_limits),
        pytest.raises(StageError, match="another server"),
    ):
        create_app([tone_model("tone", TonePredictor)], small_limits, tmp_path)


@pytest.fixture
def keys(tmp_path: Path) -> tuple[KeyRing, dict[str, str]]:
    path = tmp_path / "keys.txt"
    made = {name: add_key(path, name) for name in ("anna", "ben")}
    assert path.stat().st_mode & 0o77 == 0
    assert not any(key in path.read_text() for key in made.values())
    return KeyRing.load(path), made


def test_with_keys_jobs_are_their_owners(
    tmp_path: Path, small_limits: Limits, silent_video: Path, keys: tuple[KeyRing, dict[str, str]]
):
    ring, made = keys
    with serving(tmp_path / "api", small_limits, keys=ring) as http:
        nobody = send(http, silent_video)
        assert (nobody.status_code, kind_of(nobody)) == (401, "unauthorized")
        assert nobody.headers["www-authenticate"] == "Bearer"
        http.headers["Authorization"] = "Bearer s2s_wrong"
        assert send(http, silent_video).status_code == 401
        http.headers["Authorization"] = f"Bearer {made['anna']}"
        with silent_video.open("rb") as video:
            generate(http, video, "clip.mp4", tmp_path / "out.mp4")
        location = send(http, silent_video).headers["location"]
        assert http.get(location).is_success
        http.headers["Authorization"] = f"Bearer {made['ben']}"
        for url in (location, location + "/events", location + "/result"):
            assert http.get(url).status_code == 404
        assert http.delete(location).status_code == 404


def test_the_page_can_use_a_key_as_a_cookie(
    tmp_path: Path, small_limits: Limits, keys: tuple[KeyRing, dict[str, str]]
):
    ring, made = keys
    with serving(tmp_path / "api", small_limits, keys=ring) as http:
        assert http.get("/v1/models").json()["needs_key"] is True
        assert http.post("/v1/session", json={"key": "wrong"}).status_code == 401
        opened = http.post("/v1/session", json={"key": made["anna"]})
        assert opened.status_code == 204
        cookie = opened.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert http.get("/v1/jobs/none").status_code == 404  # no 401 any more
        closed = http.delete("/v1/session")
        assert closed.status_code == 204
        assert "HttpOnly" in closed.headers["set-cookie"]
        assert http.get("/v1/jobs/none").status_code == 401


def test_each_key_has_its_own_rate(
    tmp_path: Path, small_limits: Limits, silent_video: Path, keys: tuple[KeyRing, dict[str, str]]
):
    ring, made = keys
    with serving(tmp_path / "api", replace(small_limits, rate_per_minute=2), keys=ring) as http:
        http.headers["Authorization"] = f"Bearer {made['anna']}"
        assert [send(http, silent_video).status_code for _ in range(2)] == [202, 202]
        limited = send(http, silent_video)
        assert (limited.status_code, kind_of(limited)) == (429, "rate-limited")
        assert 0 < int(limited.headers["retry-after"]) <= 31
        http.headers["Authorization"] = f"Bearer {made['ben']}"
        assert send(http, silent_video).status_code == 202


def test_metrics_tell_depth_batches_steps_and_outcomes(tone_api: httpx.Client, silent_video: Path):
    assert send(tone_api, silent_video, wait=60).status_code == 200
    # A job counts until its folder is removed, after its answer is sent.
    until(lambda: "s2s_queue_depth 0.0" in tone_api.get("/metrics").text)
    text = tone_api.get("/metrics").text
    for line in (
        's2s_batch_size_count{model="tone",route="generations"}',
        's2s_step_seconds_count{model="tone",route="generations",step="model"}',
        's2s_jobs_total{model="tone",outcome="done",route="generations"}',
        's2s_http_seconds_count{method="POST",route="/v1/generations",status="200"}',
    ):
        assert line in text


def test_requests_have_ids(tone_api: httpx.Client):
    given = tone_api.get("/healthz", headers={"X-Request-ID": "abc-1"})
    assert given.headers["x-request-id"] == "abc-1"
    odd = tone_api.get("/healthz", headers={"X-Request-ID": 'x"; injected'})
    assert odd.headers["x-request-id"].isalnum()
