"""What there really is of a source: where its picture ends, whether it has sound."""

from dataclasses import dataclass
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from preprocessing.packets.smart_cut import is_hdr
from s2s.errors import MediaError
from s2s.media import open_guarded
from s2s.reasons import Reason

__all__ = ["Span", "measure_span"]


@dataclass(frozen=True)
class Span:
    """How far a source's picture goes, in seconds from the start of the file.

    Attributes:
        end_s: where the last frame that is there ends.
        claimed_end_s: where the header says that it ends; 0 if it does not say.
        has_sound: whether there is a sound stream.
        is_hdr: whether the picture has a high dynamic range.
    """

    end_s: float
    claimed_end_s: float
    has_sound: bool
    is_hdr: bool


def measure_span(path: Path) -> Span:
    """Measure by the time stamps of the last packets; nothing is decoded.

    Headers do not always tell: Matroska gives the longest stream only, and the header of a
    truncated file still speaks of the whole.

    Raises:
        MediaError: `no_video` without a picture, `corrupt` if no packet of it can be read.
    """
    with open_guarded(path) as file:
        if not file.streams.video:
            raise MediaError(Reason.NO_VIDEO, f"{path.name}: has no picture")
        stream = file.streams.video[0]
        start = file.start_time or 0
        end_s = None
        if file.duration:
            file.seek(start + file.duration)
            end_s = _last_end_s(file, stream)
        if end_s is None:
            file.seek(start)
            end_s = _last_end_s(file, stream)
        claimed = (stream.start_time or 0) + stream.duration if stream.duration else 0
        has_sound = bool(file.streams.audio)
        has_high_range = is_hdr(stream)
    if end_s is None:
        raise MediaError(Reason.CORRUPT, f"{path.name}: no frame of its picture can be read")
    start_s = start / av.time_base
    claimed_s = float(claimed * (stream.time_base or 0))
    return Span(end_s - start_s, max(0.0, claimed_s - start_s), has_sound, has_high_range)


def _last_end_s(file: InputContainer, stream: VideoStream) -> float | None:
    ends = [
        float((packet.pts + (packet.duration or 0)) * packet.time_base)
        for packet in file.demux(stream)
        if packet.pts is not None
    ]
    return max(ends, default=None)
