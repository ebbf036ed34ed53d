"""Sources on this machine's disk, each fetched once for all its clips."""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from s2s.storage import Bucket

__all__ = ["SourceFiles"]


@dataclass
class _Entry:
    path: Path
    users: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class SourceFiles:
    """A few sources as files; the one that was used longest ago goes first.

    Args:
        bucket: where the sources are.
        folder: where the files are put.
        keep: files that nobody uses are kept up to this number.
    """

    def __init__(self, bucket: Bucket, folder: Path, keep: int) -> None:
        self._bucket = bucket
        self._folder = folder
        self._keep = keep
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, _Entry] = OrderedDict()

    @contextmanager
    def file(self, key: str) -> Iterator[Path]:
        """Have a source as a file for as long as the context lasts.

        Raises:
            ObjectNotFoundError: if it is not in the bucket.
        """
        with self._lock:
            path = self._folder / key.rpartition("/")[2]
            entry = self._entries.setdefault(key, _Entry(path))
            self._entries.move_to_end(key)
            entry.users += 1
        try:
            with entry.lock:
                if not path.exists():
                    self._bucket.fetch(key, path)
            yield path
        finally:
            with self._lock:
                entry.users -= 1
                self._drop_idle()

    def _drop_idle(self) -> None:
        idle = [key for key, entry in self._entries.items() if entry.users == 0]
        for key in idle[: max(0, len(idle) - self._keep)]:
            self._entries.pop(key).path.unlink(missing_ok=True)
