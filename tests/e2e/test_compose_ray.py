"""The images with Ray: two containers make a cluster; each can map what its stage is made of."""

import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
IMAGE = "s2s/preprocessing-ray"
SCRIPT = """
import socket
from s2s.engine import make_engine

def where(number):
    return socket.gethostname(), number * number

if __name__ == "__main__":
    done = list(make_engine("ray").map(where, range(20)))
    assert sorted(result[1] for _, result in done) == [number**2 for number in range(20)], done
    print("computed on", *{result[0] for _, result in done})
"""

WORKER = """
import importlib
from s2s.engine import make_engine

def load(name):
    return importlib.import_module(name).__name__

if __name__ == "__main__":
    print(*next(make_engine("ray", 1).map(load, ["{stage}.stage"])))
"""


@pytest.fixture
def docker(docker_environment: dict[str, str]):
    def run(*args: str, given: str = "") -> str:
        done = subprocess.run(
            ["docker", *args],
            cwd=ROOT,
            env=docker_environment,
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run


def build(docker, stage: str) -> None:
    """Make a stage's image, and the one with Ray that comes on top of it."""
    docker("build", "--quiet", "--file", f"services/{stage}/Dockerfile",
           "--tag", f"s2s/{stage}", ".")  # fmt: skip
    docker("build", "--quiet", "--file", "infra/ray/Dockerfile",
           "--build-arg", f"STAGE={stage}", "--tag", f"s2s/{stage}-ray", ".")  # fmt: skip


@pytest.fixture
def cluster(docker) -> Iterator[str]:
    """The name of a cluster's head; `-worker` behind it is that of its node with two cores."""
    build(docker, "preprocessing")
    name = f"s2s-ray-{secrets.token_hex(4)}"
    docker("network", "create", name)
    hardened = ["--network", name, "--read-only", "--cap-drop", "ALL", "--shm-size", "512m"]
    hardened += ["--tmpfs", "/tmp:exec,mode=1777", "--tmpfs", "/work:mode=1777"]
    # A node that is not up after 30 s ends: on a busy machine it takes more than one try.
    hardened += ["--restart", "on-failure"]
    try:
        for node, *options in (
            (name, "--head", "--num-cpus", "0"),
            (f"{name}-worker", "--address", f"{name}:6379", "--num-cpus", "2"),
        ):
            docker("run", "--detach", "--name", node, "--hostname", node, *hardened,
                   "--entrypoint", "ray", IMAGE, "start", "--block", *options)  # fmt: skip
            until_started = "until ray status --address 127.0.0.1:6379; do sleep 1; done"
            if node == name:
                docker("exec", node, "timeout", "600", "sh", "-c", until_started)
        yield name
    finally:
        docker("rm", "--force", "--volumes", name, f"{name}-worker")
        docker("network", "rm", name)


@pytest.mark.docker
@pytest.mark.timeout(1800)
def test_two_containers_are_a_cluster(docker, cluster: str):
    docker("exec", "--interactive", cluster, "sh", "-c", "cat >/work/where.py", given=SCRIPT)
    answer = docker(
        "exec", "--env", f"RAY_ADDRESS={cluster}:6379", cluster, "python", "/work/where.py"
    )
    assert answer.splitlines()[-1] == f"computed on {cluster}-worker"


@pytest.mark.docker
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("stage", ["preprocessing", "feature_extraction"])
def test_a_worker_has_what_the_stage_is_made_of(docker, stage: str):
    build(docker, stage)
    hardened = ["--rm", "--read-only", "--cap-drop", "ALL", "--shm-size", "512m"]
    hardened += ["--tmpfs", "/tmp:exec,mode=1777", "--network", "none"]
    answer = docker(
        *("run", "--interactive", *hardened, "--env", "RAY_ADDRESS=local"),
        *("--entrypoint", "sh", f"s2s/{stage}-ray"),
        *("-c", "cat >/tmp/worker.py && ray --version && python /tmp/worker.py"),
        given=WORKER.replace("{stage}", stage),
    )
    assert answer.splitlines()[-1] == f"{stage}.stage {stage}.stage"
