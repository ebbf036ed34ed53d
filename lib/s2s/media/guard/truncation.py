"""Whether a file was cut off: what its container says of its length, against what is there."""

import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from s2s.errors import MediaError
from s2s.media.guard.containers import VIDEOS, family_of
from s2s.reasons import Reason

__all__ = ["cut_off", "kind_of", "tells_its_end", "was_cut_off"]

_HEAD_BYTES = 4096
_MOST_BOXES = 10_000
# The boxes of an mp4 that frames are in, or listed in.
_OF_FRAMES = {b"moov", b"mdat", b"moof"}
# Of WMV: the object that has the file's size, and where, behind the header's 30 bytes.
_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_SIZE_AT = 40
_FLV_SIZE = b"\x00\x08filesize\x00"
_SEGMENT = b"\x18\x53\x80\x67"


def kind_of(path: Path) -> str:
    """What a video's first bytes say that it is, as an extension; empty for other files."""
    family = family_of(path, VIDEOS)
    return family.usual[0] if family else ""


def cut_off(path: Path) -> MediaError:
    """What is told of a file that was cut off, wherever that is found."""
    message = "the file was cut off: its end is missing; copy or download it again"
    return MediaError(Reason.CORRUPT, f"{path.name}: {message}")


def tells_its_end(path: Path) -> bool:
    """Whether `was_cut_off` knows of a video; False where a part is as good a file as the whole."""
    return kind_of(path) in _LOOKS


def was_cut_off(path: Path) -> bool:
    """Whether a video ends before its container says; False where a container says nothing."""
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
        head = file.read(8)
        if has_index and len(head) < 8:
            return False
        length, name = struct.unpack(">I4s", head)
        header = 8
        if length == 1:
            (length,), header = struct.unpack(">Q", file.read(8)), 16
        elif length == 0:  # to the end of the file
            length = size - at
        if length < header:
            return False  # damaged, not cut
        has_index = has_index or name == b"moov"
        at += length
        if at > size and name in _OF_FRAMES:
            return True
    return not has_index


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
    """A header with the size of all (ASF specification, sections 3.1 and 3.2)."""
    _, length = struct.unpack("<16sQ", file.read(24))
    if length >= size:  # the header alone
        return True
    at = (head := file.read(_HEAD_BYTES)).find(_PROPERTIES)
    if at < 0:
        return False
    (told,) = struct.unpack("<Q", head[at + _SIZE_AT : at + _SIZE_AT + 8])
    return told > size


def _flv(file: BinaryIO, size: int) -> bool:
    """Metadata with the size of all, where the program that wrote it went back to note it."""
    _, found, behind = file.read(_HEAD_BYTES).partition(_FLV_SIZE)
    if not found:
        return False
    (told,) = struct.unpack(">d", behind[:8])
    return told > size


_LOOKS: dict[str, Callable[[BinaryIO, int], bool]] = {
    "mp4": _mp4,
    "webm": _matroska,
    "avi": _avi,
    "wmv": _asf,
    "flv": _flv,
}
