"""Opening media that somebody else made: nothing else opens them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import av
from av.container import InputContainer
from av.error import ArgumentError, FFmpegError

from s2s.errors import MediaError
from s2s.media.ffmpeg import container_name
from s2s.media.guard.containers import (
    FORMATS,
    PICTURE_FORMATS,
    PICTURE_TYPES,
    PROTOCOLS,
    VIDEO_TYPES,
    playlist_kind,
    type_of,
)
from s2s.media.guard.pictures import PictureHead, read_head
from s2s.media.guard.streams import picture_stream
from s2s.media.guard.truncation import cut_off, tells_its_end, was_cut_off
from s2s.reasons import Reason

__all__ = ["ROUNDING_S", "MediaLimits", "check_shape", "check_size", "open_guarded", "open_picture"]


@dataclass(frozen=True)
class MediaLimits:
    """Limits on a file, checked before anything is decoded.

    Attributes:
        max_pixels: width times height.
        max_duration_s: length in seconds, as far as the file says it; `ROUNDING_S` more are taken.
        max_streams: picture, sound and other streams.
        max_picture_pixels: of a still picture, which is decoded once; as many as of a video by
            default. Of a JPEG, four times as many: it is decoded in as much less time.
    """

    max_pixels: int = 7680 * 4320
    max_duration_s: float = 6 * 3600.0
    max_streams: int = 32
    max_picture_pixels: int | None = None

    @property
    def of_picture(self) -> "MediaLimits":
        """Limits on a still picture."""
        return replace(self, max_pixels=self.max_picture_pixels or self.max_pixels)

    @property
    def of_jpeg(self) -> "MediaLimits":
        """Limits on a JPEG picture."""
        return replace(self, max_pixels=_JPEG_TIMES * self.of_picture.max_pixels)


ROUNDING_S = 0.5
"""By so much a file may be longer than it was cut: sound ends with a whole block of samples."""
_DEFAULT_LIMITS = MediaLimits()
_JPEG, _JPEG_TIMES = "jpeg_pipe", 4
# Smaller pictures show nothing; and H.264 of at most full HD keeps some pixels of the shorter side.
_LEAST_SIDE, _MOST_TIMES = 16, 100
# A JPEG may go over all its pixels in a scan of 25 bytes; encoders write about ten.
_MOST_SCANS = 100
_MEGA = 1_000_000


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
        MediaError: see `open_guarded`; `corrupt` too if a part of it is missing, `refused` if it is
            animated, small or thin, or takes far longer to decode than pictures of its size do.
    """
    its_limits = limits.of_jpeg if demuxer == _JPEG else limits.of_picture
    if path.is_file():
        _check_head(read_head(path), path, its_limits)
    with _opened(path, its_limits, PICTURE_FORMATS, demuxer) as file:
        check_shape(file, path)
        yield file


def _check_head(head: PictureHead, path: Path, limits: MediaLimits) -> None:
    if head.is_animated:
        raise _refused(path, "an animation; send a still picture, or the animation as a video")
    if head.n_scans > _MOST_SCANS:
        why = f"a JPEG of more than {_MOST_SCANS} scans; save it again as an ordinary JPEG"
        raise _refused(path, why)
    if head.width * head.height > limits.max_pixels:
        raise _too_large(path, head.width, head.height, limits)
    if head.is_cut_off:
        raise cut_off(path)


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
                if stream.codec_context is not None:
                    stream.codec_context.options = max_pixels
            yield file
    except FFmpegError as error:
        raise _unreadable(path, error, formats) from error


def _check(file: InputContainer, path: Path, limits: MediaLimits) -> None:
    if len(file.streams) > limits.max_streams:
        raise _refused(path, f"{len(file.streams)} streams, at most {limits.max_streams} are read")
    seconds = (file.duration or 0) / av.time_base
    if seconds > limits.max_duration_s + ROUNDING_S:
        raise _refused(path, f"{seconds:.1f} s long, at most {limits.max_duration_s:.0f} s are")
    picture = picture_stream(file)
    if picture is not None:
        width, height = picture.codec_context.width, picture.codec_context.height
        if width * height > limits.max_pixels:
            raise _too_large(path, width, height, limits)
    elif any(stream.codec_context is None for stream in file.streams.video) and was_cut_off(path):
        raise cut_off(path)  # in the middle of what tells how it is encoded


def check_size(file: InputContainer, path: Path, limits: MediaLimits) -> None:
    """Make sure that a video's size is known: decoders do not tell it of what is too large.

    Raises:
        MediaError: `refused` if there is a picture whose size is not, `corrupt` if the file was
            cut off before it.
    """
    picture = picture_stream(file)
    if picture is not None and not picture.codec_context.width * picture.codec_context.height:
        if was_cut_off(path):
            raise cut_off(path)
        raise _refused(
            path,
            "nothing of its picture can be read, or it has more than "
            f"{_pixels(limits.max_pixels)}; send a smaller one",
        )


def _too_large(path: Path, width: int, height: int, limits: MediaLimits) -> MediaError:
    most = _pixels(limits.max_pixels)
    return _refused(path, f"{width}×{height} pixels, more than {most} in all; send a smaller one")


def _pixels(count: int) -> str:
    """A number of pixels, as people say it."""
    return f"{count / _MEGA:.1f} megapixels" if count >= _MEGA else f"{count} pixels"


def check_shape(file: InputContainer, path: Path) -> None:
    """Make sure that a picture is neither too small nor too thin to show anything.

    Raises:
        MediaError: `refused` if it is, `corrupt` if there is none.
    """
    picture = picture_stream(file)
    width, height = (
        (0, 0) if picture is None else (picture.codec_context.width, picture.codec_context.height)
    )
    if not width * height:
        raise _unreadable(path, None, PICTURE_FORMATS)
    if min(width, height) < _LEAST_SIDE or max(width, height) > _MOST_TIMES * min(width, height):
        raise _refused(
            path,
            f"{width}×{height} pixels, too small or too thin; each side needs at least "
            f"{_LEAST_SIDE}, and a {_MOST_TIMES}th of the other",
        )


def _unreadable(path: Path, error: FFmpegError | None, formats: str) -> MediaError:
    kind = playlist_kind(path)
    if not kind and isinstance(error, ArgumentError):  # what a whitelist says
        kind = container_name(path)
    if kind and kind not in formats.split(","):
        return _refused(path, f"a file of kind {kind} is not opened; convert it to mp4 or mkv")
    cause = "" if error is None else error.strerror or ""
    types, what = VIDEO_TYPES, "media file"
    if formats == PICTURE_FORMATS:
        types, what = PICTURE_TYPES, "picture"
    if was_cut_off(path):
        return cut_off(path)
    if (name := type_of(path)) in types:
        is_known = formats == PICTURE_FORMATS or tells_its_end(path)
        why = "it is damaged" if is_known else "it is damaged, or was cut off"
        message = f"{path.name}: begins as {name} does, and cannot be read: {why}"
    else:
        named = ", ".join(types)
        message = f"{path.name}: not a {what} that can be read; files of type {named} are"
    return MediaError(Reason.CORRUPT, message, cause)


def _refused(path: Path, why: str) -> MediaError:
    return MediaError(Reason.REFUSED, f"{path.name}: {why}")
