"""The worker process: it takes items from its own pipe, and what it starts ends with it."""

import os
import pickle
import signal
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from s2s.logs import set_up_logging

__all__ = ["Answer", "Job", "end_group", "work"]

_Items = SimpleQueue[tuple[int, bytes] | None]


@dataclass(frozen=True)
class Job:
    """What a worker is to do.

    Attributes:
        function: what is mapped, pickled: the worker alone unpickles it, so that one that has no
            memory for its modules is known.
        threads: items that it works on at a time.
        environment: variables.
    """

    function: bytes
    threads: int
    environment: dict[str, str]


@dataclass(frozen=True)
class Answer:
    """What became of an item.

    Attributes:
        number: the number that it was sent with; None says that the function is loaded.
        value: what the function returned; or what it, or loading it, raised.
        is_error: whether it is the latter.
    """

    number: int | None
    value: Any = None
    is_error: bool = False


def work(pipe: Connection, job: Job) -> None:
    """Be a worker until the pipe says `None`, or its other end is gone.

    Args:
        pipe: numbers with items come from there, and answers go there.
        job: what to do with them.
    """
    _set_up(job.environment)
    sending = threading.Lock()
    items: _Items = SimpleQueue()
    threading.Thread(target=_receive, args=(pipe, items, job.threads), daemon=True).start()
    try:
        loaded: Callable[[Any], Any] = pickle.loads(job.function)  # noqa: S301 - from our own parent
    except Exception as error:  # noqa: BLE001 - raised again where the map is
        _send(pipe, sending, Answer(None, error, is_error=True))
        return
    _send(pipe, sending, Answer(None))

    def go_on() -> None:
        while (taken := items.get()) is not None:
            number, item = taken
            _send(pipe, sending, _answer(loaded, number, item))

    others = [threading.Thread(target=go_on) for _ in range(job.threads - 1)]
    for thread in others:
        thread.start()
    go_on()
    for thread in others:
        thread.join()


def _set_up(environment: dict[str, str]) -> None:
    # That of the process that this one was forked from may be older.
    os.environ.clear()
    os.environ.update(environment)
    # Ctrl-C reaches the whole group of the terminal; the parent alone decides what it means. With
    # a group of its own a worker ends together with the programs that it has started.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.setpgid(0, 0)
    # Another group than the terminal's must not read from it.
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    # Where memory is short the system ends a worker, or its programs, which costs an item, and
    # not the run.
    with suppress(OSError):  # there is no such thing outside of Linux
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    set_up_logging()


def _receive(pipe: Connection, items: _Items, threads: int) -> None:
    """Take items as they come; without a parent there is nobody to work for."""
    try:
        while (sent := pipe.recv()) is not None:
            items.put(sent)
    except (EOFError, OSError):
        end_group(os.getpid())
    for _ in range(threads):
        items.put(None)


def _answer(function: Callable[[Any], Any], number: int, item: bytes) -> Answer:
    try:
        return Answer(number, function(pickle.loads(item)))  # noqa: S301 - from our own parent
    except BaseException as error:  # noqa: BLE001 - raised again where the map is
        error.add_note("".join(traceback.format_exception(error)))
        return Answer(number, error, is_error=True)


def _send(pipe: Connection, sending: threading.Lock, answer: Answer) -> None:
    try:
        data = pickle.dumps(answer)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told
        told = TypeError(f"a worker's answer cannot be sent: {error} ({answer.value!r})")
        data = pickle.dumps(Answer(answer.number, told, is_error=True))
    with sending:
        pipe.send_bytes(data)


def end_group(pid: int) -> None:
    """End a worker with all that it has started, at once."""
    with suppress(ProcessLookupError, PermissionError):  # it is gone, or was never a group
        os.killpg(pid, signal.SIGKILL)
