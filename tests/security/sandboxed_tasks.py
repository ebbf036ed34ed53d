"""What an attacker would do inside a decoder: functions that the sandbox is asked to run."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

from s2s.errors import MediaError, UnsupportedMediaError
from s2s.media import ffmpeg_path


def open_a_socket() -> None:
    socket.socket()


def connect_from_a_program(url: str) -> str:
    command = [str(ffmpeg_path()), "-loglevel", "error", "-i", url, "-f", "null", "-"]
    return _run(command).stderr


def read(path: str) -> str:
    return Path(path).read_text()


def read_with_a_program(path: str, output: str) -> int:
    """ffmpeg without any whitelist: a concat list that names another file."""
    Path("list.txt").write_text(f"file '{path}'\n")
    arguments = ["-f", "concat", "-safe", "0", "-i", "list.txt", "-c", "copy", output]
    command = [str(ffmpeg_path()), "-loglevel", "error", *arguments]
    return _run(command).returncode


def write(path: str) -> None:
    Path(path).write_text("evil")


def list_folder(path: str) -> list[str]:
    return [entry.name for entry in Path(path).iterdir()]


def environment() -> dict[str, str]:
    return dict(os.environ)


def count_sockets() -> int:
    """Sockets among the descriptors that the process was born with."""
    found = 0
    for number in range(64):
        try:
            found += stat.S_ISSOCK(os.fstat(number).st_mode)
        except OSError:
            continue
    return found


def take_memory() -> int:
    return len(bytearray(4 << 30))


def fill_the_disk() -> None:
    with Path("large").open("wb") as file:
        for _ in range(64):
            file.write(bytes(1 << 20))


def open_many_files() -> None:
    with ExitStack() as files:
        for k in range(100):
            files.enter_context(Path(f"file{k}").open("w"))


def spin() -> NoReturn:
    while True:
        pass


def sleep() -> None:
    time.sleep(600)


def wait_for_a_program(path: str) -> list[int]:
    """Note this process and an ffmpeg that goes on for an hour; when run again, what is noted."""
    pids = Path(path)
    if pids.exists():
        return json.loads(pids.read_text(encoding="utf-8"))
    source = ["-f", "lavfi", "-i", "testsrc2=size=16x16:rate=1:duration=3600"]
    command = [str(ffmpeg_path()), "-nostdin", "-re", *source, "-f", "null", "-"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as program:
        noted = Path("noted.json")
        noted.write_text(json.dumps([os.getpid(), program.pid]), encoding="utf-8")
        noted.rename(pids)
        program.wait()
    return []


def die() -> None:
    os.kill(os.getpid(), 11)


def refuse() -> None:
    raise UnsupportedMediaError("no such type")


def fail() -> None:
    raise MediaError("corrupt", "damaged")


def add(first: int, second: int) -> int:
    return first + second


def tell(*shares: float, on_progress: Callable[[float], None]) -> str:
    for share in shares:
        on_progress(share)
    return "done"


def answer_too_much() -> str:
    return "x" * (2 << 20)


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )


def die_until(path: str, runs: int) -> int:
    """Be killed as by the system, until it was run so often."""
    with Path(path).open("a", encoding="utf-8") as file:
        file.write("x")
    count = len(Path(path).read_text(encoding="utf-8"))
    if count < runs:
        os.kill(os.getpid(), signal.SIGKILL)
    return count


def loaded_modules() -> list[str]:
    """Modules of media, and numpy, that are there already."""
    return sorted(name for name in sys.modules if name == "numpy" or name.startswith("s2s.media."))
