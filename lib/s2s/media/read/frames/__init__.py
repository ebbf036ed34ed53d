"""Frames of a video on a grid of equal steps in time."""

from s2s.media.read.frames.part import Part, PartRead, write_part
from s2s.media.read.frames.picture import Cover, to_rgb
from s2s.media.read.frames.whole import (
    map_frames,
    most_bytes,
    picture_start_s,
    read_frames,
    stream_frames,
    write_frames,
)

__all__ = [
    "Cover",
    "Part",
    "PartRead",
    "map_frames",
    "most_bytes",
    "picture_start_s",
    "read_frames",
    "stream_frames",
    "to_rgb",
    "write_frames",
    "write_part",
]
