"""Cutting without encoding, or with as little of it as exactness allows.

A clip may start at any frame, but packets can only be decoded from a keyframe on. `copy` takes the
packets from the keyframe before, and the mp4's edit list says where the clip starts. `smart`
encodes the frames up to the next keyframe and copies from there, so that nothing is hidden.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import numpy as np
from av import Packet, VideoCodecContext, VideoFrame
from av.container import InputContainer
from av.video.frame import PictureType
from av.video.stream import VideoStream

from preprocessing.packets.edits import limit_edits
from preprocessing.packets.h264 import add_parameter_sets, has_idr, is_avcc, to_length_prefixed
from preprocessing.packets.movie import write_movie
from s2s.media import open_guarded, picture_stream, read_span, resample, sound_stream
from s2s.media.read.order import has_stored_order

__all__ = ["CopiedSpan", "NotCopyableError", "cut_packets", "is_hdr"]

# What an mp4 holds and players of it play.
_COPYABLE = ("h264", "hevc", "vp9", "av1", "mpeg4")
# Seeking goes by decoding time: the keyframe it lands on may show after what is asked for.
_RUN_UPS_S = (0.5, 12.0, 1e9)
_MAX_PACKET_BYTES = 200_000_000
# Where frames stay for seconds, half of one is too much to be off.
_MOST_OFF_S = 0.1
# Far from the ids that encoders use, so that the source's own parameter sets stay valid.
_HEAD_ID = 31
_HDR_TRANSFERS = (16, 18)  # PQ and HLG in ITU-T H.273, table 3


class NotCopyableError(Exception):
    """The packets of a span cannot be used as they are; the message says why."""


@dataclass(frozen=True)
class CopiedSpan:
    """What was cut.

    Attributes:
        start_s: time of its first frame, in seconds from the start of the source.
        duration_s: length of its picture.
        n_encoded: frames that were encoded; the others are the source's own.
        samples: its sound, float32 (N,) at the rate that was asked for; silent without any.
    """

    start_s: float
    duration_s: float
    n_encoded: int
    samples: np.ndarray


@dataclass(frozen=True)
class _Span:
    """Packets around a clip, in decoding order; its first instant, and the first one after it."""

    packets: list[Packet]
    begin: int
    end: int


def cut_packets(
    source: Path,
    output: Path,
    span_s: tuple[float, float],
    sample_rate_hz: int,
    mode: Literal["copy", "smart"] = "copy",
) -> CopiedSpan:
    """Write an mp4 of a span, its picture copied packet by packet, its sound as mono AAC.

    The first frame is the one nearest to the asked start, and the sound starts with it.

    Args:
        source: the file.
        output: the mp4.
        span_s: asked start and end, in seconds from the start of the file.
        sample_rate_hz: rate of the sound.
        mode: what becomes of frames before the first keyframe, see this module's docstring.

    Raises:
        NotCopyableError: if the packets do not allow it; the picture has to be encoded.
        MediaError: if the source cannot be read.
    """
    with open_guarded(source) as file:
        stream = _copyable_stream(file)
        origin_s = (file.start_time or 0) / av.time_base
        span = _find_span(file, stream, (origin_s + span_s[0], origin_s + span_s[1]))
        tick_s = float(_time_base(stream))
        start_s = span.begin * tick_s - origin_s
        duration_s = (span.end - span.begin) * tick_s
        has_sound = sound_stream(file) is not None
        samples = _sound(source, has_sound, start_s, duration_s, sample_rate_hz)
        if mode == "smart":
            extradata, packets, n_encoded = _smart(stream, span)
        else:
            extradata, packets, n_encoded = None, _from_keyframe(span), 0
        write_movie(
            output, stream, extradata, _shifted(packets, span.begin), (samples, sample_rate_hz)
        )
    limit_edits(output, duration_s)
    return CopiedSpan(start_s, duration_s, n_encoded, samples)


def is_hdr(stream: VideoStream) -> bool:
    """Whether a picture says that it has a high dynamic range."""
    return stream.codec_context.color_trc in _HDR_TRANSFERS


def _copyable_stream(file: InputContainer) -> VideoStream:
    stream = picture_stream(file)
    if stream is None:
        raise NotCopyableError("it has no picture")
    if not has_stored_order(file, stream):
        raise NotCopyableError("its packets do not tell when their frames are shown")
    context = stream.codec_context
    if context.name not in _COPYABLE and context.codec.canonical_name not in _COPYABLE:
        raise NotCopyableError(f"its picture is {context.name}, which an mp4 does not hold")
    if is_hdr(stream):
        raise NotCopyableError("its picture has a high dynamic range")
    if context.pix_fmt not in ("yuv420p", "yuvj420p"):
        raise NotCopyableError(f"its picture is {context.pix_fmt}, which few programs play")
    return stream


def _time_base(stream: VideoStream) -> Fraction:
    return stream.time_base or Fraction(1, av.time_base)


def _find_span(file: InputContainer, stream: VideoStream, span_s: tuple[float, float]) -> _Span:
    tick_s = float(_time_base(stream))
    start, end = (round(time_s / tick_s) for time_s in span_s)
    half_frame_s = float(1 / stream.average_rate) / 2 if stream.average_rate else 0.0
    half_frame = min(half_frame_s, _MOST_OFF_S) / tick_s
    packets: list[Packet] = []
    for run_up_s in _RUN_UPS_S:
        packets = _read_packets(file, stream, start - round(run_up_s / tick_s), end)
        if any(packet.is_keyframe and _pts(packet) <= start + half_frame for packet in packets):
            break
    else:
        raise NotCopyableError("no keyframe comes before its start")
    times = sorted(map(_pts, packets))
    begin = min(times, key=lambda time: abs(time - start))
    if abs(begin - start) > half_frame + 1:
        raise NotCopyableError("no frame begins within half a frame of its start")
    inside = [time for time in times if begin <= time < begin + end - start - half_frame]
    if not inside:
        raise NotCopyableError("no frame ends within a frame of its end")
    last = inside[-1]
    later = next((time for time in times if time > last), None)
    stop = later if later is not None else last + max(1, round(2 * half_frame))
    if abs(stop - begin - (end - start)) > 2 * half_frame + 1:
        raise NotCopyableError("no frame ends within a frame of its end")
    return _Span(packets, begin, stop)


def _read_packets(file: InputContainer, stream: VideoStream, start: int, end: int) -> list[Packet]:
    file.seek(max(start, stream.start_time or 0), stream=stream)
    packets: list[Packet] = []
    n_bytes = n_after = 0
    for packet in file.demux(stream):
        if not packet.size:
            continue
        if packet.pts is None or packet.dts is None:
            raise NotCopyableError("its packets have no time stamps")
        if packets and packet.dts <= (packets[-1].dts or 0):
            raise NotCopyableError("its time stamps do not grow")
        n_bytes += packet.size
        if n_bytes > _MAX_PACKET_BYTES:
            raise NotCopyableError("its keyframes are too far apart")
        packets.append(packet)
        # One frame after the end is needed, to know when the last one ends.
        n_after += packet.pts >= end
        if packet.dts >= end and n_after > 1:
            break
    return packets


def _from_keyframe(span: _Span) -> list[Packet]:
    """Packets from the last keyframe before the clip to its last frame."""
    first = max(
        at
        for at, packet in enumerate(span.packets)
        if packet.is_keyframe and _pts(packet) <= span.begin
    )
    return _until_end(span.packets[first:], span.end)


def _until_end(packets: Sequence[Packet], end: int) -> list[Packet]:
    last = max((at for at, packet in enumerate(packets) if _pts(packet) < end), default=-1)
    return list(packets[: last + 1])


def _smart(stream: VideoStream, span: _Span) -> tuple[bytes, list[Packet], int]:
    extradata = stream.codec_context.extradata or b""
    if stream.codec_context.name != "h264" or not is_avcc(extradata):
        raise NotCopyableError("only H.264, as an mp4 holds it, can be cut between keyframes")
    splice = _splice(span)
    tail = _until_end(span.packets[splice:], span.end) if splice is not None else []
    if tail and _pts(tail[0]) == span.begin:
        return extradata, tail, 0
    until = _pts(tail[0]) if tail else span.end
    delay = _pts(tail[0]) - (tail[0].dts or 0) if tail else 0
    head = _encode(stream, _decode(stream, span, until))
    merged = add_parameter_sets(extradata, bytes(head[0]))
    ready = []
    for packet in head:
        copied = Packet(to_length_prefixed(bytes(packet)))
        copied.pts, copied.dts = packet.pts, (packet.pts or 0) - delay
        copied.time_base, copied.is_keyframe = _time_base(stream), packet.is_keyframe
        ready.append(copied)
    return merged, [*ready, *tail], len(ready)


def _splice(span: _Span) -> int | None:
    """The first keyframe in the clip that no later packet looks or shows behind."""
    earliest = span.end
    found = None
    for at in range(len(span.packets) - 1, -1, -1):
        packet = span.packets[at]
        time = _pts(packet)
        if packet.is_keyframe and span.begin <= time < earliest and has_idr(bytes(packet)):
            found = at
        earliest = min(earliest, time)
    return found


def _decode(stream: VideoStream, span: _Span, until: int) -> Iterable[VideoFrame]:
    context = stream.codec_context
    wanted = _from_keyframe(_Span(span.packets, span.begin, until))
    for packet in (*wanted, None):
        for frame in context.decode(packet):
            if frame.pts is None or not span.begin <= frame.pts < until:
                continue
            if frame.interlaced_frame:
                raise NotCopyableError("its picture is interlaced")
            yield frame


def _encode(stream: VideoStream, frames: Iterable[VideoFrame]) -> list[Packet]:
    source = stream.codec_context
    ratio = stream.sample_aspect_ratio or Fraction(1)
    encoder = VideoCodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = source.width, source.height, source.pix_fmt
    encoder.time_base, encoder.framerate = _time_base(stream), stream.average_rate or Fraction(25)
    encoder.thread_count = 1
    encoder.color_range, encoder.colorspace = source.color_range, source.colorspace
    encoder.color_primaries, encoder.color_trc = source.color_primaries, source.color_trc
    encoder.options = {
        "preset": "ultrafast",  # a few seconds at most: speed for size
        "crf": "18",
        "x264-params": f"sps-id={_HEAD_ID}:bframes=0:sliced-threads=0:rc-lookahead=0:mbtree=0:"
        f"sar={ratio.numerator}\\:{ratio.denominator}",
    }
    packets: list[Packet] = []
    for frame in frames:
        frame.pict_type = PictureType.NONE  # the source's choice is not the encoder's
        frame.time_base = encoder.time_base
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    if not packets:
        raise NotCopyableError("the frames up to the next keyframe cannot be decoded")
    return packets


def _shifted(packets: list[Packet], begin: int) -> list[Packet]:
    for packet in packets:
        packet.pts, packet.dts = _pts(packet) - begin, (packet.dts or 0) - begin
    return packets


def _sound(
    source: Path, has_audio: bool, start_s: float, duration_s: float, rate_hz: int
) -> np.ndarray:
    n_samples = round(duration_s * rate_hz)
    if not has_audio:
        return np.zeros(n_samples, np.float32)
    samples = resample(read_span(source, start_s, duration_s), rate_hz)[:n_samples]
    return np.pad(samples, (0, n_samples - len(samples)))


def _pts(packet: Packet) -> int:
    return packet.pts or 0
