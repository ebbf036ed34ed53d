"""What a still picture's own headers say of it, before anything of it is decoded."""

import mmap
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["PictureHead", "read_head"]

_JPEG, _PNG, _WEBP = b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"WEBP"
# Of a JPEG: headers of the frame, of a scan, and the end. In a scan's data, a zero follows each
# byte of 255, so that the last two are never in it.
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SCAN, _END, _JPEG_ENDS = 0xDA, 0xD9, b"\xff\xd9"
_WITHOUT_DATA = {0x00, 0x01, *range(0xD0, 0xD9)}
# With its length, which goes with its number of colours: what telephones write behind a picture,
# such as a short video, has the marker alone by chance.
_SCANS = re.compile(rb"\xff\xda\x00(\x08\x01|\x0a\x02|\x0c\x03|\x0e\x04)")
# Of a PNG: its last chunk, which is empty; and how many are read in front of the pixels.
_PNG_ENDS, _MOST_CHUNKS = b"\0\0\0\0IEND", 10_000
# Of an extended WebP: the flag that there are several pictures.
_ANIMATION = 0x02


@dataclass(frozen=True)
class PictureHead:
    """What a picture says of itself.

    Attributes:
        width: pixels; 0 if it does not say.
        height: pixels; 0 if it does not say.
        is_animated: whether there are several pictures.
        is_cut_off: whether it ends before it says that it does. What follows its end is no matter.
        n_scans: how often a JPEG goes over its pixels; 0 of other pictures.
    """

    width: int = 0
    height: int = 0
    is_animated: bool = False
    is_cut_off: bool = False
    n_scans: int = 0


def read_head(path: Path) -> PictureHead:
    """Read what a JPEG, a PNG or a WebP says of itself; of other files, nothing is known."""
    with path.open("rb") as file:
        begins = file.read(12)
        read = _reader_of(begins)
        if read is None:
            return PictureHead()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            try:
                return read(data)
            except (struct.error, IndexError):  # it ends in the middle of a number
                return PictureHead(is_cut_off=True)


def _reader_of(begins: bytes) -> Callable[[mmap.mmap], PictureHead] | None:
    if begins.startswith(_JPEG):
        return _jpeg
    if begins.startswith(_PNG):
        return _png
    return _webp if begins[8:] == _WEBP else None


def _jpeg(data: mmap.mmap) -> PictureHead:
    """Segments up to the first scan (ITU-T T.81, annex B); a smaller picture may be in one."""
    width, height, pixels_at = 0, 0, len(data)
    for kind, at in _segments(data):
        if kind in _FRAMES and not width:
            height, width = struct.unpack(">HH", data[at + 3 : at + 7])
        if kind in {_SCAN, _END}:
            pixels_at = at - 2
            break
    is_cut_off = data.find(_JPEG_ENDS, pixels_at) < 0
    n_scans = sum(1 for _ in _SCANS.finditer(data))
    return PictureHead(width, height, is_cut_off=is_cut_off, n_scans=n_scans)


def _segments(data: mmap.mmap) -> Iterator[tuple[int, int]]:
    """Kinds of a JPEG's segments, and where the length of each is."""
    at = 2
    while (at := data.find(b"\xff", at)) >= 0:
        while data[at] == 0xFF:  # as many as the program liked
            at += 1
        kind, at = data[at], at + 1
        if kind not in _WITHOUT_DATA:
            yield kind, at
            (length,) = struct.unpack(">H", data[at : at + 2])
            at += length


def _png(data: mmap.mmap) -> PictureHead:
    """Chunks up to those of the pixels (PNG specification, third edition, sections 5 and 11)."""
    width, height = struct.unpack(">II", data[16:24])
    n_pictures, at = 1, len(_PNG)
    for _ in range(_MOST_CHUNKS):
        head = data[at : at + 8]
        if len(head) < 8 or head[4:] in {b"IDAT", b"IEND"}:
            break
        if head[4:] == b"acTL":
            (n_pictures,) = struct.unpack(">I", data[at + 8 : at + 12])
        at += 12 + int.from_bytes(head[:4], "big")
    return PictureHead(width, height, n_pictures > 1, is_cut_off=data.find(_PNG_ENDS) < 0)


def _webp(data: mmap.mmap) -> PictureHead:
    """Its length, and the first chunk (RFC 9649, sections 2.4 to 2.7, and 3.4)."""
    (length,) = struct.unpack("<I", data[4:8])
    width, height, is_animated, head = 0, 0, False, data[20:30]
    match data[12:16]:
        case b"VP8X":
            is_animated = bool(head[0] & _ANIMATION)
            width, height = (1 + int.from_bytes(head[k : k + 3], "little") for k in (4, 7))
        case b"VP8L":
            bits = int.from_bytes(head[1:5], "little")
            width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        case b"VP8 ":
            width, height = (side & 0x3FFF for side in struct.unpack("<HH", head[6:10]))
    # A byte that only makes the length even may be missing.
    return PictureHead(width, height, is_animated, is_cut_off=8 + length > len(data) + 1)
