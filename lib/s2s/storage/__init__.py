"""Buckets: `gs://` through google-cloud-storage, `file://` as a directory, one contract."""

from s2s.storage.bucket import Bucket, ObjectInfo, ObjectVersion, VersionedBucket, crc32c_of
from s2s.storage.directory import DirectoryBucket
from s2s.storage.open import open_bucket

__all__ = [
    "Bucket",
    "DirectoryBucket",
    "ObjectInfo",
    "ObjectVersion",
    "VersionedBucket",
    "crc32c_of",
    "open_bucket",
]
