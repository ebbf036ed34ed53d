"""A cluster of two nodes that has none of our code: what is brought there, and what dies there."""

import importlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from ray_clusters import AS_NICE, add_node, raylet_of, running_cluster

from s2s.engine import Engine, WorkerDiedError, make_engine
from s2s.errors import SettingsError
from s2s.tasks import task_names

pytest.importorskip("ray", reason="Ray is not installed")

FOREIGN = """\
import os, signal, time

def work(folder, number):
    time.sleep(0.2)
    with open(f"{folder}/{number}", "a") as file:
        file.write("x")
    return number

def die_on_three(folder, number):
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number

def end_nodes_with_three(head, number):
    if number == 3:
        ours = os.getppid()
        os.kill(os.getpid() if ours == head else ours, signal.SIGKILL)
        time.sleep(600)
    time.sleep(0.2)
    return number

def tasks_that_it_knows(number):
    from s2s.tasks import task_names
    return task_names()
"""

STAGE = """\
import signal, sys, time
from s2s.cli import guarded
from s2s.engine import make_engine

def work():
    for _ in make_engine("ray").map(time.sleep, [0.1] * 10_000):
        print("one", flush=True)
    return 0

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
sys.exit(guarded(work))
"""

HEADLESS = """\
import sys, time
import ray
from s2s.cli import guarded
from s2s.engine import make_engine
from s2s.engine.ray import cluster

def work():
    cluster._HEAD_PATIENCE_S = 0.5
    for number, _ in enumerate(make_engine("ray", 1).map(time.sleep, [0.1] * 10_000)):
        if number == 3:
            head = ray._private.worker._global_node.all_processes["gcs_server"]
            head[0].process.kill()
    return 0

sys.exit(guarded(work))
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head with one core and a node with two."""
    with running_cluster(num_cpus=1) as cluster:
        add_node(cluster, num_cpus=2)
        yield cluster


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A package that this process alone can import."""
    folder = tmp_path_factory.mktemp("code")
    (folder / "foreign").mkdir()
    (folder / "foreign" / "__init__.py").write_text("")
    (folder / "foreign" / "works.py").write_text(FOREIGN)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield importlib.import_module("foreign.works")
    for name in [name for name in sys.modules if name.partition(".")[0] == "foreign"]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def engine(cluster: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Joined by a process that has a task of its own."""
    tasks = tmp_path_factory.mktemp("tasks")
    (tasks / "humming").mkdir()
    (tasks / "humming" / "__init__.py").write_text("")
    (tasks / "humming" / "settings.py").write_text("")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("S2S_TASKS", str(tasks))
        yield make_engine("ray")


def test_it_works_on_the_whole_cluster(engine: Engine):
    assert (engine.room.workers, engine.room.nodes) == (3, 2)


def test_a_gpu_that_is_not_there_is_an_error_before_any_work(engine: Engine):
    with pytest.raises(SettingsError, match=r"has no GPU, and --gpus 0\.5 asks for one\. Start a"):
        make_engine("ray", gpus=0.5)
    assert make_engine("ray", gpus=None).room == engine.room  # that works on cores


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize(("stop", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_how_signals_end_what_works_on_a_cluster(stop: signal.Signals, status: int):
    with subprocess.Popen(
        [sys.executable, "-c", STAGE],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as stage:
        assert stage.stdout is not None
        assert stage.stdout.readline() == "one\n"
        stage.send_signal(stop)
        _, said = stage.communicate()
    assert stage.returncode == status, said
    assert said == "interrupted: what is stored stays; run again to go on\n"


def test_code_is_brought_there(engine: Engine, foreign: Any):
    (found,) = dict(engine.map(foreign.tasks_that_it_knows, [1])).values()
    assert found == (*task_names(), "humming")


def test_who_has_two_workers_die_is_given_up(engine: Engine, foreign: Any, tmp_path: Path):
    results = dict(engine.map(partial(foreign.die_on_three, str(tmp_path)), range(12)))
    assert isinstance(results.pop(3), WorkerDiedError)
    assert results == {number: number for number in range(12) if number != 3}


def test_a_node_that_is_killed_loses_nothing(
    cluster: Any, engine: Engine, foreign: Any, tmp_path: Path
):
    """Every item comes back once; what was done twice is at most what the node had."""
    node = next(node for node in cluster.worker_nodes)
    seen: Counter[int] = Counter()
    for number, result in engine.map(partial(foreign.work, str(tmp_path)), range(90)):
        assert result == number
        seen[number] += 1
        if len(seen) == 10:
            os.kill(raylet_of(node), signal.SIGKILL)
    assert seen == Counter(range(90))
    assert sorted(int(path.name) for path in tmp_path.iterdir()) == list(range(90))
    for _ in range(60):  # the cluster takes its time to tell
        if engine.room.nodes == 1:
            break
        time.sleep(1)
    assert (engine.room.workers, engine.room.nodes) == (1, 1)


def test_who_ends_nodes_and_workers_is_given_up(cluster: Any, engine: Engine, foreign: Any):
    """Its node is gone first; then it may have the head, where it ends workers."""
    add_node(cluster, num_cpus=1)
    function = partial(foreign.end_nodes_with_three, raylet_of(cluster.head_node))
    results = dict(engine.map(function, range(12)))
    assert isinstance(results.pop(3), WorkerDiedError)
    assert results == {number: number for number in range(12) if number != 3}


def test_a_head_that_is_gone_is_one_error(tmp_path: Path):
    """And nothing of the library's, which ends the process after a minute."""
    environment = os.environ | {"RAY_ADDRESS": "local", AS_NICE[0]: AS_NICE[1]}
    done = subprocess.run(
        [sys.executable, "-c", HEADLESS],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    said = " ".join(done.stderr.split())
    assert done.returncode == 1, said
    assert "the Ray cluster's head does not answer any more. What is stored stays" in said
    assert "Failed to connect to GCS" not in said
