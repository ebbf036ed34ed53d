"""A process for work on media that somebody else made, which can do little else.

Such a process is forked for each piece of work from one that has only loaded the media libraries
(5 ms instead of 300), never from the process that asks: it inherits no memory, no secret and no
open file of that. Then it loses the network, all files but its folder and the programs it needs,
and is bounded in memory, processor time, file size and wall-clock time. It answers in JSON.
"""

import errno
import json
import logging
import multiprocessing
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from s2s.errors import MediaError, UnsupportedMediaError
from s2s.media.ffmpeg import ffmpeg_path
from s2s.media.guard.confinement import confine_files, forbid_network
from s2s.media.guard.memory import MemoryBudget, machine_memory_bytes
from s2s.reasons import Reason

__all__ = [
    "PRELOADED",
    "SandboxLimits",
    "end_sandboxed",
    "missing_protections",
    "run_sandboxed",
    "start_sandbox",
]

log = logging.getLogger(__name__)

_context = multiprocessing.get_context("forkserver")
# Those with arrays are left out by themselves where numpy is not installed.
_ARRAYS = ("frames", "pictures", "sampling", "sound")
_WRITTEN = ("samples", "still", "wav")
PRELOADED = [
    *("s2s.media.guard.sandbox", "s2s.media.guard.upload"),
    *(f"s2s.media.read.{name}" for name in _ARRAYS),
    *(f"s2s.media.write.{name}" for name in _WRITTEN),
]
"""Modules that are loaded in the process that others are forked from."""
_context.set_forkserver_preload(PRELOADED)
_MAX_ANSWER_BYTES = 1 << 20
_PROTECTIONS = ("files", "network")
_PAUSES_S = (0.5, 2.0)
_LAST_WORDS_S = 5.0
_SYSTEM = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/dev/urandom")
# What kinds of instructions the processor has: without it, networks run on the slowest.
_PROCESSOR = ("/proc/cpuinfo", "/sys/devices/system/cpu")


@dataclass(frozen=True)
class SandboxLimits:
    """Limits of a piece of work.

    Attributes:
        memory_bytes: address space, of each of its processes.
        cpu_s: processor time, of each of its processes.
        wall_s: time until it is killed.
        file_bytes: size of a file that it writes.
        open_files: files open at a time.
    """

    memory_bytes: int = 2 << 30
    cpu_s: int = 120
    wall_s: int = 120
    file_bytes: int = 1 << 30
    open_files: int = 64


@dataclass(frozen=True)
class _Work:
    """What a process is to do, and where ffmpeg is: it cannot look for that any more."""

    function: Callable[..., Any]
    args: tuple[object, ...]
    folder: Path
    limits: SandboxLimits
    ffmpeg: Path
    tells_progress: bool


class _KilledError(Exception):
    """The system has ended the process, which no limit of ours does."""


_DEFAULT_LIMITS = SandboxLimits()
_memory = MemoryBudget(machine_memory_bytes() // 2)
# In a sandbox: which of the protections hold there.
_held: tuple[bool, ...] = ()


def start_sandbox() -> None:
    """Load the media libraries in the process that others are forked from, before they are asked.

    It is done in the background, and by the first piece of work otherwise.
    """
    forkserver.ensure_running()


def run_sandboxed(
    function: Callable[..., Any],
    *args: object,
    folder: Path,
    limits: SandboxLimits = _DEFAULT_LIMITS,
    on_progress: Callable[[float], None] | None = None,
) -> Any:
    """Run a function in a process of its own that is confined.

    It waits until all such processes together have the memory that it may use. One that the system
    ends because memory is short says nothing of the file: it is run again.

    Args:
        function: of a module; returns something JSON can hold. It may be run again from the start.
        args: its arguments; may be pickled on their way there, nothing is on the way back.
        folder: the only one that it may read and write in.
        limits: what it may use.
        on_progress: told what the function tells its own argument `on_progress`, 0..1.

    Returns:
        what the function returns.

    Raises:
        MediaError: what the function raises; `timeout` if it takes too long, `refused` if it dies
            at a limit or otherwise.
        OSError: with ENOMEM if the system ends it again and again.
    """
    work = _Work(function, args, folder, limits, ffmpeg_path(), on_progress is not None)
    for pause_s in (*_PAUSES_S, None):
        with _memory.hold(limits.memory_bytes):
            try:
                return _unwrapped(_run_once(work, on_progress))
            except _KilledError:
                log.warning("the system has ended a process that read a file: memory is short")
        if pause_s is not None:
            time.sleep(pause_s)
    raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))


def end_sandboxed() -> None:
    """Kill what works in sandboxes now, with the programs that it has started.

    For a process that ends at once: what goes on could write where the next one works.
    """
    for process in multiprocessing.active_children():
        with suppress(OSError, ValueError):  # it has ended, or is no group yet
            if process.pid:
                os.killpg(process.pid, signal.SIGKILL)


