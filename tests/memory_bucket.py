"""A bucket in memory; the contract suite holds it to the promises of the real ones."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from s2s.errors import ObjectExistsError, ObjectNotFoundError
from s2s.storage.bucket import Bucket, ObjectInfo, check_key, check_prefix, crc32c_of

__all__ = ["MemoryBucket"]


class MemoryBucket(Bucket):
    """Objects in a dictionary."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    @property
    def url(self) -> str:
        """A name that `open_bucket` does not open."""
        return "memory://"

    def check(self) -> None:
        """Memory is always there."""

    def prepare(self) -> None:
        """Memory can always be written."""

    def read(self, key: str) -> bytes:
        """See `Bucket.read`."""
        try:
            return self.objects[check_key(key)]
        except KeyError:
            raise ObjectNotFoundError(f"{self.url}: no object {key!r}") from None

    def write(self, key: str, data: bytes, *, overwrite: bool = False) -> ObjectInfo:
        """See `Bucket.write`."""
        if overwrite:
            self.objects[check_key(key)] = bytes(data)
        elif self.objects.setdefault(check_key(key), bytes(data)) != data:
            raise ObjectExistsError(f"{key}: other content is already there")
        return self.stat(key)

    def download(self, key: str, path: Path) -> ObjectInfo:
        """See `Bucket.download`."""
        path.write_bytes(self.read(key))
        return self.stat(key)

    def upload(self, path: Path, key: str, *, overwrite: bool = False) -> ObjectInfo:
        """See `Bucket.upload`."""
        return self.write(key, path.read_bytes(), overwrite=overwrite)

    def open_range(self, key: str, start: int, length: int) -> BinaryIO:
        """See `Bucket.open_range`."""
        return io.BytesIO(self.read(key)[start : start + length])

    def exists(self, key: str) -> bool:
        """See `Bucket.exists`."""
        return check_key(key) in self.objects

    def stat(self, key: str) -> ObjectInfo:
        """See `Bucket.stat`."""
        data = self.read(key)
        return ObjectInfo(key, len(data), crc32c_of(data))

    def keys(self, prefix: str = "") -> Iterator[str]:
        """See `Bucket.keys`."""
        check_prefix(prefix)
        yield from sorted(key for key in self.objects if key.startswith(prefix))

    def delete(self, key: str) -> None:
        """See `Bucket.delete`."""
        self.objects.pop(check_key(key), None)
