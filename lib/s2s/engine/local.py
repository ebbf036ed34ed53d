"""Processes or threads on this machine."""

import multiprocessing
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import TypeVar

from pebble import ProcessExpired, ProcessPool

from s2s.engine.base import WorkerDiedError

__all__ = ["ProcessEngine", "ThreadEngine"]

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


class ProcessEngine:
    """Worker processes; one that dies takes only its own item with it.

    Args:
        workers: processes.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def map(
        self, task: Callable[[ItemT], ResultT], items: Iterable[ItemT]
    ) -> Iterator[tuple[ItemT, ResultT | WorkerDiedError]]:
        """See `Engine.map`; the task and its items travel between processes."""
        # Not fork: the parent has threads (progress bars, HTTP connections).
        context = multiprocessing.get_context("forkserver")
        with ProcessPool(self.workers, initializer=_leave_interrupts, context=context) as pool:
            try:
                yield from _drain(lambda item: pool.schedule(task, (item,)), items, self.workers)
            except BaseException:
                pool.stop()
                raise


class ThreadEngine:
    """Threads, for work that waits for the network or for child processes.

    Args:
        workers: threads.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def map(
        self, task: Callable[[ItemT], ResultT], items: Iterable[ItemT]
    ) -> Iterator[tuple[ItemT, ResultT | WorkerDiedError]]:
        """See `Engine.map`."""
        with ThreadPoolExecutor(self.workers) as pool:
            yield from _drain(lambda item: pool.submit(task, item), items, self.workers)


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
                try:
                    yield item, future.result()
                except ProcessExpired as error:
                    yield item, WorkerDiedError(f"the worker process died ({error})")
    finally:
        for future in running:
            future.cancel()


def _leave_interrupts() -> None:
    # Ctrl-C reaches the whole process group; the parent alone decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
