"""Small pictures and players of clips, as many as fit into the page."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from itertools import chain, zip_longest
from pathlib import Path

from PIL import Image

from s2s.errors import MediaError, ObjectNotFoundError
from s2s.media import sample_frames
from s2s.storage import Bucket
from s2s.workspace import scratch

__all__ = ["in_turns", "take_players", "take_thumbnails"]

_AT_A_TIME = 4
_THUMBNAIL_PX = (160, 96)
_QUALITY = 55
_PLAYABLE = (".mp4", ".webm")


def in_turns(*lists: Iterable[str]) -> list[str]:
    """One of each list, then the next of each, every item once."""
    mixed = chain.from_iterable(zip_longest(*lists))
    return list(dict.fromkeys(item for item in mixed if item is not None))


def take_thumbnails(bucket: Bucket, key_of: Mapping[str, str]) -> dict[str, bytes]:
    """A small JPEG of the middle of each video, by name; none of those that cannot be read.

    Args:
        bucket: where they are.
        key_of: key of each video.
    """
    with scratch() as own:

        def take(item: tuple[str, str]) -> tuple[str, bytes]:
            name, key = item
            path = own / f"{name}{Path(key).suffix}"
            try:
                bucket.download(key, path)
                frames_THWC = sample_frames(path, n=1).frames
            except (MediaError, ObjectNotFoundError):
                return name, b""  # the page says of such a clip that it cannot be shown
            finally:
                path.unlink(missing_ok=True)
            return name, _thumbnail(Image.fromarray(frames_THWC[0]))

        with ThreadPoolExecutor(_AT_A_TIME) as pool:
            return {name: data for name, data in pool.map(take, key_of.items()) if data}


def take_players(bucket: Bucket, key_of: Mapping[str, str], budget_bytes: int) -> dict[str, bytes]:
    """Videos, by name, in their order as long as they fit; what is too large is passed over.

    Args:
        bucket: where they are.
        key_of: key of each video, the most wanted first.
        budget_bytes: so many bytes in all.
    """
    found: dict[str, bytes] = {}
    for name, key in key_of.items():
        if not key.endswith(_PLAYABLE):
            continue
        try:
            if bucket.stat(key).size > budget_bytes:
                continue
            found[name] = bucket.read(key)
        except ObjectNotFoundError:
            continue  # it was removed since; the page then has no player of it
        budget_bytes -= len(found[name])
    return found


def _thumbnail(image: Image.Image) -> bytes:
    image.thumbnail(_THUMBNAIL_PX)
    file = BytesIO()
    image.save(file, format="jpeg", quality=_QUALITY, optimize=True)
    return file.getvalue()
