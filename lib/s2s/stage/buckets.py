"""A process's connections to buckets."""

from functools import lru_cache

from s2s.dataset.dvc_paths import dvc_store
from s2s.storage import Bucket, open_bucket

__all__ = ["prepared_bucket", "shared_bucket"]


@lru_cache(maxsize=4)
def shared_bucket(url: str) -> Bucket:
    """A process's one connection to a bucket."""
    return open_bucket(url)


def prepared_bucket(url: str) -> Bucket:
    """The bucket that a pipeline begins to fill: made where it is new, and fit for versions.

    Raises:
        VersionError: if no data set version could be stored at its path: better now than after
            hours of downloading.
        BucketUnavailableError: if it does not answer, is full or cannot be written to.
    """
    bucket = shared_bucket(url)
    dvc_store(bucket)
    bucket.prepare()
    return bucket
