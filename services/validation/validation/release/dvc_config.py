"""DVC's settings in a data set repository: where its remotes are."""

import re

from s2s.errors import VersionError
from s2s.layout import dvc_prefix
from s2s.storage import Bucket
from validation.release.remote import CLIPS, RemoteMode

__all__ = ["dvc_config"]

_CONFIG = """\
[core]
    remote = bucket
    analytics = false
    check_update = false
    autostage = false
['remote "bucket"']
    url = {url}
"""
_CLIPS_CONFIG = """\
['remote "{name}"']
    url = {url}
    version_aware = true
"""
# DVC fills in what is in braces, and what is in %().
_IMPOSSIBLE = re.compile(r"[\x00-\x1f\x7f{}]|%\(")
_QUOTES = ('"', "'", "'''", '"""')


def dvc_config(bucket: Bucket, mode: RemoteMode) -> str:
    """The text of `.dvc/config`, with the remote in the bucket.

    Raises:
        VersionError: if the bucket's path cannot be written in such a file.
    """
    store = bucket.url.removeprefix("file://") + "/" + dvc_prefix().rstrip("/")
    config = _CONFIG.format(url=_quoted(store))
    if bucket.url.startswith("gs://"):
        # DVC believes a bucket's word on what it holds unless it is told not to.
        config += "    verify = true\n"
    if mode is RemoteMode.VERSION_AWARE:
        config += _CLIPS_CONFIG.format(name=CLIPS, url=_quoted(bucket.url))
    return config


def _quoted(value: str) -> str:
    """A value as the file has it: without quotes `#` begins a comment, and `,` ends an item."""
    usable = [
        quote for quote in _QUOTES if quote not in value and value[-1:] != quote[0] != value[:1]
    ]
    if not usable or _IMPOSSIBLE.search(value):
        raise VersionError(
            f"{value}: DVC has no way to write such a path (it holds a brace, '%(', a control "
            "character, or both kinds of quotes three times). Use another folder as the bucket"
        )
    return f"{usable[0]}{value}{usable[0]}"
