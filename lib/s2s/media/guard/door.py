"""The one door for media that somebody else made."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Discard, Stream

from s2s.errors import MediaError
from s2s.reasons import Reason

__all__ = [
    "FORMATS",
    "PICTURE_FORMATS",
    "PROTOCOLS",
    "MediaLimits",
    "only",
    "open_guarded",
    "open_picture",
]

# Demuxers that never open a second file. A protocol whitelist alone does not stop a playlist
# (HLS, DASH, concat, SDP) that is named .mp4 from reading other local files.
FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,wav"
# Unlike image2, these read the one file that they are given and expand no pattern in its name.
PICTURE_FORMATS = "jpeg_pipe,png_pipe,webp_pipe"
PROTOCOLS = "file"


@dataclass(frozen=True)
class MediaLimits:
    """What a file may ask of us, read before anything is decoded.

    Attributes:
        max_pixels: width times height.
        max_duration_s: length in seconds, as far as the file says it.
        max_streams: picture, sound and other streams.
    """

    max_pixels: int = 7680 * 4320
    max_duration_s: float = 6 * 3600.0
    max_streams: int = 32


_DEFAULT_LIMITS = MediaLimits()


@contextmanager
def open_guarded(path: Path, limits: MediaLimits = _DEFAULT_LIMITS) -> Iterator[InputContainer]:
    """Open a media file that is not trusted.

    Raises:
        MediaError: `corrupt` if it cannot be read (also while it is used), `refused` if it is
            beyond the limits.
        FileNotFoundError: if there is no such file.
    """
    with _opened(path, limits, FORMATS) as file:
        yield file


@contextmanager
def open_picture(
    path: Path, demuxer: str, limits: MediaLimits = _DEFAULT_LIMITS
) -> Iterator[InputContainer]:
    """Open a still picture that is not trusted.

    Args:
        path: the file.
        demuxer: one of `PICTURE_FORMATS`, as the file's first bytes say.
        limits: what it may ask of us.

    Raises:
        MediaError: see `open_guarded`.
    """
    with _opened(path, limits, PICTURE_FORMATS, demuxer) as file:
        yield file


@contextmanager
def _opened(
    path: Path, limits: MediaLimits, formats: str, demuxer: str | None = None
) -> Iterator[InputContainer]:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    # Opening decodes a frame to learn about the picture: max_pixels already holds there.
    max_pixels = {"max_pixels": str(limits.max_pixels)}
    options = {"format_whitelist": formats, "protocol_whitelist": PROTOCOLS} | max_pixels
    url = f"file:{path.absolute()}"
    try:
        with av.open(url, format=demuxer, options=options, metadata_errors="replace") as file:
            _check(file, path, limits)
            for stream in file.streams.video:  # and when the picture grows on the way
                stream.codec_context.options = max_pixels
            yield file
    except FFmpegError as error:
        raise MediaError(
            Reason.CORRUPT,
            f"{path.name}: not a media file that can be read ({error.strerror}); "
            "mp4, mov, webm, mkv and avi are",
        ) from error


def only(file: InputContainer, stream: Stream) -> None:
    """Read one stream of a file; packets of the others are not even read from the disk."""
    for other in file.streams:
        if other.index != stream.index:
            other.discard = Discard.all


def _check(file: InputContainer, path: Path, limits: MediaLimits) -> None:
    if len(file.streams) > limits.max_streams:
        raise _refused(path, f"{len(file.streams)} streams, at most {limits.max_streams} are read")
    seconds = (file.duration or 0) / av.time_base
    if seconds > limits.max_duration_s:
        raise _refused(path, f"{seconds:.0f} s long, at most {limits.max_duration_s:.0f} s are")
    for stream in (*file.streams.video, *file.streams.audio):
        if stream.codec_context is None:
            message = f"{path.name}: its {stream.type} is encoded in a way that nothing here reads"
            raise MediaError(Reason.CORRUPT, message)
    for stream in file.streams.video:
        width, height = stream.codec_context.width, stream.codec_context.height
        if width * height > limits.max_pixels:
            raise _refused(
                path, f"{width}×{height} pixels, at most {limits.max_pixels} in all are read"
            )


def _refused(path: Path, why: str) -> MediaError:
    return MediaError(Reason.REFUSED, f"{path.name}: {why}")
