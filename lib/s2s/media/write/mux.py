"""Sound on a video, and off it, without touching the picture."""

from dataclasses import dataclass, replace
from pathlib import Path

from s2s.errors import MediaError
from s2s.media.ffmpeg import input_args, run_ffmpeg
from s2s.media.guard.opening import open_guarded
from s2s.media.guard.streams import only, picture_stream
from s2s.media.read.order import has_stored_order
from s2s.reasons import Reason

__all__ = ["ENCODE_MOST_S", "add_sound", "drop_sound", "make_preview"]

ENCODE_MOST_S = 1200
"""Time that it may take to encode a picture."""
_HELD = {"h264", "hevc", "vp9", "av1", "mpeg4"}
"""Codecs that players expect in an mp4."""
_PLAYED = {"vp9", "av1"}
"""Codecs that every browser plays; beside H.264, where its pixels are the usual ones."""
_USUAL_PIXELS = {"yuv420p", "yuvj420p"}
_FASTSTART = ["-movflags", "+faststart"]
# AAC comes in frames of 1024 samples: the higher the rate, the less is left over at the end.
_SOUND_RATE_HZ = "48000"
# H.264 has no odd sizes in 4:2:0.
_EVEN = "scale=w=max(2\\,trunc(iw/2)*2):h=max(2\\,trunc(ih/2)*2)"
_PREVIEW = (
    "scale=w=max(2\\,trunc(min(1\\,1280/max(iw\\,ih))*iw/2)*2)"
    ":h=max(2\\,trunc(min(1\\,1280/max(iw\\,ih))*ih/2)*2)"
)
# Frames one after the other, at the rate of the file, whatever their packets were numbered.
_RENUMBER = "setpts=N/FRAME_RATE/TB"
# Each frame when it was shown, at whatever rate.
_KEEP_TIMES = ["-fps_mode", "vfr", "-enc_time_base", "demux"]
# The same on every machine: memory, and what is encoded, depend on the number of threads.
_THREADS = "4"
_ENCODE = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-threads", _THREADS]


@dataclass(frozen=True)
class _Picture:
    """A video's picture: its stream, its first time stamp, and what can be done with it.

    Attributes:
        index: of the stream.
        start_s: its first time stamp.
        is_copyable: whether an mp4 can have its packets.
        is_played: whether browsers play it.
        has_times: whether frames can be told from their packets when they are shown.
    """

    index: int
    start_s: float
    is_copyable: bool
    is_played: bool
    has_times: bool

    def input_args(self, video: Path) -> list[str]:
        """Open the video so that its picture begins at 0."""
        # ffmpeg would else count from a start of its own, which is that of other streams too.
        start = ["-threads", _THREADS, "-copyts", "-itsoffset", f"{-self.start_s:.6f}"]
        return input_args(video, *start, "-fflags", "+genpts")

    def output_args(self, scale: str = _EVEN, crf: int = 18) -> list[str]:
        """Write its picture: its packets, or where they are not copied, encoded."""
        chosen = ["-map", f"0:{self.index}"]
        if self.is_copyable:
            return [*chosen, "-c:v", "copy", *_FASTSTART]
        filters = scale if self.has_times else f"{_RENUMBER},{scale}"
        times = _KEEP_TIMES if self.has_times else []
        return [*chosen, "-vf", filters, *times, *_ENCODE, "-crf", str(crf), *_FASTSTART]


def add_sound(video: Path, sound: Path, output: Path) -> None:
    """Write an mp4 of a video's picture, copied packet by packet, and a sound as AAC.

    Both start at 0, whenever the picture started in the video. The picture is encoded, as H.264,
    only where an mp4 does not hold its codec, and where its packets do not tell when they are
    shown: in AVI, where a codec reorders frames.

    Args:
        video: where the picture is from; sound that it has is left out.
        sound: a wav file that starts with the picture.
        output: the mp4.

    Raises:
        MediaError: `no_video` without a picture; if ffmpeg cannot do it.
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
        timeout_s=ENCODE_MOST_S,
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
    if for_browsers and not picture.is_played:
        picture = replace(picture, is_copyable=False)
    run_ffmpeg(
        [
            *[*picture.input_args(video), *picture.output_args()],
            *["-f", "mp4", f"file:{output.absolute()}"],
        ],
        name=video.name,
        timeout_s=ENCODE_MOST_S,
    )


def make_preview(video: Path, output: Path) -> bool:
    """Write an mp4 that every browser plays, small, of an mp4 that some do not.

    Args:
        video: an mp4 with sound in AAC, which is copied.
        output: the preview, with at most 1280 pixels along its longer side.

    Returns:
        whether it was made: of what browsers play, there is none.

    Raises:
        MediaError: see `add_sound`.
    """
    picture = _picture(video)
    if picture.is_played:
        return False
    picture = replace(picture, is_copyable=False)
    run_ffmpeg(
        [
            *[*picture.input_args(video), *picture.output_args(_PREVIEW, crf=23)],
            *["-map", "0:a?", "-c:a", "copy", "-f", "mp4", f"file:{output.absolute()}"],
        ],
        name=video.name,
        timeout_s=ENCODE_MOST_S,
    )
    return True


def _picture(video: Path) -> _Picture:
    with open_guarded(video) as file:
        stream = picture_stream(file)
        if stream is None:
            raise MediaError(Reason.NO_VIDEO, f"{video.name}: has no picture")
        codec = stream.codec_context.codec.canonical_name
        has_times = has_stored_order(file, stream)
        is_usual = codec == "h264" and stream.codec_context.pix_fmt in _USUAL_PIXELS
        is_played = has_times and (codec in _PLAYED or is_usual)
        is_copyable = has_times and codec in _HELD
        only(file, stream)
        # Nothing is copied before the first keyframe, and nothing can be shown.
        first = next((packet for packet in file.demux(stream) if packet.is_keyframe), None)
        at = None if first is None or not first.size or not has_times else first.pts
        start_s = 0.0 if at is None else float(at * (stream.time_base or 1))
        return _Picture(stream.index, start_s, is_copyable, is_played, has_times)
