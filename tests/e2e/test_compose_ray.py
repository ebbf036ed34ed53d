"""The image with Ray: two containers make a cluster, and a function is mapped on it."""

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


@pytest.fixture
def cluster(docker) -> Iterator[str]:
    """The name of a cluster's head; `-worker` behind it is that of its node with two cores."""
    docker("build", "--quiet", "--file", "services/preprocessing/Dockerfile",
           "--tag", "s2s/preprocessing", ".")  # fmt: skip
    docker("build", "--quiet", "--file", "infra/ray/Dockerfile", "--tag", IMAGE, ".")
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
