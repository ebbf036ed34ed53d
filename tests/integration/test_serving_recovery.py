"""The server as a process that is killed or told to stop under load: no job is lost or doubled."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest

from s2s.storage import DirectoryBucket

N_JOBS = 8
RECIPE = "name: test\ncollection: {catalog: test.csv}\n"


class ServerProcess:
    """`python -m serving serve`, with its log in a file."""

    def __init__(self, folder: Path, model: Path, **environment: str) -> None:
        recipe = folder / "recipe.yaml"
        recipe.write_text(RECIPE)
        command = [sys.executable, "-m", "serving", "serve", str(recipe), "--model", str(model)]
        command += ["--port", "0", "--work-dir", str(folder / "work")]
        command += ["--bucket", f"file://{folder}/bucket"]
        self.log = folder / f"log{time.monotonic_ns()}.txt"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, stderr=log, env=os.environ | {"COLUMNS": "300"} | environment
            )
        self.url = self._url()
        while httpx.get(f"{self.url}/readyz").status_code != httpx.codes.OK:
            time.sleep(0.05)

    def _url(self) -> str:
        while True:
            if match := re.search(r"http://127\.0\.0\.1:\d+", self.log.read_text()):
                return match[0]
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.02)

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(100)


@contextmanager
def server(folder: Path, model: Path, **environment: str) -> Iterator[ServerProcess]:
    running = ServerProcess(folder, model, **environment)
    try:
        yield running
    finally:
        running.process.kill()
        running.process.wait()


def send(url: str, video: Path, count: int) -> list[str]:
    """Addresses of jobs that were accepted."""
    with httpx.Client(base_url=url, timeout=60) as http:
        return [
            http.post(
                "/v1/generations",
                files={"video": ("clip.mp4", video.read_bytes())},
                data={"seed": str(seed), "steps": "4"},
            ).headers["location"]
            for seed in range(count)
        ]


def states(url: str, jobs: list[str]) -> dict[str, str]:
    return {job: httpx.get(url + job).json()["state"] for job in jobs}


def test_killed_under_load_it_takes_up_where_it_was(
    untrained_model: Path, silent_video: Path, tmp_path: Path
):
    with server(tmp_path, untrained_model) as first:
        jobs = send(first.url, silent_video, N_JOBS)
        while list(states(first.url, jobs).values()).count("done") < 2:
            time.sleep(0.02)
        before = {job: httpx.get(first.url + job).json() for job in jobs}
        first.end(signal.SIGKILL)
    stray = tmp_path / "work" / "serving" / "uploads" / "stray"
    stray.mkdir()  # of a request that was on its way
    with server(tmp_path, untrained_model) as second:
        while set(states(second.url, jobs).values()) != {"done"}:
            time.sleep(0.05)
        for job in jobs:
            after = httpx.get(second.url + job).json()
            if before[job]["state"] == "done":
                assert after == before[job]  # not done again
            assert httpx.get(f"{second.url}{job}/result").headers["x-s2s-seed"] in set("01234567")
        uploads = tmp_path / "work" / "serving" / "uploads"
        while list(uploads.iterdir()):
            time.sleep(0.02)
    bucket = DirectoryBucket(tmp_path / "bucket")
    assert {key.rpartition("/")[2] for key in bucket.keys("serving/")} == {
        job.rpartition("/")[2] for job in jobs
    }


def test_told_to_stop_under_load_it_finishes_and_takes_nothing_new(
    untrained_model: Path, silent_video: Path, tmp_path: Path
):
    with server(tmp_path, untrained_model) as running:
        jobs = send(running.url, silent_video, N_JOBS)
        running.process.send_signal(signal.SIGTERM)
        while httpx.get(f"{running.url}/readyz").status_code == httpx.codes.OK:
            time.sleep(0.01)
        refused = httpx.post(
            f"{running.url}/v1/generations",
            files={"video": ("clip.mp4", silent_video.read_bytes())},
        )
        assert refused.status_code == 503
        assert "retry-after" in refused.headers
        assert set(states(running.url, jobs).values()) <= {"queued", "running", "done"}
        assert running.process.wait(100) == 0
        log = [line for line in running.log.read_text().splitlines() if line.startswith("{")]
    bucket = DirectoryBucket(tmp_path / "bucket")
    assert len(list(bucket.keys("serving/"))) == N_JOBS
    lines = [json.loads(line) for line in log]
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines)
    accepted = [line for line in lines if line.get("status") == 202]
    assert len({line["request_id"] for line in accepted}) == N_JOBS


@pytest.fixture
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """What OpenTelemetry would send its traces to."""
    received: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Nothing on stderr."""

    site = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=site.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{site.server_port}", received
    site.shutdown()
    thread.join()
    site.server_close()


def test_traces_are_sent_where_the_environment_says(
    untrained_model: Path, silent_video: Path, tmp_path: Path, collector: tuple[str, list[bytes]]
):
    endpoint, received = collector
    with server(tmp_path, untrained_model, OTEL_EXPORTER_OTLP_ENDPOINT=endpoint) as running:
        (job,) = send(running.url, silent_video, 1)
        while states(running.url, [job])[job] != "done":
            time.sleep(0.05)
        assert running.end(signal.SIGTERM) == 0
    sent = b"".join(received)
    assert b"s2s-serving" in sent
    assert b"POST request" in sent
    assert job.rpartition("/")[2].encode() in sent
