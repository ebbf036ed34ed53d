"""Worker processes on this machine, each with a pipe of its own.

So it is always known what a worker had when it died: the item that it was at is tried once more,
alone, in the end, when no other worker takes memory; what it had ahead goes to the others.
"""

import multiprocessing
import os
import pickle
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count, islice
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

from s2s.engine.contract import Room, WorkerDiedError
from s2s.engine.modules import modules_of
from s2s.engine.process_worker import Answer, Job, end_group, work
from s2s.errors import StageError
from s2s.media.guard.sandbox import PRELOADED

__all__ = ["ProcessEngine"]

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")
_FAILED_STARTS = 3
_GOODBYE_S = 5.0
# Not fork: the parent has threads (progress bars, HTTP connections).
_context = multiprocessing.get_context("forkserver")


class ProcessEngine:
    """Worker processes; one that dies takes only its own item with it.

    Args:
        workers: processes.
        threads: items that each works on at a time, where work waits and yet keeps a process busy.
    """

    def __init__(self, workers: int, threads: int = 1) -> None:
        self.workers = workers
        self.threads = threads

    @property
    def room(self) -> Room:
        """See `Engine.room`."""
        return Room(self.workers * self.threads)

    def map(
        self, function: Callable[[ItemT], ResultT], items: Iterable[ItemT]
    ) -> Iterator[tuple[ItemT, ResultT | WorkerDiedError]]:
        """See `Engine.map`; the function and its items travel between processes."""
        _preload(function)
        pickled = pickle.dumps(function)
        pool = _Pool(pickled, self.workers, self.threads)
        yield from pool.map(items)
        # One at a time, and nobody else: what is too much for it alone is too much.
        alone = _Pool(pickled, 1, 1)
        yield from alone.map([item for item, _ in pool.suspects])
        for item, cause in alone.suspects:
            yield item, WorkerDiedError(f"the worker process died, twice, the second time {cause}")


def _preload(function: Callable[..., Any]) -> None:
    """Have a function's modules loaded once, in the process that workers are forked from.

    Where that process runs already, as after another map, it stays as it is.
    """
    modules = {*PRELOADED, *modules_of(function)} - {"__main__"}
    _context.set_forkserver_preload(sorted(modules))


@dataclass(eq=False)
class _Member:
    """A worker, with the numbers and items that it was sent, the oldest first."""

    process: BaseProcess
    pipe: Connection
    is_ready: bool = False
    sent: dict[int, Any] = field(default_factory=dict)

    def end(self) -> None:
        """End it with all that it has started, at once."""
        if self.process.pid is not None:
            end_group(self.process.pid)


class _Pool:
    """Workers for one map.

    Args:
        function: what is mapped, pickled.
        workers: how many there are.
        threads: items that each works on at a time.

    Attributes:
        suspects: items that a worker was at when it died, each with what it died of.
    """

    def __init__(self, function: bytes, workers: int, threads: int) -> None:
        self._function = function
        self._wanted = workers
        self._threads = threads
        self._members: list[_Member] = []
        self._back: deque[Any] = deque()
        self._numbers = count()
        self._failed_starts = 0
        self.suspects: list[tuple[Any, str]] = []

    def map(self, items: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
        """See `Engine.map`, without the items whose worker died."""
        self._left = len(items) if hasattr(items, "__len__") else None  # pyright: ignore
        self._source = iter(items)
        self._following = deque(islice(self._source, 1))
        is_over = False
        try:
            while self._following or self._back or any(one.sent for one in self._members):
                self._start()
                self._send()
                yield from self._receive()
            is_over = True
        finally:
            self._close(is_over=is_over)

    def _start(self) -> None:
        while len(self._members) < self._wanted and (self._following or self._back):
            ours, theirs = _context.Pipe()
            job = Job(self._function, self._threads, dict(os.environ))
            process = _context.Process(target=work, args=(theirs, job), daemon=True)
            process.start()
            theirs.close()  # so that ours says when the worker is gone
            self._members.append(_Member(process, ours))

    def _send(self) -> None:
        """Give every worker something for its threads, and one item ahead while there are many."""
        depths = self._threads + (self._left is None or self._left > 2 * self._wanted)
        for depth in range(depths):
            for member in self._members:
                if member.is_ready and len(member.sent) <= depth:
                    for item in self._next():
                        number = next(self._numbers)
                        member.sent[number] = item
                        # What has died meanwhile is found when it is listened to.
                        with suppress(BrokenPipeError, ConnectionResetError):
                            member.pipe.send((number, pickle.dumps(item)))

    def _next(self) -> Iterator[Any]:
        """The next item, if there is one."""
        if self._back:
            yield self._back.popleft()
        elif self._following:
            item = self._following.popleft()
            self._following.extend(islice(self._source, 1))
            if self._left is not None:
                self._left -= 1
            yield item

    def _receive(self) -> Iterator[tuple[Any, Any]]:
        member_of = {member.pipe: member for member in self._members}
        for pipe in wait(member_of):
            member = member_of[pipe]  # pyright: ignore[reportArgumentType]
            try:
                answer: Answer = member.pipe.recv()
            except (EOFError, ConnectionResetError):
                self._lost(member)
                continue
            if answer.is_error:
                raise answer.value
            if answer.number is None:
                member.is_ready, self._failed_starts = True, 0
            else:
                yield member.sent.pop(answer.number), answer.value

    def _lost(self, member: _Member) -> None:
        """Put back what a dead worker had; what it was at is suspect."""
        self._members.remove(member)
        member.end()
        member.pipe.close()
        member.process.join()
        cause = _told(member.process.exitcode)
        if not member.is_ready:
            self._failed_starts += 1
            # Where there is no room for so many, fewer do.
            self._wanted = max(1, len(self._members))
            if self._failed_starts >= _FAILED_STARTS and not self._members:
                raise StageError(
                    f"{_FAILED_STARTS} worker processes in a row died before they began: {cause}"
                )
        sent = list(member.sent.values())
        self.suspects += [(item, cause) for item in sent[: self._threads]]
        self._back.extend(sent[self._threads :])

    def _close(self, *, is_over: bool) -> None:
        """End the workers: those that are done by a word, all others at once."""
        for member in self._members:
            if is_over and member.is_ready:
                with suppress(BrokenPipeError, ConnectionResetError):
                    member.pipe.send(None)
            else:
                member.end()
        for member in self._members:
            member.process.join(_GOODBYE_S)
            member.end()
            member.process.join()
            member.pipe.close()
        self._members.clear()


def _told(exit_code: int | None) -> str:
    if exit_code is None or exit_code >= 0:
        return f"with exit status {exit_code}"
    name = signal.Signals(-exit_code).name
    if exit_code == -signal.SIGKILL:
        return f"by {name}, as the system does where memory is short"
    return f"by {name}, as of a fault in a library"
