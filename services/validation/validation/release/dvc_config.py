"""DVC's settings in a data set repository: where its remotes are."""

from s2s.dataset.dvc_paths import dvc_store, quoted_path
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


def dvc_config(bucket: Bucket, mode: RemoteMode) -> str:
    """The text of `.dvc/config`, with the remote in the bucket.

    Raises:
        VersionError: if the bucket's path cannot be written in such a file.
    """
    config = _CONFIG.format(url=dvc_store(bucket))
    if bucket.url.startswith("gs://"):
        # DVC believes a bucket's word on what it holds unless it is told not to.
        config += "    verify = true\n"
    if mode is RemoteMode.VERSION_AWARE:
        config += _CLIPS_CONFIG.format(name=CLIPS, url=quoted_path(bucket.url))
    return config
