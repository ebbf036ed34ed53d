"""A process's connections to buckets."""

from functools import lru_cache

from s2s.storage import Bucket, open_bucket

__all__ = ["shared_bucket"]


@lru_cache(maxsize=4)
def shared_bucket(url: str) -> Bucket:
    """A process's one connection to a bucket."""
    return open_bucket(url)
