"""Sound where its time stamps say that it is: holes are silence, and shift nothing."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError

from s2s.errors import MediaError
from s2s.media.read.mono import MonoMixer
from s2s.reasons import Reason

__all__ = ["Block", "decode_blocks", "place_blocks"]

# Time stamps are rounded, in Matroska and FLV to 1 ms; those of some recorders jump to and fro.
# Blocks that stay further off than this begin after a hole, or after an overlap.
_JITTER_S = 0.003
_LOOK_AHEAD = 5
# What is decoded before what is wanted, since codecs add what overlaps, and look so far ahead.
_RUN_UP_S = 0.2
# The first packets after seeking may miss what comes before them.
_MAX_DAMAGE, _SPARED = 0.1, 3

Block = tuple[int | None, np.ndarray]
"""The place of a block's first sample, as its time stamp says, if it has one; mono samples."""


def decode_blocks(
    path: Path, file: InputContainer, stream: AudioStream, rate_hz: int, span_s: tuple[float, float]
) -> Iterator[Block]:
    """Decode sound, block by block, from where the file stands.

    Args:
        path: the file, for messages.
        file: the open file.
        stream: its sound.
        rate_hz: the rate of the samples.
        span_s: the instant of place 0, in the stream's time, and how much after it is wanted.

    Raises:
        MediaError: `corrupt` if more than a tenth of it is damaged.
    """
    mixer, tick_s = MonoMixer(rate_hz), float(stream.time_base or 1)
    n_packets = n_damaged = 0
    for packet in file.demux(stream):
        at_s = 0.0 if packet.pts is None else packet.pts * tick_s - span_s[0]
        if at_s > span_s[1] + _RUN_UP_S:
            break
        if packet.pts is not None and packet.size and at_s < -_RUN_UP_S:
            continue
        n_packets += 1
        try:
            frames = packet.decode()
        except FFmpegError:
            n_damaged += 1
            continue
        for frame in frames:
            place = None if frame.time is None else round((frame.time - span_s[0]) * rate_hz)
            yield place, mixer.mix(frame)
    if n_damaged > max(_SPARED, _MAX_DAMAGE * n_packets):
        share = n_damaged / n_packets
        raise MediaError(Reason.CORRUPT, f"{path.name}: {share:.0%} of its sound is damaged")


def place_blocks(blocks: Sequence[Block], rate_hz: int) -> Iterator[tuple[int, np.ndarray]]:
    """Blocks with the place of their first sample, each behind the one before.

    Blocks follow one another, unless the time stamps of several say otherwise. Where they
    overlap, what came first stays.
    """
    follows = np.cumsum([0, *(len(samples) for _, samples in blocks)])
    stamped = [at for at, _ in blocks]
    known = [k for k, at in enumerate(stamped) if at is not None]
    offsets = np.array([(stamped[k] or 0) - follows[k] for k in known])
    if not known:
        return
    offset, next_known, filled = int(offsets[0]), 0, -(1 << 62)
    for k, (at, samples) in enumerate(blocks):
        if at is not None:
            ahead = int(np.median(offsets[next_known : next_known + _LOOK_AHEAD]))
            off = offsets[next_known] - offset
            tolerated = _JITTER_S * rate_hz
            if abs(off) > tolerated and abs(ahead - offset) > tolerated:
                offset = int(offsets[next_known])
            next_known += 1
        first = int(follows[k]) + offset
        skipped = max(0, filled - first)
        if skipped < len(samples):
            yield first + skipped, samples[skipped:]
            filled = first + len(samples)
