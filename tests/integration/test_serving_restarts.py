"""What a server finds when it starts, and requests that are sent again."""

import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from tone import TonePredictor, tone_model

from serving.client import open_client
from serving.http.app import create_app
from serving.http.server import Server
from serving.http.service import Limits
from serving.jobs.storage import UPLOAD_NAME
from serving.jobs.store import JobStore

KEY = "a-random-name-of-a-request"


class Counting(TonePredictor):
    """Notes the seeds of jobs that are worked on at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.together: list[set[int]] = []
        self._now: set[int] = set()
        self._lock = threading.Lock()

    def prepare(self, upload, options, notes):
        with self._lock:
            self._now.add(options.seed)
            self.together.append(set(self._now))
        time.sleep(0.05)
        return super().prepare(upload, options, notes)

    def finish(self, upload, options, output, notes):
        with self._lock:
            self._now.remove(options.seed)
        return super().finish(upload, options, output, notes)


@contextmanager
def serving(
    folder: Path, limits: Limits, predictor: TonePredictor | None = None
) -> Iterator[httpx.Client]:
    model = tone_model("tone", lambda: predictor or TonePredictor())
    with Server(create_app([model], limits, folder)).running() as url, open_client(url) as http:
        yield http


def leave_jobs(folder: Path, video: Path, attempts: list[int]) -> list[str]:
    """What servers left that ended while they did jobs, each so often; the seed is its index."""
    (folder / "uploads").mkdir(parents=True)
    store = JobStore.of_folder(folder)
    jobs = [store.new_id() for _ in attempts]
    for seed, (job_id, count) in enumerate(zip(jobs, attempts, strict=True)):
        (folder / "uploads" / job_id).mkdir()
        shutil.copy(video, folder / "uploads" / job_id / UPLOAD_NAME)
        fields = {"route": "generations", "owner": "", "file_name": "a.mp4", "kind": "video"}
        store.add(job_id, fields | {"options": {"seed": seed}}, {})
        for _ in range(count):
            store.begin(job_id)
            store.proceed(job_id, 0.6)
            store.recover()
    store.close()
    return jobs


def until(check: Callable[[], bool]) -> None:
    while not check():
        time.sleep(0.01)


def test_jobs_that_servers_ended_in_are_done_alone_and_given_up_in_the_end(
    tmp_path: Path, small_limits: Limits, silent_video: Path
):
    jobs = leave_jobs(tmp_path, silent_video, [0, 3, 1, 5, 6])
    predictor = Counting()
    with serving(tmp_path, small_limits, predictor) as http:
        states = {}
        for job in jobs:
            until(lambda job=job: http.get(f"/v1/jobs/{job}").json()["state"] in {"done", "failed"})
            states[job] = http.get(f"/v1/jobs/{job}").json()["state"]
    assert list(states.values()) == ["done", "done", "done", "done", "failed"]
    assert predictor.together[:2] == [{1}, {3}]
    assert {0, 2} in predictor.together[2:]


def test_progress_never_goes_back(tmp_path: Path, silent_video: Path):
    (job,) = leave_jobs(tmp_path, silent_video, [1])
    store = JobStore.of_folder(tmp_path)
    store.begin(job)
    for share in (0.3, 0.7, 0.5):
        store.proceed(job, share)
    progress = [event.data["progress"] for event in store.events(job)]
    store.close()
    assert progress == [0, 0, 0.6, 0.6, 0.6, 0.7, 0.7]


def test_a_store_that_fails_for_a_moment_loses_no_job(
    tmp_path: Path, small_limits: Limits, silent_video: Path, monkeypatch: pytest.MonkeyPatch
):
    begin, failures = JobStore.begin, [sqlite3.OperationalError("database or disk is full")]

    def begin_later(store: JobStore, job_id: str):
        if failures:
            raise failures.pop()
        return begin(store, job_id)

    monkeypatch.setattr(JobStore, "begin", begin_later)
    monkeypatch.setattr("serving.jobs.runner.RETRY_S", 0.05)
    with serving(tmp_path, small_limits) as http, silent_video.open("rb") as video:
        answer = http.post("/v1/generations?wait=60", files={"video": ("a.mp4", video)})
        assert answer.status_code == 200
    assert failures == []


def send(http: httpx.Client, video: Path, key: str, seed: int = 0) -> httpx.Response:
    with video.open("rb") as file:
        return http.post(
            "/v1/generations",
            files={"video": ("clip.mp4", file)},
            data={"seed": str(seed)},
            headers={"Idempotency-Key": key},
        )


def test_a_request_that_is_sent_again_makes_no_second_job(
    tmp_path: Path, small_limits: Limits, silent_video: Path
):
    with serving(tmp_path, small_limits) as http:
        first = send(http, silent_video, KEY, seed=1)
    with serving(tmp_path, small_limits) as http:
        again = send(http, silent_video, KEY, seed=1)
        changed = send(http, silent_video, KEY, seed=2)
        assert (changed.status_code, changed.json()["type"].rpartition(":")[2]) == (
            422,
            "other-request",
        )
        other = send(http, silent_video, KEY + "-2", seed=2)
        assert again.headers["location"] == first.headers["location"]
        assert other.headers["location"] != first.headers["location"]
        assert http.get(first.headers["location"]).json()["options"]["seed"] == 1
        assert http.delete(first.headers["location"]).status_code == 204
        assert send(http, silent_video, KEY).headers["location"] != first.headers["location"]


def test_a_request_that_comes_twice_at_a_time_makes_one_job(
    tone_api: httpx.Client, silent_video: Path, nothing_left: Callable[[], None]
):
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: send(tone_api, silent_video, KEY), range(8)))
    assert len({answer.headers["location"] for answer in answers}) == 1
    nothing_left()


@pytest.mark.parametrize("key", ["", "short", "x" * 129])
def test_a_name_that_others_may_guess_is_refused(
    tone_api: httpx.Client, silent_video: Path, key: str
):
    answer = send(tone_api, silent_video, key)
    assert answer.status_code == 422
    assert "idempotency-key" in answer.json()["detail"].lower()
