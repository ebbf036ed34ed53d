"""Checks of an uploaded file, before anything of it is decoded."""

import re
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal

from av.container import InputContainer
from av.video.stream import VideoStream

from s2s.errors import MediaError, UnsupportedMediaError
from s2s.media.guard.opening import MediaLimits, check_size, open_guarded, open_picture
from s2s.media.guard.streams import picture_stream
from s2s.reasons import Reason

__all__ = ["PICTURE_TYPES", "VIDEO_TYPES", "check_upload", "picture_demuxer"]

VIDEO_TYPES = ("mp4", "mov", "m4v", "3gp", "webm", "mkv", "avi", "ts", "flv")
# Of what else is read (mpg, wmv, ogv), the pictures are mostly none that an mp4 holds.
PICTURE_TYPES = ("jpeg", "jpg", "png", "webp")
_HEAD_BYTES = 12
_MAX_FPS = 120
_TOLERANCE_S = 1.0
# What is copied into the mp4 must be something that an mp4 holds.
_CODECS = {"h264": "H.264", "hevc": "H.265", "vp9": "VP9", "av1": "AV1", "mpeg4": "MPEG-4"}


@dataclass(frozen=True)
class _Family:
    """Files of one kind: what they are called, what reads them, and how they begin."""

    extensions: tuple[str, ...]
    demuxer: str
    magic: re.Pattern[bytes]


_VIDEOS = (
    _Family(
        ("mp4", "mov", "m4v", "3gp"),
        "mov,mp4",
        re.compile(rb".{4}(ftyp|moov|mdat|wide|free|skip)", re.DOTALL),
    ),
    _Family(("webm", "mkv"), "matroska,webm", re.compile(rb"\x1a\x45\xdf\xa3")),
    _Family(("avi",), "avi", re.compile(rb"RIFF.{4}AVI ", re.DOTALL)),
    _Family(("ts",), "mpegts", re.compile(rb"\x47")),
    _Family(("flv",), "flv", re.compile(rb"FLV\x01")),
)
_PICTURES = (
    _Family(("jpeg", "jpg"), "jpeg_pipe", re.compile(rb"\xff\xd8\xff")),
    _Family(("png",), "png_pipe", re.compile(rb"\x89PNG\r\n\x1a\n")),
    _Family(("webp",), "webp_pipe", re.compile(rb"RIFF.{4}WEBP", re.DOTALL)),
)


def check_upload(
    path: Path, file_name: str, limits: MediaLimits, types: tuple[str, ...]
) -> Literal["video", "picture"]:
    """Refuse what is not a video that we can copy or a picture, or is beyond the limits.

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
    if family in _PICTURES:
        with open_picture(path, family.demuxer, limits):
            return "picture"
    with open_guarded(path, limits) as file:
        if not file.format.name.startswith(family.demuxer):
            raise _unsupported(f"{file_name!r} holds {file.format.name}", types)
        picture = picture_stream(file)
        if picture is None and any(stream.codec_context is None for stream in file.streams.video):
            message = "The picture is encoded in a way that nothing here reads. Send H.264."
            raise MediaError(Reason.CORRUPT, message)
        if picture is None:
            raise MediaError(Reason.NO_VIDEO, "The file has no picture. Send a video.")
        check_size(file, path, limits)
        codec = picture.codec_context.codec.canonical_name
        if codec not in _CODECS:
            raise MediaError(
                Reason.REFUSED,
                f"The picture is encoded as {codec}, which cannot be copied into an mp4. "
                f"Send {', '.join(_CODECS.values())}.",
            )
        _check_length(file, picture, limits.max_duration_s)
    return "video"


def picture_demuxer(path: Path) -> str | None:
    """Find the demuxer of a picture by its first bytes; None for other files."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    return next((family.demuxer for family in _PICTURES if family.magic.match(head)), None)


def _family(path: Path, file_name: str, types: tuple[str, ...]) -> _Family:
    extension = PurePath(file_name).suffix.lower().removeprefix(".")
    families = (*_VIDEOS, *_PICTURES)
    family = next((family for family in families if extension in family.extensions), None)
    if family is None or extension not in types:
        raise _unsupported(f"{file_name!r} is not named as a file of an accepted type", types)
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head:
        raise _unsupported(f"{file_name!r} is empty", types)
    if not family.magic.match(head):
        raise _unsupported(f"{file_name!r} does not begin as a file of type {extension}", types)
    return family


def _unsupported(why: str, types: tuple[str, ...]) -> UnsupportedMediaError:
    return UnsupportedMediaError(f"{why}. Accepted are files of type {', '.join(types)}.")


def _check_length(file: InputContainer, stream: VideoStream, max_duration_s: float) -> None:
    first_s, last_s, n_packets = None, 0.0, 0
    for packet in file.demux(stream):
        if not packet.size:
            continue
        n_packets += 1
        time = packet.pts if packet.pts is not None else packet.dts
        if time is not None and packet.time_base is not None:
            at_s = float(time * packet.time_base)
            first_s = at_s if first_s is None else min(first_s, at_s)
            last_s = max(last_s, at_s)
        seconds = last_s - (first_s or 0.0)
        if seconds > max_duration_s + _TOLERANCE_S or n_packets > max_duration_s * _MAX_FPS:
            raise MediaError(
                Reason.REFUSED,
                f"The video is too long: at most {max_duration_s:.0f} s, with at most "
                f"{_MAX_FPS} frames a second, are accepted. Send a shorter one.",
            )
    if not n_packets:
        raise MediaError(Reason.CORRUPT, "The video has no frame. Send another file.")
