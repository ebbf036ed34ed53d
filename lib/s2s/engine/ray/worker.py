"""The actor that works on chunks of items; what it loads stays loaded."""

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import ray

__all__ = ["FunctionError", "start_worker"]

_REFRESH, _REFRESH_MS = "RAY_memory_monitor_refresh_ms", 250
"""What says at which interval Ray looks at memory, and Ray's own."""
_LONGEST_S = 60.0
"""An ended process has given its memory back by then, or never will."""


class FunctionError(Exception):
    """The mapped function cannot be loaded on a node."""


class _Worker:
    """Holds the function, and with it whatever its process keeps: connections, weights."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._reference: Any = None
        self._function: Callable[[Any], Any] | None = None
        self._gone: set[int] = set()

    def place(self) -> tuple[str, int]:
        """The id of the node that it is on, and the process that it is."""
        return ray.get_runtime_context().get_node_id(), os.getpid()

    def ready(self, ended: Sequence[int]) -> None:
        """Come back when what follows cannot be ended for memory that others had.

        Args:
            ended: processes of this node that Ray has ended for memory.
        """
        if new := set(ended) - self._gone:
            until_s = time.monotonic() + _LONGEST_S
            while any(_has_memory(pid) for pid in new) and time.monotonic() < until_s:
                time.sleep(0.02)
            # Ray acts on what it saw: it is to have looked again.
            time.sleep(2 * float(os.environ.get(_REFRESH, _REFRESH_MS)) / 1000)
            self._gone |= new

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


def _has_memory(pid: int) -> bool:
    """Whether a process that was ended may still have the memory that it took."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return False
    is_last_thread = int(state[17]) <= 1
    return not (state[0] == "Z" and is_last_thread)


def start_worker(threads: int, cpus: float, gpus: float) -> Any:
    """Start a worker wherever the cluster has room; its handle.

    Args:
        threads: items of a chunk that it works on at a time.
        cpus: cores that it occupies.
        gpus: of the graphics processors, fractions of one too.
    """
    actor = ray.remote(num_cpus=cpus, num_gpus=gpus, max_restarts=0, max_task_retries=0)(_Worker)
    return actor.remote(threads)
