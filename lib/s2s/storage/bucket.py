"""The contract that every bucket keeps."""

import base64
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol, runtime_checkable

import google_crc32c

from s2s.errors import ChecksumError, StorageError
from s2s.workspace import replacing

__all__ = [
    "CHUNK_BYTES",
    "Bucket",
    "ObjectInfo",
    "ObjectVersion",
    "VersionedBucket",
    "check_key",
    "check_prefix",
    "crc32c_of",
    "crc32c_of_file",
    "crc32c_of_pieces",
]

CHUNK_BYTES = 1 << 20
_ODD = re.compile(r"[\x00-\x1f\x7f\\]")
_MOST_BYTES, _MOST_BYTES_OF_PART = 1024, 230


@dataclass(frozen=True)
class ObjectInfo:
    """Size and checksum of an object.

    Attributes:
        key: name in the bucket.
        size: bytes.
        crc32c: checksum in base64, big-endian, as Google Cloud Storage writes it.
    """

    key: str
    size: int
    crc32c: str


@dataclass(frozen=True)
class ObjectVersion:
    """One version of an object's content.

    Attributes:
        key: name in the bucket.
        number: the bucket's number for it; none is used twice.
        size: bytes.
        crc32c: checksum in base64.
        md5: checksum in hexadecimal; empty for objects that were composed of others.
    """

    key: str
    number: int
    size: int
    crc32c: str
    md5: str


class Bucket(Protocol):
    """Objects by key. An object is written whole or not at all.

    Every method raises `BucketUnavailableError` when the bucket does not answer, is full or
    refuses us, and `StorageError` for a key that `check_key` refuses. Where an object `a` is, a
    directory has no place for an object `a/b`, nor the other way round: to write it there is a
    `StorageError`, and `a` stays as it is. Google Cloud Storage takes both.
    """

    @property
    def url(self) -> str:
        """`gs://NAME` or `file://DIR`."""
        ...

    def check(self) -> None:
        """Make sure, quickly, that the bucket is there and answers. Writes nothing."""
        ...

    def prepare(self) -> None:
        """Make sure, quickly, that objects can be written; a directory is made if need be."""
        ...

    def read(self, key: str) -> bytes:
        """The whole object, its checksum verified.

        Raises:
            ObjectNotFoundError: if there is none.
            ChecksumError: if it is not what was written.
        """
        ...

    def write(self, key: str, data: bytes, *, overwrite: bool = False) -> ObjectInfo:
        """Write an object, by default only where there is none.

        Writing the same bytes again is no error.

        Raises:
            ObjectExistsError: if other bytes are there and `overwrite` is False.
        """
        ...

    def download(self, key: str, path: Path) -> ObjectInfo:
        """Write the object to a file, its checksum verified, without holding it in memory.

        Raises:
            ObjectNotFoundError: if there is none.
            ChecksumError: if it is not what was written.
        """
        ...

    def fetch(self, key: str, path: Path, crc32c: str = "") -> ObjectInfo:
        """Have an object as a file: downloaded unless the same bytes are there.

        The file is there whole or not at all, whatever else writes it at the same time.

        Args:
            key: the object.
            path: the file; its folder is made where it is missing.
            crc32c: the object's checksum where it is known; else the bucket is asked.

        Raises:
            ObjectNotFoundError: if there is no such object.
            ChecksumError: if it is not what was written, or has not the checksum that is known.
        """
        if path.is_file():
            found = crc32c_of_file(path)
            if found == (crc32c or self.stat(key).crc32c):
                return ObjectInfo(key, path.stat().st_size, found)
        with replacing(path) as staged:
            info = self.download(key, staged)
            if crc32c and info.crc32c != crc32c:
                raise ChecksumError(
                    f"{self.url}/{key}: its CRC-32C is {info.crc32c}, {crc32c} was expected: it "
                    "was changed since"
                )
        return info

    def upload(self, path: Path, key: str, *, overwrite: bool = False) -> ObjectInfo:
        """Write a file as an object; else as `write`."""
        ...

    def open_range(self, key: str, start: int, length: int) -> BinaryIO:
        """Bytes `start` to `start + length` of an object, or to its end; not verified.

        Raises:
            ObjectNotFoundError: if there is none.
        """
        ...

    def exists(self, key: str) -> bool:
        """Whether there is such an object."""
        ...

    def stat(self, key: str) -> ObjectInfo:
        """Size and checksum.

        Raises:
            ObjectNotFoundError: if there is none.
        """
        ...

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Keys that start with a prefix, in order. Objects half written never show.

        Raises:
            StorageError: if the prefix is one that `check_prefix` refuses.
        """
        ...

    def delete(self, key: str) -> None:
        """Remove an object; one that is not there is no error."""
        ...


@runtime_checkable
class VersionedBucket(Bucket, Protocol):
    """A bucket that can keep what is replaced or deleted."""

    def keeps_versions(self) -> bool:
        """Whether it does; to ask takes the right `storage.buckets.get`."""
        ...

    def versions(self, prefix: str) -> Iterator[ObjectVersion]:
        """List the present version of every object whose key starts with a prefix, in order."""
        ...

    def version(self, key: str, number: int) -> ObjectVersion:
        """Find a version of an object, also of one that was replaced or deleted since.

        Raises:
            ObjectNotFoundError: if the bucket does not have that version.
        """
        ...


def check_key(key: str) -> str:
    """Refuse keys that could leave a directory or that a bucket would not take.

    Raises:
        StorageError: if the key is empty, too long, absolute, has an empty, `.` or `..` part,
            a control character or a backslash, or is not Unicode.
    """
    if not _is_plain(key) or any(part in {"", ".", ".."} for part in key.split("/")):
        raise StorageError(f"{key!r} is not a key: use plain names joined by '/'")
    return key


def check_prefix(prefix: str) -> str:
    """Refuse what no key starts with, such as a prefix that leaves a directory.

    Raises:
        StorageError: if a part before the last "/" is empty, `.` or `..`, or as for keys.
    """
    *folders, _ = prefix.split("/")
    if not _is_plain(prefix) or any(part in {"", ".", ".."} for part in folders):
        raise StorageError(f"{prefix!r} is not a prefix of keys: use plain names joined by '/'")
    return prefix


def _is_plain(text: str) -> bool:
    try:
        sizes = [len(part.encode()) for part in text.split("/")]
    except UnicodeEncodeError:  # half of a pair, as names of files that are no UTF-8 have them
        return False
    size = sum(sizes) + len(sizes) - 1
    return size <= _MOST_BYTES and max(sizes) <= _MOST_BYTES_OF_PART and not _ODD.search(text)


def crc32c_of(data: bytes) -> str:
    """CRC-32C in base64, as Google Cloud Storage writes it."""
    return base64.b64encode(google_crc32c.Checksum(data).digest()).decode()


def crc32c_of_file(path: Path) -> str:
    """CRC-32C of a file, read in pieces."""
    with path.open("rb") as file:
        return crc32c_of_pieces(iter(partial(file.read, CHUNK_BYTES), b""))


def crc32c_of_pieces(pieces: Iterable[bytes]) -> str:
    """CRC-32C of all pieces, one behind the other."""
    checksum = google_crc32c.Checksum()
    for piece in pieces:
        checksum.update(piece)
    return base64.b64encode(checksum.digest()).decode()
