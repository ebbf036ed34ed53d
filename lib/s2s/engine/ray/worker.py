"""The actor that works on chunks of items; what it loads stays loaded."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import ray

__all__ = ["start_worker"]


class _Worker:
    """Holds the function, and with it whatever its process keeps: connections, weights."""

    def __init__(self, function: Callable[[Any], Any], threads: int) -> None:
        self._function = function
        self._threads = threads

    def node(self) -> str:
        """The id of the node that it is on."""
        return ray.get_runtime_context().get_node_id()

    def work(self, items: list[Any]) -> tuple[list[Any], float]:
        """The items' results in their order, and the seconds that they took."""
        started = time.monotonic()
        if self._threads == 1:
            results = [self._function(item) for item in items]
        else:
            with ThreadPoolExecutor(self._threads) as pool:
                results = list(pool.map(self._function, items))
        return results, time.monotonic() - started


def start_worker(function: Any, threads: int, cpus: float, gpus: float) -> Any:
    """Start a worker wherever the cluster has room; its handle.

    Args:
        function: a reference of the function, which is sent to the cluster once.
        threads: items of a chunk that it works on at a time.
        cpus: cores that it occupies.
        gpus: of the graphics processors, fractions of one too.
    """
    actor = ray.remote(num_cpus=cpus, num_gpus=gpus, max_restarts=0, max_task_retries=0)(_Worker)
    return actor.remote(function, threads)
