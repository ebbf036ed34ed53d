"""`file://`: a plain directory as a bucket. No server, no account."""

import errno
import io
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from s2s.errors import (
    BucketUnavailableError,
    ObjectExistsError,
    ObjectNotFoundError,
    StorageError,
)
from s2s.storage.bucket import Bucket, ObjectInfo, check_key, crc32c_of, crc32c_of_file

__all__ = ["DirectoryBucket"]

_STAGING = ".s2s-staging"
_FULL = {errno.ENOSPC, errno.EDQUOT}
# A file that is being written is never so old.
_STALE_S = 3600.0


class DirectoryBucket(Bucket):
    """Objects as files. Written under a temporary name, then linked or renamed into place.

    Args:
        directory: the bucket; made when it is missing.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory.absolute()

    @property
    def url(self) -> str:
        """`file://DIR`."""
        return f"file://{self.directory}"

    def check(self) -> None:
        """Make the directory and write to it once; remove what writers that died have left."""
        with self._translated(""), self._staged() as path:
            path.write_bytes(b"")
            for left in path.parent.iterdir():
                with suppress(FileNotFoundError):
                    if time.time() - left.stat().st_mtime > _STALE_S:
                        left.unlink()

    def read(self, key: str) -> bytes:
        """See `Bucket.read`; a file system keeps no checksum, so none is compared."""
        with self._translated(key):
            return self._path(key).read_bytes()

    def write(self, key: str, data: bytes, *, overwrite: bool = False) -> ObjectInfo:
        """See `Bucket.write`."""
        target = self._path(key)
        with self._translated(key), self._staged() as staged:
            staged.write_bytes(data)
            self._publish(staged, target, overwrite=overwrite)
        return ObjectInfo(key, len(data), crc32c_of(data))

    def download(self, key: str, path: Path) -> ObjectInfo:
        """See `Bucket.download`."""
        with self._translated(key):
            shutil.copyfile(self._path(key), path)
        return ObjectInfo(key, path.stat().st_size, crc32c_of_file(path))

    def upload(self, path: Path, key: str, *, overwrite: bool = False) -> ObjectInfo:
        """See `Bucket.upload`."""
        target = self._path(key)
        with self._translated(key), self._staged() as staged:
            shutil.copyfile(path, staged)
            info = ObjectInfo(key, staged.stat().st_size, crc32c_of_file(staged))
            self._publish(staged, target, overwrite=overwrite)
        return info

    def open_range(self, key: str, start: int, length: int) -> BinaryIO:
        """See `Bucket.open_range`."""
        with self._translated(key), self._path(key).open("rb") as file:
            file.seek(start)
            return io.BytesIO(file.read(length))

    def exists(self, key: str) -> bool:
        """See `Bucket.exists`."""
        return self._path(key).is_file()

    def stat(self, key: str) -> ObjectInfo:
        """See `Bucket.stat`; the checksum is computed from the file."""
        path = self._path(key)
        with self._translated(key):
            return ObjectInfo(key, path.stat().st_size, crc32c_of_file(path))

    def keys(self, prefix: str = "") -> Iterator[str]:
        """See `Bucket.keys`."""
        folder = self.directory / prefix.rpartition("/")[0]
        found = []
        for root, folders, files in os.walk(folder):
            folders[:] = [name for name in folders if name != _STAGING]
            base = Path(root).relative_to(self.directory).as_posix()
            stem = "" if base == "." else f"{base}/"
            found += [key for name in files if (key := stem + name).startswith(prefix)]
        yield from sorted(found)

    def delete(self, key: str) -> None:
        """See `Bucket.delete`."""
        path = self._path(key)
        with self._translated(key):
            path.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        path = self.directory / check_key(key)
        if _STAGING in path.parts:
            raise StorageError(f"{key!r}: {_STAGING} is the bucket's own")
        return path

    @contextmanager
    def _staged(self) -> Iterator[Path]:
        folder = self.directory / _STAGING
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder)
        os.close(handle)
        try:
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)

    @staticmethod
    def _publish(staged: Path, target: Path, *, overwrite: bool) -> None:
        staged.chmod(0o644)
        target.parent.mkdir(parents=True, exist_ok=True)
        if overwrite:
            staged.replace(target)
            return
        try:
            os.link(staged, target)
        except FileExistsError:
            if crc32c_of_file(staged) != crc32c_of_file(target):
                raise ObjectExistsError(
                    f"{target}: other content is already there; nothing was overwritten"
                ) from None

    @contextmanager
    def _translated(self, key: str) -> Iterator[None]:
        try:
            yield
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            if error.filename is not None and str(error.filename) != str(self._path(key)):
                raise
            raise ObjectNotFoundError(f"{self.url}: no object {key!r}") from error
        except OSError as error:
            if error.errno in _FULL:
                raise BucketUnavailableError(
                    f"{self.url}: the disk is full. Nothing stored was lost: "
                    "free some space and run again"
                ) from error
            if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
                raise BucketUnavailableError(
                    f"{self.url}: {error.strerror}. Make the directory writable for this user"
                ) from error
            raise
