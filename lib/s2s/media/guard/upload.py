"""Checks of an uploaded file, before anything of it is decoded."""

from pathlib import Path, PurePath
from typing import Literal

from av.container import InputContainer
from av.video.stream import VideoStream

from s2s.errors import MediaError, UnsupportedMediaError
from s2s.media.guard.containers import PICTURES, VIDEOS, Family, family_of
from s2s.media.guard.opening import MediaLimits, check_size, open_guarded, open_picture
from s2s.media.guard.streams import picture_stream
from s2s.media.guard.truncation import kind_of, was_cut_off
from s2s.reasons import Reason

__all__ = ["check_upload", "picture_demuxer"]

_MAX_FPS = 120
_TOLERANCE_S = 1.0


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
        if picture is None and any(stream.codec_context is None for stream in file.streams.video):
            message = "The picture is encoded in a way that nothing here reads. Send H.264."
            raise MediaError(Reason.CORRUPT, message)
        if picture is None and was_cut_off(path):
            raise _cut_off()
        if picture is None:
            raise MediaError(Reason.NO_VIDEO, "The file has no picture. Send a video.")
        check_size(file, path, limits)
        if not _has_frames(file, picture, limits.max_duration_s):
            no_frame = MediaError(Reason.CORRUPT, "The video has no frame. Send another file.")
            raise _cut_off() if was_cut_off(path) else no_frame
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
        found = kind_of(path)
        why = f", but as {found}: name it so, if it is one" if found in types else ""
        name = f"{file_name!r} does not begin as a file of type {extension}{why}"
        raise _unsupported(name, types)
    return family


def _unsupported(why: str, types: tuple[str, ...]) -> UnsupportedMediaError:
    return UnsupportedMediaError(f"{why}. Accepted are files of type {', '.join(types)}.")


def _cut_off() -> MediaError:
    message = "The file was cut off: its end is missing. Copy or download it again, and send that."
    return MediaError(Reason.CORRUPT, message)


def _has_frames(file: InputContainer, stream: VideoStream, max_duration_s: float) -> bool:
    """Whether there are any; too many, or such that play too long, are refused."""
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
    return n_packets > 0
