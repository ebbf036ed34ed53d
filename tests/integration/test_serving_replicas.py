"""Two servers that share jobs and results: a client notices nothing of it."""

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import psycopg
import pytest
from tone import TonePredictor, tone_model

from s2s.storage import DirectoryBucket
from serving.access.keys import KeyRing, add_key
from serving.client import open_client
from serving.http.app import create_app
from serving.http.server import Server
from serving.http.service import Limits


class Held(TonePredictor):
    """Waits until it may go on."""

    gate = threading.Event()

    def predict(self, batch):
        self.gate.wait(60)
        return super().predict(batch)


@pytest.fixture
def replicas(
    postgres_url: str, small_limits: Limits, tmp_path: Path
) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    Held.gate.clear()
    bucket = DirectoryBucket(tmp_path / "bucket")
    with ExitStack() as stack:
        clients = []
        for name in ("one", "other"):
            model = tone_model("tone", Held)
            app = create_app([model], small_limits, tmp_path / name, bucket, jobs=postgres_url)
            url = stack.enter_context(Server(app).running())
            clients.append(stack.enter_context(open_client(url)))
        yield clients[0], clients[1]
        Held.gate.set()


def send(http: httpx.Client, video: Path, **headers: str) -> httpx.Response:
    with video.open("rb") as file:
        return http.post("/v1/generations", files={"video": ("a.mp4", file)}, headers=headers)


def test_a_job_of_one_is_followed_and_fetched_at_the_other(replicas, silent_video: Path):
    one, other = replicas
    job = send(one, silent_video).json()["id"]
    assert other.get(f"/v1/jobs/{job}").json()["state"] in {"queued", "running"}
    names = []
    with other.stream("GET", f"/v1/jobs/{job}/events") as answer:
        for line in answer.iter_lines():
            if line.startswith("event:"):
                names.append(line.removeprefix("event: "))
                Held.gate.set()
    assert names[-1] == "done"
    assert len(names) > 2
    assert other.get(f"/v1/jobs/{job}/result").content == one.get(f"/v1/jobs/{job}/result").content


def test_the_same_request_at_both_makes_one_job(replicas, silent_video: Path):
    name = {"Idempotency-Key": "a random name of it"}
    jobs = {send(http, silent_video, **name).json()["id"] for http in replicas}
    assert len(jobs) == 1


def test_what_is_removed_at_the_other_ends(replicas, silent_video: Path):
    one, other = replicas
    job = send(one, silent_video).json()["id"]
    assert other.delete(f"/v1/jobs/{job}").status_code == 204
    Held.gate.set()
    assert one.get(f"/v1/jobs/{job}").status_code == 404
    with one.stream("GET", f"/v1/jobs/{job}/events") as answer:
        assert answer.status_code == 404


def test_jobs_of_a_server_that_is_gone_fail_and_say_so(
    replicas, silent_video: Path, postgres_url: str
):
    one, other = replicas
    job = send(one, silent_video).json()["id"]
    with psycopg.connect(postgres_url) as connection:
        connection.execute("UPDATE jobs SET server = 'gone', created_s = 0 WHERE id = %s", [job])
    # Whatever is removed has the sweeper look around at once.
    spare = send(other, silent_video).json()["id"]
    other.delete(f"/v1/jobs/{spare}")
    with other.stream("GET", f"/v1/jobs/{job}/events") as answer:
        events = [line for line in answer.iter_lines() if line.startswith("data:")]
    assert json.loads(events[-1].removeprefix("data: "))["state"] == "failed"
    problem = one.get(f"/v1/jobs/{job}").json()["problem"]
    assert "Send the file again" in problem["detail"]


def test_a_cookie_of_one_is_good_for_the_other(
    postgres_url: str, small_limits: Limits, tmp_path: Path
):
    key = add_key(tmp_path / "keys.txt", "me")
    ring = KeyRing.load(tmp_path / "keys.txt")
    bucket = DirectoryBucket(tmp_path / "bucket")
    with ExitStack() as stack:
        urls = []
        for name in ("one", "other"):
            app = create_app(
                [tone_model()], small_limits, tmp_path / name, bucket, ring, jobs=postgres_url
            )
            urls.append(stack.enter_context(Server(app).running()))
        with httpx.Client(base_url=urls[0]) as one, httpx.Client(base_url=urls[1]) as other:
            assert one.post("/v1/session", json={"key": key}).status_code == 204
            assert other.get("/v1/jobs/none").status_code == 401
            other.cookies = one.cookies
            assert other.get("/v1/jobs/none").status_code == 404


def test_while_the_database_is_gone_requests_are_to_come_later(replicas, postgres_url: str):
    one, _ = replicas
    name = httpx.URL(postgres_url).path.removeprefix("/")
    admin = postgres_url.replace(f"/{name}?", "/postgres?")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")  # type: ignore[arg-type]
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )
        answer = one.get("/v1/jobs/none")
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]
        assert one.get("/healthz").is_success
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")  # type: ignore[arg-type]
    while one.get("/v1/jobs/none").status_code == 503:
        pass
    assert one.get("/v1/jobs/none").status_code == 404
