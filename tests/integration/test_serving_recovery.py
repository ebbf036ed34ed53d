"""The server as a process that is killed or told to stop under load: no job is lost or doubled."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest
from server_process import server
from serving_fixtures import MakeVideo

from s2s.storage import DirectoryBucket

N_JOBS = 8
ROOT = Path(__file__).resolve().parents[2]


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
    with httpx.Client(base_url=url, timeout=60) as http:
        return {job: http.get(job).json()["state"] for job in jobs}


@pytest.mark.parametrize(("how", "times"), [("kill", 2), ("stop", 1)])
def test_ended_under_load_it_loses_and_doubles_no_job(
    untrained_model: Path, make_video: MakeVideo, how: str, times: int
):
    """A few rounds of what benchmarks/serving_kills.py does for longer, with 32 connections."""
    video = make_video("short.mp4", seconds=0.4, size="64x48")
    command = [sys.executable, str(ROOT / "benchmarks" / "serving_kills.py"), how]
    command += [str(untrained_model), str(video), "--times", str(times)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["ended"], report["connections"]) == (times, 32)
    assert report["jobs"] >= 32
    for what in ("lost", "doubled", "left_when_told_to_stop", "uploads_left"):
        assert report[what] == 0, report


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
    assert {line["client"] for line in accepted} == {"127.0.0.1"}


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
        running.process.terminate()
        assert running.process.wait(100) == 0
    sent = b"".join(received)
    assert b"s2s-serving" in sent
    assert b"POST request" in sent
    assert job.rpartition("/")[2].encode() in sent
