"""The actor that works on chunks of items; what it loads stays loaded."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import ray

__all__ = ["FunctionError", "start_worker"]


class FunctionError(Exception):
    """The mapped function cannot be loaded on a node."""


class _Worker:
    """Holds the function, and with it whatever its process keeps: connections, weights."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._reference: Any = None
        self._function: Callable[[Any], Any] | None = None

    def node(self) -> str:
        """The id of the node that it is on."""
        return ray.get_runtime_context().get_node_id()

    def work(self, function: list[Any], items: list[Any]) -> tuple[list[Any], float]:
        """The items' results in their order, and the seconds that they took.

        Args:
            function: its reference, in a list, so that it is loaded once and not with each chunk.
            items: what it is called with.
        """
        loaded = self._loaded(function[0])
        started = time.monotonic()
        if self._threads == 1:
            results = [loaded(item) for item in items]
        else:
            with ThreadPoolExecutor(self._threads) as pool:
                results = list(pool.map(loaded, items))
        return results, time.monotonic() - started

    def _loaded(self, reference: Any) -> Callable[[Any], Any]:
        if self._function is not None and reference == self._reference:
            return self._function
        try:
            loaded: Callable[[Any], Any] = ray.get(reference)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            raise FunctionError(f"{type(error).__name__}: {error}") from None
        self._reference, self._function = reference, loaded
        return loaded


def start_worker(threads: int, cpus: float, gpus: float) -> Any:
    """Start a worker wherever the cluster has room; its handle.

    Args:
        threads: items of a chunk that it works on at a time.
        cpus: cores that it occupies.
        gpus: of the graphics processors, fractions of one too.
    """
    actor = ray.remote(num_cpus=cpus, num_gpus=gpus, max_restarts=0, max_task_retries=0)(_Worker)
    return actor.remote(threads)
