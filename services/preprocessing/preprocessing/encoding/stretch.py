"""When the frames around a clip are shown, and those of them that are asked for."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
from av import VideoFrame
from av.container import InputContainer
from av.video.stream import VideoStream

from s2s.errors import MediaError
from s2s.media import open_guarded, picture_stream
from s2s.media.guard.streams import only
from s2s.media.read.listing import Listed, can_seek, decode_listed, list_packets
from s2s.media.read.order import has_stored_order
from s2s.reasons import Reason

__all__ = ["ROUNDING", "Stretch", "decode_frames", "list_stretch"]

# Seeking goes by decoding time: the keyframe it lands on may show after what is asked for, and a
# frame may have been on screen for long.
_RUN_UPS_S = (0.5, 5.0, 60.0)
ROUNDING = 0.05
"""A frame that begins this close to the middle of a step, in steps, may be shown in it or not: time
stamps are rounded, in Matroska to 1 ms."""


@dataclass(frozen=True)
class Stretch:
    """Packets of a picture from a keyframe before a start to an end.

    Attributes:
        packets: as they are decoded.
        times: time stamps of frames that are shown, in order.
        origin: of the start of the file.
        tick_s: seconds of a time stamp.
        is_regular: whether time stamps are of their frames, and seeking leads where it should.
    """

    packets: list[Listed]
    times: list[int]
    origin: float
    tick_s: float
    is_regular: bool

    def shown_at(self, instant_s: float) -> int:
        """The time stamp of the frame that is on screen; of the first, before there is one."""
        return self.times[max(0, bisect_right(self.times, self._tick(instant_s)) - 1)]

    def seconds(self, time: int) -> float:
        """When a frame begins, from the start of the file."""
        return (time - self.origin) * self.tick_s

    def candidates(self, instant_s: float, step_s: float) -> set[int]:
        """What may be shown in a step of a constant rate: what is, in its middle, on screen."""
        middle_s, rounding_s = instant_s + step_s / 2, step_s * ROUNDING
        return {self.shown_at(middle_s - rounding_s), self.shown_at(middle_s + rounding_s)}

    def keys(self, start_s: float, end_s: float) -> list[int]:
        """Time stamps of keyframes in a span."""
        first, last = self._tick(start_s), self._tick(end_s)
        return sorted(one.pts for one in self.packets if one.is_key and first < one.pts < last)

    def _tick(self, instant_s: float) -> float:
        return self.origin + instant_s / self.tick_s + 1e-6


def list_stretch(path: Path, start_s: float, end_s: float) -> Stretch:
    """List the packets around a span of a file; nothing is decoded.

    Args:
        path: the file.
        start_s: from where, in seconds from the start of the file.
        end_s: to where.

    Raises:
        MediaError: `corrupt` if no frame of it can be decoded.
    """
    for run_up_s in _RUN_UPS_S:
        stretch = _list(path, start_s, end_s, run_up_s)
        if stretch.times and stretch.seconds(stretch.times[0]) <= start_s:
            return stretch
    stretch = _list(path, start_s, end_s, None)
    if not stretch.times:  # a recording without one whole keyframe
        stretch = _list(path, start_s, end_s, None, any_key=True)
    if not stretch.times:
        message = f"{path.name}: no frame of its picture between {start_s:.2f} and {end_s:.2f} s"
        raise MediaError(Reason.CORRUPT, f"{message} can be decoded")
    return stretch


def _list(
    path: Path, start_s: float, end_s: float, run_up_s: float | None, *, any_key: bool = False
) -> Stretch:
    """From where seeking to so long before the start leads, or from the start of the file."""
    with open_guarded(path) as file:
        stream = _picture(path, file)
        tick_s = float(stream.time_base or 1)
        is_ordered = has_stored_order(file, stream)
        origin = (file.start_time or 0) / av.time_base / tick_s
        if not is_ordered:
            origin += _delay(path)
        # Where nothing is sought, the file is as it was opened: AVI does not find its first frame.
        if run_up_s is not None and run_up_s < start_s and can_seek(file):
            file.seek(round(origin + (start_s - run_up_s) / tick_s), stream=stream)
        is_regular = is_ordered and can_seek(file) and file.format.name != "mpegts"
        packets = list_packets(file, stream, round(origin + end_s / tick_s), any_key=any_key)
    times = sorted(packet.pts for packet in packets if packet.is_shown)
    return Stretch(packets, times, origin, tick_s, is_regular)


def decode_frames(
    path: Path, stretch: Stretch, times: Iterable[int], *, is_rough: bool = False
) -> Iterator[tuple[int, VideoFrame]]:
    """Decode frames of some time stamps, in order; what is damaged is left out.

    Args:
        path: the file.
        stretch: where the times are from.
        times: time stamps of frames.
        is_rough: leave out the filter at blocks' edges, a quarter of the work; pictures are a
            little off then.
    """
    with open_guarded(path) as file:
        stream = _picture(path, file)
        stream.thread_type = "NONE"
        if is_rough:
            context = stream.codec_context
            context.options = {**context.options, "skip_loop_filter": "all"}
        wanted = sorted(set(times))
        for time, frame in decode_listed(file, stream, stretch.packets, wanted, spare_damage=True):
            if not frame.is_corrupt:
                yield time, frame


def _picture(path: Path, file: InputContainer) -> VideoStream:
    stream = picture_stream(file)
    if stream is None:
        raise MediaError(Reason.NO_VIDEO, f"{path.name}: has no picture")
    only(file, stream)
    return stream


def _delay(path: Path) -> int:
    """How much later frames are numbered than they are shown, as the first packet tells."""
    with open_guarded(path) as file:
        packets = file.demux(_picture(path, file))
        first = next((packet for packet in packets if packet.size), None)
    if first is None or first.pts is None or first.dts is None:
        return 0
    return first.pts - first.dts
