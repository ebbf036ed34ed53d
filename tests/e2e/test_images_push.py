"""The command ./s2s images with an engine: a registry gets what is built, or it is said why not."""

import base64
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from conftest import Launch

# Of htpasswd -Bn; the password is "right".
PASSWORDS = "pusher:$2y$05$LMWqcLlSOvt7QlEQwNULGuJcqC1mWVdKFBR4rEmk6u3eRI5jWD7D6\n"
Push = Callable[..., subprocess.CompletedProcess[str]]
pytestmark = [pytest.mark.docker, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry with a password; its address."""
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("docker-registry is not installed")
    folder = tmp_path_factory.mktemp("registry")
    (folder / "passwords").write_text(PASSWORDS)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    settings = {
        "version": "0.1",
        "storage": {"filesystem": {"rootdirectory": str(folder / "images")}},
        "http": {"addr": address},
        "auth": {"htpasswd": {"realm": "test", "path": str(folder / "passwords")}},
    }
    (folder / "settings.yml").write_text(json.dumps(settings))
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [program, "serve", str(folder / "settings.yml")], stdout=log, stderr=log
        )
    try:
        while not answers(address):
            assert process.poll() is None, (folder / "log").read_text()
            time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait()


def answers(address: str) -> bool:
    try:
        return httpx.get(f"http://{address}/v2/").status_code == 401
    except httpx.TransportError:
        return False


@pytest.fixture
def push(launch: Launch, docker_environment: dict[str, str], tmp_path: Path) -> Push:
    """Push the smallest image, built, to a registry with a password, as `docker login` keeps it."""
    built = launch("images", "build", "gateway", **docker_environment)
    assert built.returncode == 0, built.stderr

    def run(address: str, password: str) -> subprocess.CompletedProcess[str]:
        login = base64.b64encode(f"pusher:{password}".encode()).decode()
        (tmp_path / "config.json").write_text(json.dumps({"auths": {address: {"auth": login}}}))
        environment = docker_environment | {"DOCKER_CONFIG": str(tmp_path), "COLUMNS": "300"}
        return launch("images", "push", f"{address}/s2s", "gateway", "--tag", "v1", **environment)

    return run


def images(environment: dict[str, str]) -> str:
    return subprocess.run(
        ["docker", "images", "--format", "{{.Repository}}"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_an_image_is_in_the_registry_afterwards(
    push: Push, registry: str, docker_environment: dict[str, str]
):
    done = push(registry, "right")
    assert done.returncode == 0, done.stderr
    assert f"{registry}/s2s/gateway:v1" in done.stdout + done.stderr
    listed = httpx.get(f"http://{registry}/v2/s2s/gateway/tags/list", auth=("pusher", "right"))
    assert listed.json() == {"name": "s2s/gateway", "tags": ["v1"]}
    there = images(docker_environment).split()
    assert "s2s/gateway" in there
    assert f"{registry}/s2s/gateway" not in there


def test_a_wrong_password_is_said_in_one_line(push: Push, registry: str):
    done = push(registry, "wrong")
    assert done.returncode == 1
    (told,) = done.stderr.strip().splitlines()
    assert "unauthorized" in told
    assert f"docker login {registry}" in told


def test_a_registry_that_is_down_is_said_in_one_line(
    push: Push, docker_environment: dict[str, str]
):
    with socket.socket() as taken:  # bound, and not listened to
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = push(address, "right")
    assert done.returncode == 1
    (told,) = done.stderr.strip().splitlines()
    assert "connection refused" in told
    assert "is the address right" in told
    assert f"{address}/s2s/gateway" not in images(docker_environment).split()


def test_an_image_that_is_not_built_is_named(
    push: Push, launch: Launch, registry: str, docker_environment: dict[str, str]
):
    cleaned = launch("images", "clean", "gateway", **docker_environment)
    assert cleaned.returncode == 0, cleaned.stderr
    done = push(registry, "right")
    assert done.returncode == 1
    (told,) = done.stderr.strip().splitlines()
    assert "not built: gateway: run './s2s images build gateway'" in told
