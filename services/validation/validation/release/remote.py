"""DVC's remote, in one of two modes: copies of the clips, or the bucket's own versions of them.

`content_addressed`: DVC copies each file to `dvc_store/`, under its hash. `version_aware`: clips
stay where preprocessing wrote them; a file in git names, for each, the generation that the bucket
keeps even when it is replaced or deleted. That needs a bucket with object versioning.
"""

import json
import logging
from collections.abc import Iterable, Mapping
from enum import StrEnum

import yaml

from s2s.errors import BucketUnavailableError, ObjectNotFoundError, VersionError
from s2s.layout import dvc_prefix
from s2s.storage import Bucket, ObjectVersion, VersionedBucket

__all__ = [
    "CLIPS",
    "RemoteMode",
    "clip_listing",
    "listed_md5",
    "listing_problems",
    "remote_mode",
    "store_key",
]

CLIPS = "clips"
"""Name of DVC's remote for clips that stay where they are."""

log = logging.getLogger(__name__)


class RemoteMode(StrEnum):
    """How DVC's remote has the clips."""

    CONTENT_ADDRESSED = "content_addressed"
    VERSION_AWARE = "version_aware"

    @property
    def meaning(self) -> str:
        """The mode in a sentence."""
        if self is RemoteMode.VERSION_AWARE:
            return "version_aware: clips are stored once, where preprocessing wrote them"
        return (
            "content_addressed: each clip is stored twice, as preprocessing wrote it and under "
            "dvc_store/, where versions share it"
        )


def remote_mode(bucket: Bucket, wanted: str) -> RemoteMode:
    """The mode that a bucket's remote is in.

    Args:
        bucket: the bucket.
        wanted: `auto`, or the mode itself.

    Raises:
        VersionError: if a bucket that keeps no versions is to be version aware.
        BucketUnavailableError: if the bucket does not answer, or must not be asked.
    """
    if wanted == RemoteMode.CONTENT_ADDRESSED:
        return RemoteMode.CONTENT_ADDRESSED
    try:
        if isinstance(bucket, VersionedBucket) and bucket.keeps_versions():
            return RemoteMode.VERSION_AWARE
    except BucketUnavailableError as error:
        if wanted != "auto":
            raise
        bucket.check()
        log.warning(
            "%s: whether it keeps versions of objects could not be asked, so clips are copied to "
            "dvc_store/ (%s: storage.buckets.get)",
            bucket.url,
            error,
        )
        return RemoteMode.CONTENT_ADDRESSED
    if wanted == "auto":
        return RemoteMode.CONTENT_ADDRESSED
    raise VersionError(
        f"{bucket.url}: keeps no versions of its objects, so a version_aware remote would lose "
        "clips of older data set versions. Turn its object versioning on, or set "
        "validation.remote_mode to content_addressed"
    )


def clip_listing(bucket: VersionedBucket, checksums: Mapping[str, str]) -> tuple[str, str]:
    """What a `.dvc` file says of clips that stay where they are.

    Args:
        bucket: where they are.
        checksums: CRC-32C of each file that is meant, by key; all in one folder.

    Returns:
        the folder's key, and the file's text.

    Raises:
        VersionError: if a file is not there any more, or has changed.
    """
    folder = next(iter(checksums)).rpartition("/")[0]
    found = {item.key: item for item in bucket.versions(f"{folder}/") if item.key in checksums}
    for key, crc32c in checksums.items():
        if key not in found or found[key].crc32c != crc32c or not found[key].md5:
            raise VersionError(
                f"{bucket.url}/{key}: is not what was checked, it was changed or removed since. "
                "Delete the clip's check under datasets/ in the bucket and run validation again"
            )
    lines = [
        "outs:",
        f"- path: {json.dumps(folder.rpartition('/')[2])}",
        "  hash: md5",
        f"  remote: {CLIPS}",
        "  push: false",
        "  files:",
        # A line a file: git then shows and stores only what a version changes.
        *(f"  - {json.dumps(_entry(folder, found[key]))}" for key in sorted(checksums)),
    ]
    return folder, "\n".join(lines) + "\n"


def listing_problems(
    bucket: VersionedBucket, folder: str, text: str, expected: Iterable[str]
) -> list[str]:
    """What is wrong with such a file: clips that it lacks, versions that the bucket lost.

    Args:
        bucket: where the clips are.
        folder: the folder's key.
        text: the `.dvc` file.
        expected: keys that it should list.
    """
    listed = {f"{folder}/{entry['relpath']}": entry for entry in _entries(text)}
    now = {(item.key, item.number): item for item in bucket.versions(f"{folder}/")}
    problems = []
    for key in expected:
        if key not in listed:
            problems.append(f"{key}: DVC does not have it")
            continue
        number = int(listed[key]["cloud"][CLIPS]["version_id"])
        try:
            kept = now.get((key, number)) or bucket.version(key, number)
        except ObjectNotFoundError:
            problems.append(f"{bucket.url}/{key}#{number}: is missing")
            continue
        if kept.md5 != listed[key]["md5"]:
            problems.append(f"{bucket.url}/{key}#{number}: has another md5")
    return problems


def store_key(md5: str) -> str:
    """Where DVC's remote has the content of an MD5; those of folders end in `.dir`."""
    return f"{dvc_prefix()}files/md5/{md5[:2]}/{md5[2:]}"


def listed_md5(text: str) -> str:
    """The MD5 that a `.dvc` file names."""
    return str(yaml.safe_load(text)["outs"][0]["md5"])


def _entries(text: str) -> list[dict]:
    return yaml.safe_load(text)["outs"][0]["files"]


def _entry(folder: str, item: ObjectVersion) -> dict[str, object]:
    return {
        "relpath": item.key.removeprefix(f"{folder}/"),
        "md5": item.md5,
        "size": item.size,
        "cloud": {CLIPS: {"version_id": str(item.number)}},
    }
