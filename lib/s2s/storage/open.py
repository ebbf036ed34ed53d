"""Opening a bucket by its URL."""

import re
from pathlib import Path

from s2s.errors import SettingsError
from s2s.storage.bucket import Bucket
from s2s.storage.directory import DirectoryBucket

__all__ = ["open_bucket"]


def open_bucket(url: str) -> Bucket:
    """Open `gs://NAME` or `file://DIR`.

    What follows `file://` is a path as the file system has it: nothing in it is decoded, and `#`,
    `?` and `%` are letters like others.

    Raises:
        SettingsError: if the URL is neither.
    """
    if re.search(r"[\x00-\x1f\x7f]", url):
        raise SettingsError(f"bucket {url!r}: holds a control character: use another name")
    scheme, _, rest = url.partition("://")
    if scheme == "file" and rest:
        return DirectoryBucket(Path(rest).expanduser())
    if scheme == "gs" and rest.strip("/") and "/" not in rest.strip("/"):
        from s2s.storage.gcs import GoogleBucket  # noqa: PLC0415 - a second to import

        return GoogleBucket(rest.strip("/"))
    raise SettingsError(f"bucket {url!r}: use gs://NAME or file://DIR")
