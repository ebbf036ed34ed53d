"""Where jobs' files are: a folder of each while it is worked on, then the bucket."""

import fcntl
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from s2s.errors import StageError
from s2s.storage import Bucket

__all__ = ["UPLOAD_NAME", "JobStorage", "locked", "remove_work"]

UPLOAD_NAME = "upload"


@dataclass(frozen=True)
class JobStorage:
    """Where jobs' files are.

    Attributes:
        folder: a folder of each job is made under it.
        bucket: results are stored there.
        keep_s: finished jobs are removed after this time.
    """

    folder: Path
    bucket: Bucket
    keep_s: float


def locked(folder: Path) -> BinaryIO:
    """Keep other servers off a folder as long as this is open: they would remove its uploads.

    The folder is made where it is missing.

    Raises:
        StageError: if another server is there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / "lock").open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise StageError(
            f"{folder}: another server works here, or finishes its jobs: stop it, or choose "
            "another --work-dir (S2S_HOME)"
        ) from error
    return lock


def remove_work(folder: Path) -> None:
    """Remove what a job has made so far; its upload stays, for another try."""
    for path in folder.glob("*"):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name != UPLOAD_NAME:
            path.unlink(missing_ok=True)