def missing_protections(folder: Path) -> list[str]:
    """List the protections that this system lacks: `files`, `network`, or none.

    Args:
        folder: an empty one.
    """
    held: list[bool] = run_sandboxed(_held_protections, folder=folder)
    return [name for name, is_held in zip(_PROTECTIONS, held, strict=True) if not is_held]


def _held_protections() -> list[bool]:
    return list(_held)


def _run_once(work: _Work, on_progress: Callable[[float], None] | None) -> dict[str, Any]:
    receiver, sender = _context.Pipe(duplex=False)
    process = _context.Process(target=_do, args=(sender, work), daemon=True)
    process.start()
    sender.close()
    try:
        answer = _answer(receiver, time.monotonic() + work.limits.wall_s, on_progress)
    except (EOFError, OSError, ValueError, TypeError) as error:
        process.join(_LAST_WORDS_S)
        if process.exitcode == -signal.SIGKILL:  # no limit of ours ends it so
            raise _KilledError from error
        message = "reading it took more memory or time than a file may; send a smaller one"
        raise MediaError(Reason.REFUSED, message) from error
    finally:
        receiver.close()
        process.kill()
        process.join()
        process.close()
    if answer.get("reason") == str(Reason.CRASHED):
        raise _KilledError
    return answer


def _answer(
    receiver: Connection, until: float, on_progress: Callable[[float], None] | None
) -> dict[str, Any]:
    """The result that the process reports."""
    while receiver.poll(max(0.0, until - time.monotonic())):
        answer = json.loads(receiver.recv_bytes(_MAX_ANSWER_BYTES))
        if "progress" not in answer:
            return answer
        if on_progress is not None and 0 <= (share := float(answer["progress"])) <= 1:
            on_progress(share)
    raise MediaError(Reason.TIMEOUT, "reading it took too long; send a shorter one")


def _unwrapped(answer: dict[str, Any]) -> Any:
    if "value" in answer:
        return answer["value"]
    if answer.get("kind") == "UnsupportedMediaError":
        raise UnsupportedMediaError(str(answer.get("message")))
    if answer.get("kind") == "MediaError":
        reason, message = str(answer.get("reason")), str(answer.get("message"))
        raise MediaError(reason, message, str(answer.get("cause", "")))
    if answer.get("kind") == "OSError":
        raise OSError(answer.get("errno"), str(answer.get("message")))
    raise RuntimeError(f"work in the sandbox failed: {answer.get('message')}")


def _do(sender: Connection, work: _Work) -> None:
    """Work in the sandboxed process."""

    def tell(answer: dict[str, Any]) -> None:
        with suppress(BrokenPipeError):  # the process that asked has gone
            sender.send_bytes(json.dumps(answer).encode()[:_MAX_ANSWER_BYTES])

    options = {"on_progress": lambda share: tell({"progress": share})}
    answer: dict[str, Any]
    try:
        _confine(work)
        answer = {"value": work.function(*work.args, **options if work.tells_progress else {})}
    except UnsupportedMediaError as error:
        answer = {"kind": "UnsupportedMediaError", "message": error.message}
    except MediaError as error:
        answer = {"kind": "MediaError", "reason": str(error.reason)}
        answer |= {"message": error.plain_message, "cause": error.cause}
    except MemoryError:
        answer = {
            "kind": "MediaError",
            "reason": str(Reason.REFUSED),
            "message": "reading it took more memory than a file may; send a smaller one",
        }
    except OSError as error:
        answer = {"kind": "OSError", "errno": error.errno, "message": error.strerror}
    except Exception as error:  # noqa: BLE001 - told to the process that asked, which raises it
        answer = {"kind": "bug", "message": f"{type(error).__name__}: {error}"}
    tell(answer)


def _confine(work: _Work) -> None:
    folder, limits = work.folder.absolute(), work.limits
    os.environ.clear()
    os.environ.update(TMPDIR=str(folder), IMAGEIO_FFMPEG_EXE=str(work.ffmpeg))
    os.chdir(folder)
    # Ctrl-C is for the process that asked; a terminal sends it to all of a group, ffmpeg too.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.setpgid(0, 0)
    signal.alarm(limits.wall_s)  # also when that is gone
    for kind, value in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_FSIZE, limits.file_bytes),
        (resource.RLIMIT_NOFILE, limits.open_files),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (bound, bound))
    # At the soft limit comes SIGXCPU; SIGKILL, as at the hard one, is how the system ends it.
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_s, limits.cpu_s + 5))
    own_code = Path(__file__).parents[2]
    programs = (sys.prefix, sys.base_prefix, own_code, work.ffmpeg, *_SYSTEM, *_PROCESSOR)
    global _held  # noqa: PLW0603 - this process does one piece of work
    _held = (
        confine_files(map(Path, programs), [folder, Path(os.devnull)]),
        forbid_network(),
    )
