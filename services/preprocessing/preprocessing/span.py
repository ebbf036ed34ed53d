"""What there really is of a source: where its picture ends, whether it has sound."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from preprocessing.packets.smart_cut import is_hdr
from s2s.errors import MediaError
from s2s.media import open_guarded, picture_stream, sound_stream
from s2s.media.read.listing import can_seek
from s2s.media.read.order import has_stored_order
from s2s.reasons import Reason

__all__ = ["Span", "measure_span"]

_LAST_US = 2_000_000
# Sound that comes so near to the end that a header claims goes on to it.
_NEAR_S = 1.0
_MATROSKA = "matroska,webm"
# Their headers have a length for each stream; others have one for the whole file.
_LENGTH_OF_STREAM = ("mov,mp4,m4a,3gp,3g2,mj2", "avi")
# Of FFmpeg's orders of fields: 0 is not known, those above say which field comes first.
_PROGRESSIVE = 1


@dataclass(frozen=True)
class Span:
    """How far a source's picture goes, in seconds from the start of the file.

    Attributes:
        end_s: where the last frame that is there ends.
        claimed_end_s: where the header says that it ends; 0 if it does not say, or says it of the
            sound.
        picture: which of the file's streams is its picture.
        pixel_ratio: width of a pixel to its height.
        has_sound: whether there is sound that can be decoded.
        is_hdr: whether the picture has a high dynamic range.
        is_interlaced: whether its frames may be of two fields, half a frame apart in time.
    """

    end_s: float
    claimed_end_s: float
    picture: int
    pixel_ratio: Fraction
    has_sound: bool
    is_hdr: bool
    is_interlaced: bool


def measure_span(path: Path) -> Span:
    """Measure by the time stamps of the last packets; nothing is decoded.

    Headers do not always tell: Matroska gives the longest stream only, and the header of a
    truncated file still speaks of the whole.

    Raises:
        MediaError: `no_video` without a picture, `corrupt` if no packet of it can be read.
    """
    with open_guarded(path) as file:
        stream = picture_stream(file)
        if stream is None:
            raise MediaError(Reason.NO_VIDEO, f"{path.name}: has no picture")
        start = file.start_time or 0
        end_s = None
        if file.duration and can_seek(file):
            # The last frame that is shown may be stored before others.
            file.seek(max(start, start + file.duration - _LAST_US))
            end_s = _last_end_s(file, stream)
        if end_s is None:
            if can_seek(file):
                file.seek(start)
            end_s = _last_end_s(file, stream)
        if end_s is None:
            raise MediaError(Reason.CORRUPT, f"{path.name}: no frame of its picture can be read")
        start_s, claimed_s = start / av.time_base, _claimed_s(file, stream)
        if claimed_s > end_s + _NEAR_S and _is_of_sound(file, claimed_s):
            claimed_s = 0.0
        return Span(
            end_s - start_s,
            max(0.0, claimed_s - start_s),
            stream.index,
            stream.sample_aspect_ratio or Fraction(1),
            has_sound=sound_stream(file) is not None,
            is_hdr=is_hdr(stream),
            is_interlaced=_is_interlaced(stream),
        )


def _claimed_s(file: InputContainer, stream: VideoStream) -> float:
    """Where a header says that a picture ends, as its time stamps count; 0 if it does not say."""
    if file.format.name == _MATROSKA:
        # It says where the last of its tracks ends; subtitles may be anywhere.
        usual = all(each.type in {"video", "audio", "attachment"} for each in file.streams)
        return (file.duration or 0) / av.time_base if usual else 0.0
    claimed = (stream.start_time or 0) + stream.duration if stream.duration else 0
    return float(claimed * (stream.time_base or 0))


def _is_of_sound(file: InputContainer, claimed_s: float) -> bool:
    """Whether a file is as long as its header says, and only its picture ends before.

    Of a file that is cut off the sound, which lies between the pictures, is cut off as well.
    """
    sound = sound_stream(file)
    if sound is None or file.format.name in _LENGTH_OF_STREAM or not can_seek(file):
        return False
    file.seek(max(file.start_time or 0, round(claimed_s * av.time_base) - _LAST_US))
    times_s = [float(packet.pts * packet.time_base) for packet in file.demux(sound) if packet.pts]
    return max(times_s, default=0.0) >= claimed_s - _NEAR_S


def _is_interlaced(stream: VideoStream) -> bool:
    codec = stream.codec_context
    # DV has two fields, and does not say so in its header.
    return codec.name == "dvvideo" or codec.field_order > _PROGRESSIVE


def _last_end_s(file: InputContainer, stream: VideoStream) -> float | None:
    frame_s = float(1 / stream.average_rate) if stream.average_rate else 0.0
    ends_s = []
    is_ordered = has_stored_order(file, stream)
    for packet in file.demux(stream):
        at = packet.pts if is_ordered and packet.pts is not None else packet.dts
        if packet.size and at is not None:
            lasts_s = float(packet.duration * packet.time_base) if packet.duration else frame_s
            ends_s.append(float(at * packet.time_base) + lasts_s)
    return max(ends_s, default=None)
