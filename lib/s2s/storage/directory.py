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
from s2s.storage.bucket import (
    Bucket,
    ObjectInfo,
    check_key,
    check_prefix,
    crc32c_of,
    crc32c_of_file,
)

__all__ = ["DirectoryBucket"]

_STAGING = ".s2s-staging"
_FULL = {errno.ENOSPC, errno.EDQUOT}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}
# A file that is being written is never so old.
_STALE_S = 3600.0
_WHOLE = "put the whole bucket on that disk, and name it with --bucket or S2S_BUCKET"


class DirectoryBucket(Bucket):
    """Objects as files. Written under a temporary name, then linked or renamed into place.

    What was written is on the disk, name and all, when `write` and `upload` return: a power cut
    leaves an object as a whole or not at all. Folders in it that are links are not the bucket's:
    they are neither listed nor read, whatever they lead to.

    Args:
        directory: the bucket; `prepare`, or the first write, makes it when it is missing.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory.absolute()

    @property
    def url(self) -> str:
        """`file://DIR`."""
        return f"file://{self.directory}"

    def check(self) -> None:
        """See `Bucket.check`."""
        if not self.directory.is_dir():
            self._refuse_file()
            raise BucketUnavailableError(
                f"{self.url}: there is no such directory. Check the bucket's name; for a new one, "
                "run its collection stage first"
            )
        with self._reading(""), os.scandir(self.directory):
            pass

    def prepare(self) -> None:
        """See `Bucket.prepare`; removes, too, what writers that died have left."""
        with self._writing(""), self._staged() as (_, path):
            for left in path.parent.iterdir():
                with suppress(FileNotFoundError):
                    if time.time() - left.stat().st_mtime > _STALE_S:
                        left.unlink()

    def read(self, key: str) -> bytes:
        """See `Bucket.read`; a file system keeps no checksum, so none is compared."""
        with self._reading(key):
            return self._path(key).read_bytes()

    def write(self, key: str, data: bytes, *, overwrite: bool = False) -> ObjectInfo:
        """See `Bucket.write`."""
        target = self._path(key)
        with self._writing(key), self._staged() as (file, staged):
            file.write(data)
            self._publish(file, staged, target, overwrite=overwrite)
        return ObjectInfo(key, len(data), crc32c_of(data))

    def download(self, key: str, path: Path) -> ObjectInfo:
        """See `Bucket.download`."""
        with self._reading(key):
            shutil.copyfile(self._path(key), path)
        return ObjectInfo(key, path.stat().st_size, crc32c_of_file(path))

    def upload(self, path: Path, key: str, *, overwrite: bool = False) -> ObjectInfo:
        """See `Bucket.upload`."""
        target = self._path(key)
        with path.open("rb") as source, self._writing(key), self._staged() as (file, staged):
            shutil.copyfileobj(source, file, 1 << 20)
            file.flush()
            info = ObjectInfo(key, staged.stat().st_size, crc32c_of_file(staged))
            self._publish(file, staged, target, overwrite=overwrite)
        return info

    def open_range(self, key: str, start: int, length: int) -> BinaryIO:
        """See `Bucket.open_range`."""
        with self._reading(key), self._path(key).open("rb") as file:
            file.seek(start)
            return io.BytesIO(file.read(length))

    def exists(self, key: str) -> bool:
        """See `Bucket.exists`."""
        with self._translated(key):
            path = self._path(key)
            return path.is_file() and not self._is_linked(path)

    def stat(self, key: str) -> ObjectInfo:
        """See `Bucket.stat`; the checksum is computed from the file."""
        with self._reading(key):
            path = self._path(key)
            return ObjectInfo(key, path.stat().st_size, crc32c_of_file(path))

    def keys(self, prefix: str = "") -> Iterator[str]:
        """See `Bucket.keys`."""
        folder = self.directory / check_prefix(prefix).rpartition("/")[0]
        if self._is_linked(folder / "file"):
            return
        found = []
        for root, folders, files in os.walk(folder, onerror=self._refuse):
            folders[:] = [name for name in folders if name != _STAGING]
            base = Path(root).relative_to(self.directory).as_posix()
            stem = "" if base == "." else f"{base}/"
            found += [key for name in files if (key := stem + name).startswith(prefix)]
        yield from sorted(found)

    def delete(self, key: str) -> None:
        """See `Bucket.delete`."""
        path = self._path(key)
        if path.is_dir() or self._is_linked(path):
            return
        with self._writing(key), suppress(NotADirectoryError):
            path.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        path = self.directory / check_key(key)
        if _STAGING in key.split("/"):
            raise StorageError(f"{key!r}: {_STAGING} is the bucket's own")
        return path

    def _is_linked(self, path: Path) -> bool:
        """Whether a folder on the way from the bucket to a file is a link."""
        parts = path.relative_to(self.directory).parts[:-1]
        folder = self.directory
        return any((folder := folder / part).is_symlink() for part in parts)

    def _refuse(self, error: OSError) -> None:
        """Say so when a folder cannot be listed; one that is not there holds nothing."""
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            return
        with self._translated(str(error.filename)):
            raise error

    @contextmanager
    def _staged(self) -> Iterator[tuple[BinaryIO, Path]]:
        folder = self.directory / _STAGING
        try:
            handle, name = tempfile.mkstemp(dir=folder)
        except FileNotFoundError:
            folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=folder)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file, Path(name)
        finally:
            Path(name).unlink(missing_ok=True)

    def _publish(self, file: BinaryIO, staged: Path, target: Path, *, overwrite: bool) -> None:
        if self._is_linked(target):
            raise StorageError(
                f"{target}: a folder on the way there is a link, which is no part of a bucket: "
                f"{_WHOLE}"
            )
        file.flush()
        os.fchmod(file.fileno(), 0o644)
        # First what is in it, then its name: a name never stands for half a file.
        os.fsync(file.fileno())
        _make_folder(target.parent)
        try:
            if overwrite:
                staged.replace(target)
            else:
                os.link(staged, target)
        except FileExistsError:
            if target.is_dir():
                raise
            if crc32c_of_file(staged) != crc32c_of_file(target):
                raise ObjectExistsError(
                    f"{target}: other content is already there; nothing was overwritten"
                ) from None
        _sync(target.parent)

    @contextmanager
    def _reading(self, key: str) -> Iterator[None]:
        """Translate the errors of reading an object, but not those of the file it goes to."""
        try:
            if key and self._is_linked(self._path(key)):
                raise FileNotFoundError(errno.ENOENT, "no such object", str(self._path(key)))
            yield
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            if key and str(error.filename) == str(self._path(key)):
                raise ObjectNotFoundError(f"{self.url}: no object {key!r}") from error
            raise
        except OSError as error:
            if error.errno in _FULL:
                raise
            with self._translated(key):
                raise

    @contextmanager
    def _writing(self, key: str) -> Iterator[None]:
        try:
            with self._translated(key):
                yield
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            self._refuse_file(error)
            raise StorageError(
                f"{self.url}: {key!r} has no place: {error.filename2 or error.filename} is there, "
                "and what is an object cannot be a folder as well. Nothing was overwritten"
            ) from error

    def _refuse_file(self, cause: OSError | None = None) -> None:
        """Tell of a file, or a link to nothing, where the bucket's directory is to be."""
        for path in (self.directory, *self.directory.parents):
            if path.is_dir():
                return
            if path.exists() or path.is_symlink():
                kind = "a file" if path.exists() else "a link that leads nowhere"
                raise BucketUnavailableError(
                    f"{self.url}: {path} is {kind}, not a folder. Name another with --bucket, or "
                    "S2S_BUCKET"
                ) from cause

    @contextmanager
    def _translated(self, key: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in _FULL:
                raise BucketUnavailableError(
                    f"{self.url}: the disk is full. Nothing stored was lost: "
                    "free some space and run again"
                ) from error
            if error.errno in _REFUSED:
                raise BucketUnavailableError(
                    f"{self.url}: {key or 'the directory'}: {error.strerror}. Make the directory "
                    "readable for this user, and writable for a stage that writes"
                ) from error
            if error.errno == errno.EXDEV:
                raise StorageError(
                    f"{self.url}: {key!r} would be on another disk than the rest: {_WHOLE}"
                ) from error
            if error.errno == errno.EIO:
                raise BucketUnavailableError(
                    f"{self.url}: {key}: the disk has an error ({error.strerror}). Check the disk"
                ) from error
            raise


def _make_folder(folder: Path) -> None:
    """Make a folder, and those that it is in, so that a power cut does not undo it."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "not a folder", str(folder))
    for new in reversed(missing):
        new.mkdir(exist_ok=True)
        _sync(new.parent)


def _sync(path: Path) -> None:
    """Wait until a file, or a folder's list of names, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
