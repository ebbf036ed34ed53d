"""A cluster of two nodes that has none of our code: what is brought there, and what dies there."""

import importlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from s2s.engine import Engine, WorkerDiedError, make_engine
from s2s.tasks import task_names

ray = pytest.importorskip("ray", reason="Ray is not installed")
Cluster = pytest.importorskip("ray.cluster_utils").Cluster

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

def tasks_that_it_knows(number):
    from s2s.tasks import task_names
    return task_names()
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head with one core and a node with two."""
    folder = tempfile.mkdtemp(prefix="ray")  # short: sockets are in it
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_TMPDIR", folder)
        found = _patiently(lambda: Cluster(True, head_node_args={"num_cpus": 1}))
        _patiently(lambda: found.add_node(num_cpus=2))
        patch.setenv("RAY_ADDRESS", found.address)
        yield found
        ray.shutdown()
        found.shutdown()
    shutil.rmtree(folder, ignore_errors=True)


def _patiently(start: Any) -> Any:
    """Ray gives a node 30 s to start, which are not enough where a machine is very busy."""
    for _ in range(3):
        try:
            return start()
        except Exception as error:  # Ray has no class of its own for it
            if "timed out during startup" not in str(error):
                raise
    return start()


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
            os.kill(node.all_processes["raylet"][0].process.pid, signal.SIGKILL)
    assert seen == Counter(range(90))
    assert sorted(int(path.name) for path in tmp_path.iterdir()) == list(range(90))
    for _ in range(60):  # the cluster takes its time to tell
        if engine.room.nodes == 1:
            break
        time.sleep(1)
    assert (engine.room.workers, engine.room.nodes) == (1, 1)
