"""Which streams of a file are read; the others cannot make it unusable."""

from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Discard, Disposition, Stream
from av.video.stream import VideoStream

__all__ = ["only", "picture_stream", "sound_stream"]

_NO_VIDEO = Disposition.attached_pic | Disposition.timed_thumbnails


def picture_stream(file: InputContainer) -> VideoStream | None:
    """The picture: the first that can be decoded and is no cover or thumbnail."""
    return next(
        (
            stream
            for stream in file.streams.video
            if stream.codec_context is not None and not stream.disposition & _NO_VIDEO
        ),
        None,
    )


def sound_stream(file: InputContainer) -> AudioStream | None:
    """The sound: the first that can be decoded."""
    return next((stream for stream in file.streams.audio if stream.codec_context is not None), None)


def only(file: InputContainer, stream: Stream) -> None:
    """Read one stream of a file; packets of the others are not even read from the disk."""
    for other in file.streams:
        if other.index != stream.index:
            other.discard = Discard.all
