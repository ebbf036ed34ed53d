"""Checks of an uploaded file, before anything of it is decoded."""

import math
from pathlib import Path, PurePath
from typing import Literal

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from s2s.errors import MediaError, UnsupportedMediaError
from s2s.media.guard.containers import (
    PICTURE_TYPES,
    PICTURES,
    VIDEO_TYPES,
    VIDEOS,
    Family,
    family_of,
    type_of,
)
from s2s.media.guard.opening import (
    MediaLimits,
    check_size,
    open_guarded,
    open_picture,
)
from s2s.media.guard.streams import picture_stream
from s2s.media.guard.truncation import cut_off, kind_of, was_cut_off
from s2s.reasons import Reason

__all__ = ["check_upload", "picture_demuxer"]

_MAX_FPS = 120
_TOLERANCE_S = 1.0
# Of a file whose end is missing: so much less than its header tells of is a loss.
_MISSING_S = 0.1
_INDEX_IS_LAST = {"webm", "avi"}
_SUCH_AS = ("mp4", "mov", "webm", "mkv", "jpg", "png", "webp")


def check_upload(
    path: Path, file_name: str, limits: MediaLimits, types: tuple[str, ...]
) -> Literal["video", "picture"]:
    """Refuse what is neither a video nor a picture, or is beyond the limits.

    The name, the first bytes and the demuxer must agree. Headers may lie about a video's length,
    so its packets are counted; nothing is decoded but what opening a file needs.

    Args:
        path: the upload.
        file_name: the name that the client gave it.
        limits: what it may ask of us.
        types: extensions that are accepted.

    Raises:
        UnsupportedMediaError: if it is not of an accepted type.
        MediaError: if it cannot be read, or is refused.
    """
    family = _family(path, file_name, types)
    if family in PICTURES:
        with open_picture(path, family.demuxers[0], limits):
            return "picture"
    with open_guarded(path, limits) as file:
        if set(family.demuxers).isdisjoint(file.format.name.split(",")):
            raise _unsupported(f"{file_name!r} holds {file.format.name}", types)
        picture = picture_stream(file)
        if picture is None and was_cut_off(path):
            raise cut_off(path)
        if picture is None and any(stream.codec_context is None for stream in file.streams.video):
            message = "The picture is encoded in a way that nothing here reads. Send H.264."
            raise MediaError(Reason.CORRUPT, message)
        if picture is None:
            raise MediaError(Reason.NO_VIDEO, "The file has no picture. Send a video.")
        check_size(file, path, limits)
        _check_frames(file, picture, path, limits.max_duration_s)
    return "video"


def picture_demuxer(path: Path) -> str | None:
    """Find the demuxer of a picture by its first bytes; None for other files."""
    family = family_of(path, PICTURES)
    return family.demuxers[0] if family else None


def _family(path: Path, file_name: str, types: tuple[str, ...]) -> Family:
    extension = PurePath(file_name).suffix.lower().removeprefix(".")
    families = (*VIDEOS, *PICTURES)
    family = next((family for family in families if extension in family.extensions), None)
    if family is None or extension not in types:
        raise _unsupported(f"{file_name!r} is not named as a file of an accepted type", types)
    if not path.stat().st_size:
        raise _unsupported(f"{file_name!r} is empty", types)
    if not family_of(path, [family]):
        found = type_of(path)
        why = f", but as {found}: name it so, if it is one" if found in types else ""
        name = f"{file_name!r} does not begin as a file of type {extension}{why}"
        raise _unsupported(name, types)
    return family


def _unsupported(why: str, types: tuple[str, ...]) -> UnsupportedMediaError:
    kinds = [("videos", VIDEO_TYPES), ("pictures", PICTURE_TYPES)]
    named = [
        f"{kind} such as {', '.join(such)}"
        for kind, of_kind in kinds
        if (such := [name for name in _SUCH_AS if name in types and name in of_kind])
    ]
    return UnsupportedMediaError(f"{why}. Accepted are {' and '.join(named)}.")


def _check_frames(file: InputContainer, picture: VideoStream, path: Path, most_s: float) -> None:
    """Make sure that there are frames, not too many, and as many as there were.

    What is missing at the end may be an index alone: then there is as much as the header tells of.
    """
    first_s, last_s, n_frames = math.inf, -math.inf, 0
    for packet in file.demux():
        if not packet.size:
            continue
        n_frames += packet.stream is picture
        time = packet.pts if packet.pts is not None else packet.dts
        if time is not None and packet.time_base is not None:
            at_s = float(time * packet.time_base)
            first_s = min(first_s, at_s)
            last_s = max(last_s, at_s + float((packet.duration or 0) * packet.time_base))
        if last_s - first_s > most_s + _TOLERANCE_S or n_frames > most_s * _MAX_FPS:
            raise MediaError(
                Reason.REFUSED,
                f"The video is too long: at most {most_s:.0f} s, with at most {_MAX_FPS} frames a "
                "second, are accepted. Send a shorter one.",
            )
    told_s = (file.duration or math.inf) / av.time_base
    is_whole = n_frames >= max(1, picture.frames) and last_s - first_s >= told_s - _MISSING_S
    if was_cut_off(path) and not (is_whole and kind_of(path) in _INDEX_IS_LAST):
        raise cut_off(path)
    if not n_frames:
        raise MediaError(Reason.CORRUPT, "The video has no frame. Send another file.")
