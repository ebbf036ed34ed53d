"""A clip's wav is of the run whose mp4 is there, whatever other runs do at the same time."""

from dataclasses import dataclass
from pathlib import Path

from s2s.errors import ObjectExistsError, ObjectNotFoundError
from s2s.storage import Bucket, ObjectInfo

__all__ = ["StoredSound", "store_sound"]


@dataclass(frozen=True)
class StoredSound:
    """A wav that was stored before its mp4.

    Attributes:
        bucket: where it is.
        path: the file that was stored.
        info: the object.
        before: what was there in its place; None if nothing was.
    """

    bucket: Bucket
    path: Path
    info: ObjectInfo
    before: bytes | None

    def keep(self) -> None:
        """The mp4 of this run is there: put the wav back if another run took its place."""
        if self.bucket.stat(self.info.key).crc32c != self.info.crc32c:
            self.bucket.upload(self.path, self.info.key, overwrite=True)

    def give_back(self) -> None:
        """The mp4 of another run is there: put back the wav that this one took the place of."""
        is_ours = self.bucket.stat(self.info.key).crc32c == self.info.crc32c
        if self.before is not None and is_ours:
            self.bucket.write(self.info.key, self.before, overwrite=True)


def store_sound(bucket: Bucket, path: Path, key: str, video_key: str) -> StoredSound | None:
    """Store a wav whose mp4 is stored next.

    A wav with other bytes was left by a run that died, or is of one that is at the same clip with
    another ffmpeg. It is replaced only while there is no mp4: what belongs to one never changes.

    Args:
        bucket: where to.
        path: the wav.
        key: its key.
        video_key: key of the mp4.

    Returns:
        what was stored; None if a clip of other bytes is whole already.
    """
    try:
        return StoredSound(bucket, path, bucket.upload(path, key), None)
    except ObjectExistsError:
        if bucket.exists(video_key):
            return None
    try:
        before = bucket.read(key)
    except ObjectNotFoundError:
        before = None
    return StoredSound(bucket, path, bucket.upload(path, key, overwrite=True), before)
