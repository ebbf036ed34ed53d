"""Videos that one already has, as files: of a folder, or below a prefix in a bucket."""

import filecmp
import os
import shutil
import stat
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from s2s.errors import CatalogError, MediaError
from s2s.reasons import Reason
from s2s.stage import shared_bucket
from s2s.storage import ObjectInfo
from s2s.storage.bucket import crc32c_of_file

__all__ = ["BucketFiles", "FolderFiles", "VideoFiles", "printable"]


class VideoFiles(Protocol):
    """How videos below a place are listed and read."""

    def paths(self) -> Iterator[str]:
        """Paths of all files, in any order."""
        ...

    def copy(self, path: str, target: Path) -> None:
        """Copy a video to a file.

        Raises:
            MediaError: `no_source` if it cannot be read.
        """

    def are_equal(self, path: str, other: str) -> bool:
        """Whether two videos have the same bytes."""
        ...

    def has_content(self, path: str, stored: ObjectInfo) -> bool:
        """Whether a video has an object's size and checksum.

        Raises:
            MediaError: `no_source` if it cannot be read.
        """
        ...


@dataclass(frozen=True)
class FolderFiles(VideoFiles):
    """Videos of a folder on this machine.

    Attributes:
        folder: the folder.
    """

    folder: Path

    def paths(self) -> Iterator[str]:
        """Paths below the folder, those of linked folders too; a folder that comes twice, once."""
        seen: set[tuple[int, int]] = set()
        waiting, linked = deque([self.folder]), deque[Path]()
        # Links last: what is there as itself keeps its own name.
        while waiting or linked:
            folder = waiting.popleft() if waiting else linked.popleft()
            status = folder.stat()
            if (place := (status.st_dev, status.st_ino)) in seen:
                continue
            seen.add(place)
            for entry in self._entries(folder):
                if entry.is_dir():
                    (linked if entry.is_symlink() else waiting).append(Path(entry.path))
                else:
                    yield Path(entry.path).relative_to(self.folder).as_posix()

    @staticmethod
    def _entries(folder: Path) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as entries:
                return sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            raise CatalogError(
                f"{printable(str(folder))}: cannot be read ({error.strerror}), so it is not known "
                "which videos are in it. Make it readable, or move it away"
            ) from error

    def copy(self, path: str, target: Path) -> None:
        """See `VideoFiles.copy`."""
        with self._opened(path) as source, target.open("xb") as copy:
            shutil.copyfileobj(source, copy, 1 << 20)

    def are_equal(self, path: str, other: str) -> bool:
        """See `VideoFiles.are_equal`."""
        try:
            return filecmp.cmp(self.folder / path, self.folder / other, shallow=False)
        except OSError:  # what cannot be read is told where it is taken over
            return False

    def has_content(self, path: str, stored: ObjectInfo) -> bool:
        """See `VideoFiles.has_content`."""
        with self._opened(path) as source:
            if os.fstat(source.fileno()).st_size != stored.size:
                return False
            return crc32c_of_file(self.folder / path) == stored.crc32c

    @contextmanager
    def _opened(self, path: str) -> Iterator[BinaryIO]:
        try:
            if not stat.S_ISREG((self.folder / path).stat().st_mode):
                # A pipe without a writer would never end.
                raise MediaError(
                    Reason.NO_SOURCE, f"{printable(path)}: is a pipe, socket or device, not a file"
                )
            with (self.folder / path).open("rb") as source:
                yield source
        except (FileNotFoundError, PermissionError) as error:
            raise MediaError(
                Reason.NO_SOURCE, f"{printable(path)}: cannot be read ({error.strerror})"
            ) from error


@dataclass(frozen=True)
class BucketFiles(VideoFiles):
    """Videos below a prefix in a bucket.

    Attributes:
        url: the bucket's.
        prefix: what their keys begin with.
    """

    url: str
    prefix: str

    def paths(self) -> Iterator[str]:
        """See `VideoFiles.paths`."""
        return (key.removeprefix(self.prefix) for key in shared_bucket(self.url).keys(self.prefix))

    def copy(self, path: str, target: Path) -> None:
        """See `VideoFiles.copy`."""
        shared_bucket(self.url).download(self.prefix + path, target)

    def are_equal(self, path: str, other: str) -> bool:
        """See `VideoFiles.are_equal`."""
        return self.has_content(path, shared_bucket(self.url).stat(self.prefix + other))

    def has_content(self, path: str, stored: ObjectInfo) -> bool:
        """See `VideoFiles.has_content`."""
        found = shared_bucket(self.url).stat(self.prefix + path)
        return (found.size, found.crc32c) == (stored.size, stored.crc32c)


def printable(path: str) -> str:
    r"""A path for messages: bytes that are not UTF-8 as `\xe9`."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
