"""What an upload must be before anything is decoded."""

import re
from dataclasses import dataclass
from pathlib import Path, PurePath

from av.container import InputContainer

from s2s.errors import MediaError
from s2s.media import MediaLimits, open_guarded
from s2s.records import Reason
from serving.problems import Problem

__all__ = ["ACCEPTED_TYPES", "check_video"]

ACCEPTED_TYPES = ("mp4", "mov", "webm", "mkv", "avi")
_HEAD_BYTES = 12
_MAX_FPS = 120
_TOLERANCE_S = 1.0
# What is copied into the mp4 must be something that an mp4 holds.
_CODECS = {"h264": "H.264", "hevc": "H.265", "vp9": "VP9", "av1": "AV1", "mpeg4": "MPEG-4"}


@dataclass(frozen=True)
class _Family:
    """Containers of one kind: what they are called, and how their files begin."""

    extensions: tuple[str, ...]
    format_name: str
    magic: re.Pattern[bytes]


_FAMILIES = (
    _Family(
        ("mp4", "mov"), "mov,mp4", re.compile(rb".{4}(ftyp|moov|mdat|wide|free|skip)", re.DOTALL)
    ),
    _Family(("webm", "mkv"), "matroska,webm", re.compile(rb"\x1a\x45\xdf\xa3")),
    _Family(("avi",), "avi", re.compile(rb"RIFF.{4}AVI ", re.DOTALL)),
)


def check_video(path: Path, file_name: str, limits: MediaLimits) -> None:
    """Refuse what is not a video that we can copy, or is beyond the limits.

    The name, the first bytes and the demuxer must agree. Headers may lie about a video's length,
    so its packets are counted; nothing is decoded.

    Args:
        path: the upload.
        file_name: the name that the client gave it.
        limits: what a video may ask of us.

    Raises:
        Problem: 415 if it is not a video of an accepted type.
        MediaError: if it cannot be read, or is refused.
    """
    family = _family(path, file_name)
    with open_guarded(path, limits) as file:
        if not file.format.name.startswith(family.format_name):
            raise _unsupported(f"{file_name!r} holds {file.format.name}")
        if not file.streams.video:
            raise MediaError(Reason.NO_VIDEO, "The file has no picture. Send a video.")
        codec = file.streams.video[0].codec_context.codec.canonical_name
        if codec not in _CODECS:
            raise MediaError(
                Reason.REFUSED,
                f"The picture is encoded as {codec}, which cannot be copied into an mp4. "
                f"Send {', '.join(_CODECS.values())}.",
            )
        _check_length(file, limits.max_duration_s)


def _family(path: Path, file_name: str) -> _Family:
    extension = PurePath(file_name).suffix.lower().removeprefix(".")
    family = next((family for family in _FAMILIES if extension in family.extensions), None)
    if family is None:
        raise _unsupported(f"{file_name!r} is not named as a video")
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not family.magic.match(head):
        raise _unsupported(f"{file_name!r} does not begin as a file of type {extension}")
    return family


def _unsupported(why: str) -> Problem:
    accepted = ", ".join(ACCEPTED_TYPES)
    return Problem(415, "unsupported-type", f"{why}. Accepted are videos of type {accepted}.")


def _check_length(file: InputContainer, max_duration_s: float) -> None:
    first_s, last_s, n_packets = None, 0.0, 0
    for packet in file.demux(file.streams.video[0]):
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
