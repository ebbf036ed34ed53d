"""Where jobs' files are: a folder of each while it is worked on, then the bucket."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from s2s.storage import Bucket

__all__ = ["UPLOAD_NAME", "JobStorage", "remove_work"]

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


def remove_work(folder: Path) -> None:
    """Remove what a job has made so far; its upload stays, for another try."""
    for path in folder.glob("*"):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name != UPLOAD_NAME:
            path.unlink(missing_ok=True)
