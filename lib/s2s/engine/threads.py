"""Threads of the run's own process."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import TypeVar

from s2s.engine.contract import Room, WorkerDiedError

__all__ = ["ThreadEngine"]

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


class ThreadEngine:
    """Threads, for work that waits, and that never ends a process or takes much memory.

    Args:
        workers: threads.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers

    @property
    def room(self) -> Room:
        """See `Engine.room`."""
        return Room(self.workers)

    def map(
        self, function: Callable[[ItemT], ResultT], items: Iterable[ItemT]
    ) -> Iterator[tuple[ItemT, ResultT | WorkerDiedError]]:
        """See `Engine.map`."""
        with ThreadPoolExecutor(self.workers) as pool:
            yield from _drain(lambda item: pool.submit(function, item), items, self.workers)


def _drain(
    submit: Callable[[ItemT], Future[ResultT]], items: Iterable[ItemT], workers: int
) -> Iterator[tuple[ItemT, ResultT | WorkerDiedError]]:
    source = iter(items)
    running: dict[Future[ResultT], ItemT] = {}
    try:
        while True:
            # Only a few ahead of the workers: a long list of items is never held here.
            for item in islice(source, 2 * workers - len(running)):
                running[submit(item)] = item
            if not running:
                return
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                item = running.pop(future)
                yield item, future.result()
    finally:
        for future in running:
            future.cancel()
