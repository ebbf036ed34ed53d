"""Ray clusters of this machine alone: nodes that are started, killed, and always stopped."""

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

_TESTS = Path(__file__).parent
AS_NICE = ("RAY_worker_niceness", "0")
"""Else workers give way to all else on the machine, and take minutes to start."""
_PLAIN = {"include_dashboard": False, "include_log_monitor": False, "no_monitor": True}
"""Without what starts slowly and no test looks at."""
StartedT = TypeVar("StartedT")
# Ray reads these when it is imported. On a very busy machine a node takes minutes to start.
for _name, _patience in (
    ("RAY_raylet_start_wait_time_s", 120),
    ("RAY_gcs_server_request_timeout_seconds", 120),
    ("RAY_agent_register_timeout_ms", 120_000),
    ("RAY_worker_register_timeout_seconds", 120),
):
    os.environ.setdefault(_name, str(_patience))


@contextmanager
def running_cluster(**head: Any) -> Iterator[Any]:
    """A cluster that this process joins, with a head and no other node yet.

    Nodes have the environment that this process has when they start.

    Args:
        head: arguments of `ray start` for the head.
    """
    ray = pytest.importorskip("ray", reason="Ray is not installed")
    cluster_utils = pytest.importorskip("ray.cluster_utils")
    folder = tempfile.mkdtemp(prefix="ray")  # short: sockets are in it
    ray.shutdown()
    on_sigterm = signal.getsignal(signal.SIGTERM)  # a node that starts here takes it over
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_TMPDIR", folder)
        patch.setenv(*AS_NICE)
        # Ray's own processes are many, and what it ends could not tell what it has covered.
        patch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
        # What is mapped is a test's, and imports what tests do.
        patch.setenv("PYTHONPATH", f"{_TESTS}{os.pathsep}{_TESTS / 'integration'}")
        cluster = patiently(lambda: cluster_utils.Cluster(True, head_node_args=_PLAIN | head))
        patch.setenv("RAY_ADDRESS", cluster.address)
        try:
            yield cluster
        finally:
            ray.shutdown()
            cluster.shutdown()
            signal.signal(signal.SIGTERM, on_sigterm)
            shutil.rmtree(folder, ignore_errors=True)


def add_node(cluster: Any, **node: Any) -> Any:
    """A further node of a cluster.

    Args:
        cluster: as `running_cluster` gives it.
        node: arguments of `ray start` for the node.
    """
    return patiently(lambda: cluster.add_node(**node))


def raylet_of(node: Any) -> int:
    """The process that is a node: what it has started ends with it."""
    return node.all_processes["raylet"][0].process.pid


def patiently(start: Callable[[], StartedT]) -> StartedT:
    """Ray gives a node 30 s to start, which are not enough where a machine is very busy."""
    for _ in range(3):
        try:
            return start()
        except Exception as error:  # Ray has no class of its own for it
            if "timed out during startup" not in str(error):
                raise
    return start()
