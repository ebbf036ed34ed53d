"""Paths as DVC's settings have them: a bucket has to be at one, for versions to be stored in it."""

import re

from s2s.errors import VersionError
from s2s.layout import dvc_prefix
from s2s.storage import Bucket

__all__ = ["dvc_store", "quoted_path"]

# DVC fills in what is in braces, and what is in %().
_IMPOSSIBLE = re.compile(r"[\x00-\x1f\x7f{}]|%\(")
_QUOTES = ('"', "'", "'''", '"""')


def dvc_store(bucket: Bucket) -> str:
    """Where DVC keeps its files in a bucket, as its settings have it.

    Raises:
        VersionError: if the bucket's path cannot be written in such a file.
    """
    return quoted_path(bucket.url.removeprefix("file://") + "/" + dvc_prefix().rstrip("/"))


def quoted_path(path: str) -> str:
    """A path as the file has it: without quotes `#` begins a comment, and `,` ends an item.

    Raises:
        VersionError: if it cannot be written there.
    """
    usable = [quote for quote in _QUOTES if quote not in path and path[-1:] != quote[0] != path[:1]]
    if not usable or _IMPOSSIBLE.search(path):
        raise VersionError(
            f"{path}: DVC has no way to write such a path (it holds a brace, '%(', a control "
            "character, or both kinds of quotes three times). Use another folder as the bucket"
        )
    return f"{usable[0]}{path}{usable[0]}"
