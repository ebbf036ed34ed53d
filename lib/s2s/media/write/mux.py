"""Sound on a video, and off it, without touching the picture."""

from dataclasses import dataclass, replace
from pathlib import Path

from s2s.errors import MediaError
from s2s.media.ffmpeg import input_args, run_ffmpeg
from s2s.media.guard.opening import open_guarded
from s2s.media.guard.streams import only, picture_stream
from s2s.media.read.order import has_stored_order
from s2s.reasons import Reason

__all__ = ["add_sound", "drop_sound"]

_PLAYED = {"h264", "hevc", "vp8", "vp9", "av1"}
"""Codecs that browsers play."""
_FASTSTART = ["-movflags", "+faststart"]
# AAC comes in frames of 1024 samples: the higher the rate, the less is left over at the end.
_SOUND_RATE_HZ = "48000"
# Frames one after the other, at the rate of the file, whatever their packets were numbered.
_ENCODE = ["-vf", "setpts=N/FRAME_RATE/TB", "-c:v", "libx264", "-preset", "veryfast", "-crf", "18"]


@dataclass(frozen=True)
class _Picture:
    """A video's picture: its stream and codec, its first time stamp, whether it can be copied."""

    index: int
    codec: str
    start_s: float
    is_copyable: bool

    def input_args(self, video: Path) -> list[str]:
        """Open the video so that its picture begins at 0."""
        # ffmpeg would else count from a start of its own, which is that of other streams too.
        start = ["-copyts", "-itsoffset", f"{-self.start_s:.6f}"]
        return input_args(video, *start, "-fflags", "+genpts")

    def output_args(self) -> list[str]:
        """Write its picture."""
        codec = ["-c:v", "copy"] if self.is_copyable else [*_ENCODE, "-pix_fmt", "yuv420p"]
        return ["-map", f"0:{self.index}", *codec, *_FASTSTART]


def add_sound(video: Path, sound: Path, output: Path) -> None:
    """Write an mp4 of a video's picture, copied packet by packet, and a sound as AAC.

    Both start at 0, whenever the picture started in the video. The picture is encoded only where
    its packets do not tell when they are shown: in AVI, where a codec reorders frames.

    Args:
        video: where the picture is from; sound that it has is left out.
        sound: a wav file that starts with the picture.
        output: the mp4.

    Raises:
        MediaError: `no_video` without a picture; if ffmpeg cannot do it, for instance for a codec
            that mp4 does not hold.
    """
    picture = _picture(video)
    run_ffmpeg(
        [
            *picture.input_args(video),
            *input_args(sound),
            *[*picture.output_args(), "-map", "1:a:0"],
            *["-c:a", "aac", "-b:a", "128k", "-ar", _SOUND_RATE_HZ],
            *["-f", "mp4", f"file:{output.absolute()}"],
        ],
        name=video.name,
    )


def drop_sound(video: Path, output: Path, *, for_browsers: bool = False) -> None:
    """Write an mp4 of a video's picture alone, as `add_sound` does.

    Args:
        video: where the picture is from.
        output: the mp4.
        for_browsers: encode the picture also where browsers would not play it.

    Raises:
        MediaError: see `add_sound`.
    """
    picture = _picture(video)
    if for_browsers and picture.codec not in _PLAYED:
        picture = replace(picture, is_copyable=False)
    run_ffmpeg(
        [
            *[*picture.input_args(video), *picture.output_args()],
            *["-f", "mp4", f"file:{output.absolute()}"],
        ],
        name=video.name,
    )


def _picture(video: Path) -> _Picture:
    with open_guarded(video) as file:
        stream = picture_stream(file)
        if stream is None:
            raise MediaError(Reason.NO_VIDEO, f"{video.name}: has no picture")
        codec = stream.codec_context.name
        if not has_stored_order(file, stream):
            return _Picture(stream.index, codec, 0.0, is_copyable=False)
        only(file, stream)
        # Nothing is copied before the first keyframe, and nothing can be shown.
        first = next((packet for packet in file.demux(stream) if packet.is_keyframe), None)
        at = None if first is None or not first.size else first.pts
        if at is None:
            return _Picture(stream.index, codec, 0.0, is_copyable=True)
        return _Picture(stream.index, codec, float(at * (stream.time_base or 1)), is_copyable=True)
