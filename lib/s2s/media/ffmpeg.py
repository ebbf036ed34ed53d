"""The ffmpeg program: the one that imageio-ffmpeg carries, the same on every machine."""

import errno
import os
import subprocess
import threading
from functools import lru_cache
from pathlib import Path

from s2s.errors import MediaError
from s2s.media.guard.door import FORMATS, PROTOCOLS
from s2s.reasons import Reason

__all__ = ["ffmpeg_folder", "ffmpeg_path", "input_args", "run_ffmpeg"]


@lru_cache(maxsize=1)
def ffmpeg_path() -> Path:
    """Where the program is."""
    import imageio_ffmpeg  # noqa: PLC0415 - what never runs ffmpeg need not wait for it

    return Path(imageio_ffmpeg.get_ffmpeg_exe())


def ffmpeg_folder(parent: Path) -> Path:
    """A folder that holds the program under the name `ffmpeg`, to be put on PATH.

    Args:
        parent: where the folder is made.
    """
    folder = (parent / "bin").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / "ffmpeg"
    if not link.exists():
        staged = folder / f".ffmpeg-{os.getpid()}-{threading.get_ident()}"
        staged.unlink(missing_ok=True)
        staged.symlink_to(ffmpeg_path())
        staged.replace(link)
    return folder


def input_args(path: Path, *options: str) -> list[str]:
    """Arguments that open a file that is not trusted.

    Args:
        path: the file; its name may start with a dash.
        options: ffmpeg's options for this input, such as `-ss 3`.
    """
    guard = ["-protocol_whitelist", PROTOCOLS, "-format_whitelist", FORMATS]
    return [*options, *guard, "-i", f"file:{path.absolute()}"]


def run_ffmpeg(args: list[str], name: str, timeout_s: float = 600.0) -> str:
    """Run ffmpeg, overwriting its outputs.

    Args:
        args: its arguments; inputs by `input_args`.
        name: what is worked on, for messages.
        timeout_s: seconds after which it is killed.

    Returns:
        what it said of errors that did not stop it.

    Raises:
        MediaError: `corrupt` if ffmpeg fails, `timeout` if it takes too long.
        OSError: with ENOSPC if the disk is full.
    """
    command = [str(ffmpeg_path()), "-hide_banner", "-nostdin", "-loglevel", "error", "-y", *args]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise MediaError(
            Reason.TIMEOUT, f"{name}: ffmpeg took more than {timeout_s:.0f} s"
        ) from error
    message = done.stderr.decode(errors="replace").strip()
    if done.returncode:
        if os.strerror(errno.ENOSPC) in message:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), name)
        last_lines = " / ".join(message.splitlines()[-2:])
        raise MediaError(Reason.CORRUPT, f"{name}: ffmpeg could not do it: {last_lines}")
    return message
