"""The smoke recipe through docker-compose: every image, every stage, and an answer over HTTP."""

import json
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import hcl2
import httpx
import pytest
from serving_fixtures import MakeVideo

from s2s.media import probe
from s2s.settings import STAGES

ROOT = Path(__file__).resolve().parents[2]
RECIPE = "silent_to_sound.smoke"
MINUTES = 60
WITH_TORCH_MB = {"feature_extraction": 5700, "training": 6700, "serving": 5800}
"""What each image with torch takes at most, in 10^6 bytes as `docker images` counts."""
pytestmark = [pytest.mark.docker, pytest.mark.timeout(40 * MINUTES)]

# What an entry of the table of rights covers, beside whole prefixes.
SPECIAL = {
    "*.csv": r"[^/]+\.csv",
    "processed_data/*.wav": r"processed_data/.*\.wav",
    "models/held_out": r"models/.*/held_out/.*",
}


class Compose:
    """docker-compose on a project of the test's own."""

    def __init__(self, environment: dict[str, str], port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._name = f"s2s-test-{os.getpid()}"
        self._environment = environment | {
            "S2S_BUCKET_LOG": "info",
            "S2S_CPUS": str(min(2, os.cpu_count() or 1)),
            "S2S_RECIPE": RECIPE,
            "S2S_SAMPLE_SOURCES": "8",
            "S2S_PORT": str(port),
        }

    def __call__(self, *args: str, check: bool = True) -> str:
        """Run a command of docker-compose; what it prints."""
        command = ["docker-compose", "--project-name", self._name, *args]
        answer = subprocess.run(
            command,
            cwd=ROOT,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert answer.returncode == 0 or not check, answer.stdout + answer.stderr
        return answer.stdout

    def objects(self) -> dict[str, str]:
        """When each object of the bucket was written, by its key."""
        listing = self(
            "exec", "-T", "bucket", "find", "/data/s2s_data", "-type", "f", "-printf", r"%P %T@\n"
        )
        return dict(line.rsplit(" ", 1) for line in listing.splitlines())

    def requests(self) -> list[tuple[str, str]]:
        """Method and key of every request to an object that the bucket has answered."""
        log = self("logs", "--no-color", "bucket")
        found = re.findall(r'"(GET|DELETE) (?:/download)?/storage/v1/b/s2s_data/o/([^?\s]+)', log)
        return [(method, unquote(key)) for method, key in found]


@dataclass(frozen=True)
class Trace:
    """What a stage's run did to the bucket: keys."""

    read: set[str]
    created: set[str]
    replaced: set[str]


@pytest.fixture(scope="module")
def compose(docker_environment: dict[str, str]) -> Iterator[Compose]:
    """The images, built; all containers and volumes are removed at the end."""
    if shutil.which("docker-compose") is None:
        pytest.skip("docker-compose is not installed")
    with socket.socket() as probe_socket:
        probe_socket.bind(("127.0.0.1", 0))
        port = probe_socket.getsockname()[1]
    compose = Compose(docker_environment, port)
    try:
        compose("build")
        yield compose
    finally:
        compose("down", "--volumes", "--remove-orphans", "--timeout", "5", check=False)


@pytest.fixture(scope="module")
def traces(compose: Compose) -> dict[str, Trace]:
    """What each stage did, run on its own, one after another."""
    # Returns when what collection depends on is there: the bucket and the sample's site.
    compose("run", "--rm", "--entrypoint", "true", "collection")
    traces = {}
    for stage in STAGES:
        before, n_requests = compose.objects(), len(compose.requests())
        compose("run", "--rm", "--no-deps", stage, f"/recipes/{RECIPE}.yaml")
        after, requests = compose.objects(), compose.requests()[n_requests:]
        traces[stage] = Trace(
            read={key for method, key in requests if method == "GET"},
            created=after.keys() - before.keys(),
            replaced={key for key in before if after.get(key) != before[key]}
            | {key for method, key in requests if method == "DELETE"},
        )
    return traces


@pytest.fixture(scope="module")
def served(compose: Compose, traces: dict[str, Trace]) -> str:
    """The address of serving, once `up` has brought it there through all stages."""
    compose("up", "--detach")
    wait_for(compose, lambda: status(f"{compose.url}/readyz") == 200)
    return compose.url


def wait_for(compose: Compose, holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5 * MINUTES
    while not holds():
        assert time.monotonic() < deadline, compose("logs")
        time.sleep(1)


def status(url: str) -> int | None:
    """The status with which a URL answers; None while nothing does."""
    try:
        return httpx.get(url).status_code
    except httpx.TransportError:
        return None


def report(compose: Compose, stage: str) -> dict[str, Any]:
    path = f"/data/s2s_data/manifests/{RECIPE}/{stage}.json"
    return json.loads(compose("exec", "-T", "bucket", "cat", path))


@cache
def rights() -> dict[str, dict[str, list[str]]]:
    """The table of rights in infra/terraform, from which the accounts' conditions follow."""
    path = ROOT / "infra" / "terraform" / "accounts.tf"
    table = hcl2.loads(path.read_text())["locals"][0]["rights"]
    return json.loads(json.dumps(table).replace('\\"', ""))  # it leaves quotes around strings


def may(stage: str, key: str, *kinds: str) -> bool:
    """Whether a stage's account has one of these rights on an object."""
    table = rights()[stage]
    is_own_report = re.fullmatch(rf"manifests/.*/{stage}\.jsonl?", key) is not None
    is_failure = "/_failed/" in key and any(key.startswith(f"{p}/") for p in table["create"])
    entries = [entry for kind in kinds for entry in table[kind]]
    patterns = [SPECIAL.get(entry, f"{entry}/.*") for entry in entries]
    return is_own_report or is_failure or any(re.fullmatch(p, key) for p in patterns)


def test_every_clip_goes_through_every_stage(compose: Compose, traces: dict[str, Trace]):
    for stage in STAGES:
        counts = report(compose, stage)["counts"]
        assert set(counts) == {"ok"}, (stage, counts)


@pytest.mark.parametrize("stage", STAGES)
def test_stage_needs_no_more_rights_than_its_account_has(stage: str, traces: dict[str, Trace]):
    trace = traces[stage]
    assert trace.created
    assert [key for key in trace.created if not may(stage, key, "create", "replace")] == []
    assert [key for key in trace.replaced if not may(stage, key, "replace")] == []
    assert [key for key in trace.read if not may(stage, key, "read", "create", "replace")] == []


def test_up_resumes_where_the_stages_were(compose: Compose, served: str):
    for stage in ("collection", "preprocessing"):
        assert set(report(compose, stage)["counts"]) == {"skipped:already_done"}


def test_a_silent_clip_comes_back_with_sound(served: str, make_video: MakeVideo, tmp_path: Path):
    silent, answer = make_video("silent.mp4", seconds=2), tmp_path / "answer.mp4"
    response = httpx.post(
        f"{served}/v1/generations?wait=100",
        files={"video": ("silent.mp4", silent.read_bytes(), "video/mp4")},
        timeout=2 * MINUTES,
    )
    assert response.status_code == 200, response.text
    answer.write_bytes(response.content)
    assert not probe(silent).has_audio
    assert probe(answer).audio_codec == "aac"
    assert probe(answer).duration_s == pytest.approx(probe(silent).duration_s, abs=1 / 25 + 0.064)


def test_serving_reaches_the_bucket_and_nothing_else(compose: Compose, served: str):
    code = (
        "import socket\n"
        "for address in (('bucket', 4443), ('169.254.169.254', 80), ('1.1.1.1', 443)):\n"
        "    try:\n"
        "        socket.create_connection(address, timeout=3).close()\n"
        "        print('reached')\n"
        "    except OSError as error:\n"
        "        print(type(error).__name__, error.errno)\n"
    )
    said = compose("exec", "-T", "serving", "python", "-c", code).splitlines()
    assert said[0] == "reached"
    # Engines differ: there is no way to it (ENETUNREACH), or there is one where all is dropped.
    assert len(said) == 3
    assert set(said[1:]) <= {"OSError 101", "TimeoutError None"}


def test_serving_is_not_ready_while_the_bucket_is_gone(compose: Compose, served: str):
    compose("stop", "bucket")
    try:
        wait_for(compose, lambda: status(f"{served}/readyz") == 503)
        assert status(f"{served}/healthz") == 200
    finally:
        compose("start", "bucket")
    wait_for(compose, lambda: status(f"{served}/readyz") == 200)


def test_serving_that_has_ended_is_started_again(compose: Compose, served: str):
    def started() -> str:
        said = compose("exec", "-T", "serving", "cat", "/proc/1/stat", check=False)
        return said.split()[21] if said else ""

    before = started()
    compose("exec", "-T", "serving", "python", "-c", "import os; os.kill(1, 15)")
    wait_for(compose, lambda: started() not in {"", before})
    wait_for(compose, lambda: status(f"{served}/readyz") == 200)


@pytest.mark.parametrize("stage", ["collection", "preprocessing", "validation"])
def test_image_has_no_torch(compose: Compose, stage: str):
    code = "from importlib.util import find_spec; print(find_spec('torch'), find_spec('av').name)"
    assert python(compose, stage, code).split() == ["None", "av"]


@pytest.mark.parametrize("stage", WITH_TORCH_MB)
def test_image_with_torch_does_not_grow(
    compose: Compose, image_mb: Callable[[str], float], stage: str
):
    assert image_mb(f"s2s/{stage}") < WITH_TORCH_MB[stage]


def test_container_can_write_to_its_work_directory_only(compose: Compose):
    code = "import os; print(os.getuid(), *(os.access(p, os.W_OK) for p in ('/app', '/work')))"
    assert python(compose, "collection", code).split() == ["10001", "False", "True"]


def python(compose: Compose, service: str, code: str) -> str:
    return compose("run", "--rm", "--no-deps", "--entrypoint", "python", service, "-c", code)
