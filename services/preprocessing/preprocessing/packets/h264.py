"""As much of H.264's byte stream as joining two encodings in one track takes.

An mp4 keeps parameter sets apart from the pictures, in its `avcC` record (ISO/IEC 14496-15,
5.3.3.1), and says the length before each unit, where an encoder writes start codes.
"""

import re
from collections.abc import Iterator

__all__ = ["add_parameter_sets", "has_idr", "is_avcc", "to_length_prefixed"]

_START_CODE = re.compile(rb"\x00\x00\x00?\x01")
_IDR, _SEI, _SPS, _PPS, _DELIMITER = 5, 6, 7, 8, 9
_LENGTH_BYTES = 4


def is_avcc(extradata: bytes) -> bool:
    """Whether a stream's extra data is such a record, with lengths of four bytes."""
    return len(extradata) > 6 and extradata[0] == 1 and extradata[4] & 3 == _LENGTH_BYTES - 1


def has_idr(packet: bytes) -> bool:
    """Whether a packet with lengths holds a picture that nothing after it looks behind."""
    at = 0
    while at + _LENGTH_BYTES < len(packet):
        size = int.from_bytes(packet[at : at + _LENGTH_BYTES], "big")
        if packet[at + _LENGTH_BYTES] & 0x1F == _IDR:
            return True
        at += _LENGTH_BYTES + size
    return False


def to_length_prefixed(packet: bytes) -> bytes:
    """Pictures of a packet with start codes, with lengths instead; parameter sets are left out."""
    return b"".join(
        len(unit).to_bytes(_LENGTH_BYTES, "big") + unit
        for unit in _units(packet)
        if unit[0] & 0x1F not in (_SEI, _SPS, _PPS, _DELIMITER)
    )


def add_parameter_sets(avcc: bytes, packet: bytes) -> bytes:
    """An `avcC` record with the parameter sets of another encoding's first packet besides.

    Args:
        avcc: the record.
        packet: with start codes.
    """
    own_sps, at = _sets(avcc, 6, avcc[5] & 0x1F)
    own_pps, rest = _sets(avcc, at + 1, avcc[at])
    sps = [unit for unit in _units(packet) if unit[0] & 0x1F == _SPS]
    pps = [unit for unit in _units(packet) if unit[0] & 0x1F == _PPS]
    n_sps, n_pps = (avcc[5] & 0x1F) + len(sps), avcc[at] + len(pps)
    head = avcc[:5] + bytes([0xE0 | n_sps])
    return head + own_sps + _joined(sps) + bytes([n_pps]) + own_pps + _joined(pps) + avcc[rest:]


def _sets(avcc: bytes, at: int, count: int) -> tuple[bytes, int]:
    first = at
    for _ in range(count):
        at += 2 + int.from_bytes(avcc[at : at + 2], "big")
    return avcc[first:at], at


def _joined(units: list[bytes]) -> bytes:
    return b"".join(len(unit).to_bytes(2, "big") + unit for unit in units)


def _units(packet: bytes) -> Iterator[bytes]:
    starts = list(_START_CODE.finditer(packet))
    ends = [match.start() for match in starts[1:]] + [len(packet)]
    for match, end in zip(starts, ends, strict=True):
        if end > match.end():
            yield packet[match.end() : end]
