"""Sources on this machine's disk, each fetched once for all its clips."""

import fcntl
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from s2s.storage import Bucket

__all__ = ["SourceFiles"]


class SourceFiles:
    """A few sources as files; the one that was used longest ago goes first.

    Processes share a folder: each holds a lock on what it uses, which the system lets go of even
    when it is killed. Of what it has used it keeps the last ones for the next clips.

    Args:
        bucket: where the sources are.
        folder: where the files are put; made where it is missing.
        keep: files that this process does not use are kept up to this number.
    """

    def __init__(self, bucket: Bucket, folder: Path, keep: int) -> None:
        self._bucket = bucket
        self._folder = folder
        self._keep = keep
        self._lock = threading.Lock()
        self._users: OrderedDict[Path, int] = OrderedDict()

    @contextmanager
    def file(self, key: str) -> Iterator[Path]:
        """Have a source as a file for as long as the context lasts.

        Raises:
            ObjectNotFoundError: if it is not in the bucket.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / key.rpartition("/")[2]
        with self._lock:
            self._users[path] = self._users.get(path, 0) + 1
            self._users.move_to_end(path)
        handle = None
        try:
            handle = self._shared(key, path)
            yield path
        finally:
            if handle is not None:
                os.close(handle)
            with self._lock:
                self._users[path] -= 1
                self._drop_idle()

    def _shared(self, key: str, path: Path) -> int:
        """Have the file, and a lock that keeps others from dropping it; the lock's handle."""
        while True:
            handle = _open_lock(path)
            try:
                with suppress(BlockingIOError):  # somebody fetches it, or has it already
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    if _is_at(handle, path) and not path.exists():
                        self._bucket.fetch(key, path)
                fcntl.flock(handle, fcntl.LOCK_SH)
                # It may have been dropped while we waited.
                if _is_at(handle, path) and path.exists():
                    return handle
            except BaseException:
                os.close(handle)
                raise
            os.close(handle)

    def _drop_idle(self) -> None:
        idle = [path for path, users in self._users.items() if users == 0]
        for path in idle[: max(0, len(idle) - self._keep)]:
            del self._users[path]
            handle = _open_lock(path)
            # Whoever else uses it drops it.
            with suppress(BlockingIOError):
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is_at(handle, path):
                    path.unlink(missing_ok=True)
                    _lock_of(path).unlink()
            os.close(handle)


def _lock_of(path: Path) -> Path:
    return path.with_name(path.name + ".lock")


def _open_lock(path: Path) -> int:
    return os.open(_lock_of(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _is_at(handle: int, path: Path) -> bool:
    """Whether a handle is of the lock that others find, too."""
    try:
        return os.path.samestat(os.fstat(handle), _lock_of(path).stat())
    except FileNotFoundError:
        return False
