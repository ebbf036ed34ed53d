"""Processes or threads on this machine."""

import multiprocessing
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

from pebble import ProcessExpired, ProcessPool

from s2s.engine.contract import Room, WorkerDiedError

__all__ = ["ProcessEngine", "SessionEngine", "ThreadEngine"]

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")
_ROUNDS = 4
"""Items that a session is given at a time, for each of its threads."""


class ProcessEngine:
    """Worker processes; one that dies takes only its own item with it.

    Args:
        workers: processes.
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
        """See `Engine.map`; the function and its items travel between processes."""
        # Not fork: the parent has threads (progress bars, HTTP connections).
        context = multiprocessing.get_context("forkserver")
        with ProcessPool(self.workers, initializer=_start_worker, context=context) as pool:
            try:
                yield from _drain(
                    lambda item: pool.schedule(function, (item,)), items, self.workers
                )
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


class SessionEngine:
    """Processes with threads each, for work that waits and yet keeps one process busy.

    Items go to a process a few at a time. When it dies with them, each is tried again alone, so
    that only the one that killed it is lost.

    Args:
        sessions: processes.
        threads: threads of each.
    """

    def __init__(self, sessions: int, threads: int) -> None:
        self.sessions = sessions
        self.threads = threads

    @property
    def room(self) -> Room:
        """See `Engine.room`."""
        return Room(self.sessions * self.threads)

    def map(
        self, function: Callable[[ItemT], ResultT], items: Iterable[ItemT]
    ) -> Iterator[tuple[ItemT, ResultT | WorkerDiedError]]:
        """See `Engine.map`; the function and its items travel between processes."""
        processes = ProcessEngine(self.sessions)
        in_threads = partial(_map_in_threads, function, self.threads)
        source = iter(items)
        lost: list[ItemT] = []
        for part, results in processes.map(
            in_threads, iter(lambda: list(islice(source, _ROUNDS * self.threads)), [])
        ):
            if isinstance(results, WorkerDiedError):
                lost += part
            else:
                yield from zip(part, results, strict=True)
        for part, results in processes.map(in_threads, ([item] for item in lost)):
            yield part[0], results if isinstance(results, WorkerDiedError) else results[0]


def _map_in_threads(
    function: Callable[[ItemT], ResultT], threads: int, items: list[ItemT]
) -> list[ResultT]:
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(function, items))


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


def _start_worker() -> None:
    # Ctrl-C reaches the whole process group; the parent alone decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Where memory is short the system ends a worker, which costs an item, and not the run.
    with suppress(OSError):  # there is no such thing outside of Linux
        Path("/proc/self/oom_score_adj").write_text("1000")
