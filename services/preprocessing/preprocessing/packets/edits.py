"""Edit lists of an mp4: which part of each track is played."""

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path

__all__ = ["limit_edits"]

_INSIDE = (b"moov", b"trak", b"edts")


def limit_edits(path: Path, duration_s: float) -> None:
    """Let every track of an mp4 end after a duration, however many packets it has.

    Args:
        path: the file, changed in place. Each of its tracks has an edit list, as ffmpeg's mp4
            muxer writes them.
        duration_s: how long each track's last edit plays at most.
    """
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as data:
        timescale = 1000
        for name, at in _boxes(data, 0, len(data)):
            if name == b"mvhd":
                timescale = _unsigned(data, at + (20 if data[at] else 12))
            elif name == b"elst":
                _limit(data, at, int(duration_s * timescale + 1e-6))


def _limit(data: mmap.mmap, at: int, ticks: int) -> None:
    # version and flags, the number of entries; an entry is duration, media time, rate.
    is_wide, n_entries = data[at] == 1, _unsigned(data, at + 4)
    entry = at + 8 + (n_entries - 1) * (20 if is_wide else 12)
    form = ">Q" if is_wide else ">I"
    (old,) = struct.unpack_from(form, data, entry)
    struct.pack_into(form, data, entry, min(old, ticks))


def _boxes(data: mmap.mmap, at: int, end: int) -> Iterator[tuple[bytes, int]]:
    """Names and contents' offsets of the boxes, parents before their children."""
    while at + 8 <= end:
        size, name = _unsigned(data, at), data[at + 4 : at + 8]
        head = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, at + 8)
            head = 16
        size = size or end - at
        yield name, at + head
        if name in _INSIDE:
            yield from _boxes(data, at + head, at + size)
        at += max(size, head)


def _unsigned(data: mmap.mmap, at: int) -> int:
    (value,) = struct.unpack_from(">I", data, at)
    return value
