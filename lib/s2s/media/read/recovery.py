"""Whether decoding can start at a packet with whole pictures.

H.264 may be recorded without keyframes behind the first: every picture renews a strip, and what is
marked as a keyframe is where that begins. What is decoded from there is whole only many pictures
later (*gradual decoding refresh*). The message `recovery_point` tells after how many (ITU-T H.264,
D.1.8 and D.2.8).

A keyframe of H.265 or H.266 may be shown after pictures that are stored behind it. Those that refer
to nothing before it say so (*random access decodable leading*: H.265, table 7-1; H.266, table 5).
"""

import re
from collections.abc import Iterator

from av import Packet
from av.video.stream import VideoStream

__all__ = ["begins_whole", "leads_whole"]

_START_CODE = re.compile(rb"\x00\x00\x01")
_PICTURES, _SEI = range(1, 6), 6
_LEADING_WHOLE = {"hevc": (6, 7), "vvc": (2,)}
_RECOVERY_POINT = 6


def begins_whole(packet: Packet, stream: VideoStream) -> bool:
    """Whether a packet is a keyframe, and its own picture is whole."""
    if not packet.is_keyframe or stream.codec_context.name != "h264":
        return packet.is_keyframe
    return not _recovers_later(_units(bytes(packet), _length_bytes(stream)))


def leads_whole(packet: Packet, stream: VideoStream) -> bool:
    """Whether a packet that is shown before its keyframe is whole if decoding starts with that."""
    name = stream.codec_context.name
    if name not in _LEADING_WHOLE:
        return False
    units = _units(bytes(packet), _length_bytes(stream))
    # H.265 has the kind in the first byte of a unit's header, H.266 in the second.
    kinds = ((unit[0] >> 1) & 0x3F if name == "hevc" else unit[1] >> 3 for unit in units)
    return any(kind in _LEADING_WHOLE[name] for kind in kinds)


def _length_bytes(stream: VideoStream) -> int:
    """How many bytes in front of a unit say how long it is; 0 where start codes are in between."""
    extradata, name = stream.codec_context.extradata or b"", stream.codec_context.name
    if name == "vvc":  # ISO/IEC 14496-15, 11.2.4.2: in the first byte of its record
        has_lengths = len(extradata) > 6 and extradata[0] & 0xF8 == 0xF8
        return ((extradata[0] >> 1) & 3) + 1 if has_lengths else 0
    at = 21 if name == "hevc" else 4
    has_lengths = len(extradata) > max(6, at) and extradata[0] == 1
    return (extradata[at] & 3) + 1 if has_lengths else 0


def _recovers_later(units: Iterator[bytes]) -> bool:
    for unit in units:
        kind = unit[0] & 0x1F
        if kind in _PICTURES:
            return False
        if kind == _SEI and (payload := _recovery_point(unit)):
            # The number comes first, as an Exp-Golomb code: 0 is a single one.
            return not payload[0] & 0x80
    return False


def _recovery_point(unit: bytes) -> bytes:
    """The message of a unit of messages; empty if it has none."""
    at = 1
    while at + 2 < len(unit):
        kind, at = _sum_of_bytes(unit, at)
        size, at = _sum_of_bytes(unit, at)
        if kind == _RECOVERY_POINT:
            return unit[at : at + size]
        at += size
    return b""


def _sum_of_bytes(unit: bytes, at: int) -> tuple[int, int]:
    """A number that is written as bytes of 255 and a smaller one; and where that ends."""
    total = 0
    while at < len(unit):
        total += unit[at]
        at += 1
        if unit[at - 1] != 0xFF:
            break
    return total, at


def _units(packet: bytes, length_bytes: int) -> Iterator[bytes]:
    if not length_bytes:
        places = [match.end() for match in _START_CODE.finditer(packet)]
        yield from (packet[at:end] for at, end in _pairs(places, len(packet)) if end > at)
        return
    at = 0
    while at + length_bytes < len(packet):
        size = int.from_bytes(packet[at : at + length_bytes], "big")
        yield packet[at + length_bytes : at + length_bytes + size] or b"\0"
        at += length_bytes + size


def _pairs(places: list[int], end: int) -> Iterator[tuple[int, int]]:
    return zip(places, [*places[1:], end], strict=True)
