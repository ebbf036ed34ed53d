"""Properties of a media file, read from its headers, else from its packets."""

from dataclasses import dataclass
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Stream

from s2s.errors import MediaError
from s2s.media.guard.opening import MediaLimits, open_guarded
from s2s.media.guard.streams import only, picture_stream, sound_stream
from s2s.reasons import Reason

__all__ = ["Probe", "picture_index", "probe"]


@dataclass(frozen=True)
class Probe:
    """Properties of a media file.

    Attributes:
        format: name of the container format.
        duration_s: length of the picture (of the file, where the picture does not say).
        width: pixels, before rotation.
        height: pixels, before rotation.
        fps: average frame rate.
        video_codec: such as "h264"; empty without a picture.
        audio_codec: such as "aac"; empty without sound.
        sample_rate_hz: of the first sound stream; 0 without one.
    """

    format: str
    duration_s: float
    width: int = 0
    height: int = 0
    fps: float = 0.0
    video_codec: str = ""
    audio_codec: str = ""
    sample_rate_hz: int = 0

    @property
    def has_video(self) -> bool:
        """Whether there is a picture."""
        return bool(self.video_codec)

    @property
    def has_audio(self) -> bool:
        """Whether there is sound."""
        return bool(self.audio_codec)


def probe(path: Path, limits: MediaLimits | None = None) -> Probe:
    """Read a file's headers; nothing is decoded.

    Where no header gives a length, as in what is recorded live, packets are read to the end.

    Raises:
        MediaError: see `open_guarded`.
    """
    with open_guarded(path, limits or MediaLimits()) as file:
        video, audio = picture_stream(file), sound_stream(file)
        return Probe(
            format=file.format.name,
            duration_s=_duration_s(file, video or audio),
            width=video.codec_context.width if video else 0,
            height=video.codec_context.height if video else 0,
            fps=float(video.average_rate or 0) if video else 0.0,
            video_codec=video.codec_context.name if video else "",
            audio_codec=audio.codec_context.name if audio else "",
            sample_rate_hz=audio.codec_context.sample_rate if audio else 0,
        )


def picture_index(path: Path) -> int:
    """Which of a file's streams is its picture, as ffmpeg counts them too.

    Raises:
        MediaError: `no_video` without one.
    """
    with open_guarded(path) as file:
        picture = picture_stream(file)
        if picture is None:
            raise MediaError(Reason.NO_VIDEO, f"{path.name}: has no picture")
        return picture.index


def _duration_s(file: InputContainer, stream: Stream | None) -> float:
    if stream is not None and stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    if file.duration or stream is None:
        return (file.duration or 0) / av.time_base
    return _measured_s(file, stream)


def _measured_s(file: InputContainer, stream: Stream) -> float:
    """Seconds from the first packet to the end of the last, whose length may be missing."""
    only(file, stream)
    times = sorted(
        (float(at * packet.time_base), float((packet.duration or 0) * packet.time_base))
        for packet in file.demux(stream)
        if packet.size and (at := packet.pts if packet.pts is not None else packet.dts) is not None
    )
    if not times:
        return 0.0
    last_s, lasts_s = times[-1]
    if not lasts_s and len(times) > 1:
        lasts_s = last_s - times[-2][0]
    return last_s + lasts_s - times[0][0]
