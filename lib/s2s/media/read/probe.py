"""What a media file is, read from its headers."""

from dataclasses import dataclass
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Stream

from s2s.media.guard.door import MediaLimits, open_guarded

__all__ = ["Probe", "probe"]


@dataclass(frozen=True)
class Probe:
    """What a media file says of itself.

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

    Raises:
        MediaError: see `open_guarded`.
    """
    with open_guarded(path, limits or MediaLimits()) as file:
        video = next(iter(file.streams.video), None)
        audio = next(iter(file.streams.audio), None)
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


def _duration_s(file: InputContainer, stream: Stream | None) -> float:
    if stream is not None and stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return (file.duration or 0) / av.time_base
