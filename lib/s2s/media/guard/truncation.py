"""Whether a file was cut off: what its container says of its length, against what is there."""

import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from s2s.media.guard.containers import VIDEOS, family_of

__all__ = ["kind_of", "was_cut_off"]

_HEAD_BYTES = 512
_MOST_BOXES = 10_000
_SEGMENT = b"\x18\x53\x80\x67"


def kind_of(path: Path) -> str:
    """What a video's first bytes say that it is, as an extension; empty for other files."""
    family = family_of(path, VIDEOS)
    return family.usual[0] if family else ""


def was_cut_off(path: Path) -> bool:
    """Whether a file ends before its container says; False where a container says nothing."""
    look = _LOOKS.get(kind_of(path))
    if look is None:
        return False
    with path.open("rb") as file:
        try:
            return look(file, os.fstat(file.fileno()).st_size)
        except (struct.error, IndexError):  # it ends in the middle of a number
            return True


def _mp4(file: BinaryIO, size: int) -> bool:
    """Boxes, one of which tells of all frames (ISO/IEC 14496-12, section 4.2)."""
    at, has_index = 0, False
    for _ in range(_MOST_BOXES):
        if at >= size:
            break
        file.seek(at)
        length, name = struct.unpack(">I4s", file.read(8))
        header = 8
        if length == 1:
            (length,), header = struct.unpack(">Q", file.read(8)), 16
        elif length == 0:  # to the end of the file
            length = size - at
        if length < header:
            return False  # damaged, not cut
        has_index = has_index or name == b"moov"
        at += length
    return at > size or not has_index


def _matroska(file: BinaryIO, size: int) -> bool:
    """A header, and one segment (RFC 8794, section 6; RFC 9559, section 5.1)."""
    head = file.read(_HEAD_BYTES)
    header, width = _varint(head[4:])
    at = 4 + width + (header or 0)
    file.seek(at)
    head = file.read(12)
    if len(head) < 5:
        return True
    if head[:4] != _SEGMENT:
        return False
    length, width = _varint(head[4:])
    return length is not None and at + 4 + width + length > size


def _varint(data: bytes) -> tuple[int | None, int]:
    """A number of EBML, None where it is unknown; and how many bytes it takes."""
    width = 9 - data[0].bit_length()
    if width > len(data) or not data[0]:
        raise IndexError(width)
    value = int.from_bytes(data[:width], "big") - (1 << 7 * width)
    return (None if value == (1 << 7 * width) - 1 else value), width


def _avi(file: BinaryIO, size: int) -> bool:
    _, length = struct.unpack("<4sI", file.read(8))
    return 8 + length > size


def _asf(file: BinaryIO, size: int) -> bool:
    _, length = struct.unpack("<16sQ", file.read(24))
    return length >= size  # the header alone


_LOOKS: dict[str, Callable[[BinaryIO, int], bool]] = {
    "mp4": _mp4,
    "webm": _matroska,
    "avi": _avi,
    "wmv": _asf,
}
