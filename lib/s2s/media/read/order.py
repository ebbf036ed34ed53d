"""Decoded frames in the order in which they are shown, each with its time stamp."""

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush

from av import VideoFrame
from av.container import InputContainer
from av.video.stream import VideoStream

__all__ = ["MOST_HELD", "frames_in_order", "has_stored_order", "in_order"]

MOST_HELD = 16
"""How many frames are held back to sort their time stamps: more than any codec holds back."""


def has_stored_order(file: InputContainer, stream: VideoStream) -> bool:
    """Whether time stamps of packets are those of their frames.

    AVI has none: packets are numbered in the order in which they are stored, and where a codec
    stores frames in another order than it shows them, each gets the number of another one.
    """
    return file.format.name != "avi" or not stream.codec_context.has_b_frames


def frames_in_order(file: InputContainer, stream: VideoStream) -> Iterator[tuple[int, VideoFrame]]:
    """Decode a picture from its first keyframe on; time stamps are in its time base."""
    frames = _decoded(file, stream)
    if has_stored_order(file, stream):
        return ((frame.pts or 0, frame) for frame in frames)
    return in_order(frames)


def in_order(frames: Iterable[VideoFrame]) -> Iterator[tuple[int, VideoFrame]]:
    """Sort time stamps; frames come from a decoder in the order in which they are shown."""
    held: list[VideoFrame] = []
    times: list[int] = []
    for frame in frames:
        held.append(frame)
        heappush(times, frame.pts or 0)
        if len(held) > MOST_HELD:
            yield heappop(times), held.pop(0)
    while held:
        yield heappop(times), held.pop(0)


def _decoded(file: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    has_begun = False
    for packet in file.demux(stream):
        # What comes before refers to frames that were never recorded.
        has_begun = has_begun or packet.is_keyframe or not packet.size
        if has_begun:
            yield from (frame for frame in packet.decode() if frame.pts is not None)
