"""Packets of a picture, listed without decoding; and of its frames, only those that are wanted.

Only the groups of pictures that hold a wanted frame are decoded, each up to its last wanted one,
and frames that no other refers to are passed over. What comes out is the same as after decoding
everything.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from av import Packet, VideoFrame
from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from s2s.errors import MediaError
from s2s.media.read.order import MOST_HELD, has_stored_order, in_order
from s2s.media.read.recovery import begins_whole, leads_whole
from s2s.reasons import Reason

__all__ = ["Listed", "can_seek", "decode_listed", "list_packets"]

# Where seeking leads to the same packets, with the same time stamps, as reading from the start.
# MPEG programme streams stamp only some packets: after seeking, the others get other stamps.
_SEEKABLE = {"mov", "matroska", "avi", "mpegts", "flv", "asf", "ogg", "nut"}

# Decoders that pass over the very packet that they are told to. dav1d, of AV1, works on packets
# later than it gets them, and passes over others.
_PASS_OVER = {"h264", "hevc", "mpeg1video", "mpeg2video", "mpeg4", "vp9"}

# Seeking may lead behind the packet that is asked for: then it is looked for from further back.
_RUN_UPS_S = (0.0, 1.0, 10.0, 1e6)


@dataclass(frozen=True)
class Listed:
    """A packet: its time stamps, whether decoding can start with it and it is shown; itself."""

    pts: int
    dts: int
    is_key: bool
    is_shown: bool
    packet: Packet | None


def can_seek(file: InputContainer) -> bool:
    """Whether seeking in a file can be relied on."""
    return file.format.name.partition(",")[0] in _SEEKABLE


def list_packets(
    file: InputContainer,
    stream: VideoStream,
    until: int | None = None,
    *,
    keep: bool = False,
    any_key: bool = False,
) -> list[Listed]:
    """Packets in the order in which they are decoded, from the next whole keyframe on.

    What comes before refers to frames that are not there, and so does what is shown before it,
    but where a codec says that it does not.

    Args:
        file: the open file.
        stream: its picture.
        until: the time stamp behind which nothing is wanted; None for all.
        keep: keep the packets themselves.
        any_key: begin with any keyframe, also one from which pictures become whole only later.

    Raises:
        MediaError: `corrupt` if most packets do not say when their frames are shown.
    """
    packets: list[Listed] = []
    n_stamped = n_unknown = n_after = 0
    for packet in file.demux(stream):
        if not packet.size:
            continue
        if packet.pts is None and packet.dts is None:
            n_unknown += 1
            continue
        n_stamped += 1
        pts = packet.pts if packet.pts is not None else packet.dts or 0
        dts = packet.dts if packet.dts is not None else pts
        is_key = packet.is_keyframe and (any_key or begins_whole(packet, stream))
        leads = bool(packets) and pts < packets[0].pts
        if (packets or is_key) and (not leads or leads_whole(packet, stream)):
            kept = packet if keep else None
            packets.append(Listed(pts, dts, is_key, not packet.is_discard, kept))
        n_after += until is not None and pts > until
        # Matroska does not tell when packets are decoded: a frame that is shown before may follow.
        if until is not None and (dts > until if packet.dts is not None else n_after > MOST_HELD):
            break
    if n_unknown > n_stamped:
        message = "most of its packets do not say when their frames are shown; convert it to mp4"
        raise MediaError(Reason.CORRUPT, f"{Path(file.name).name}: {message}")
    return packets


def decode_listed(
    file: InputContainer,
    stream: VideoStream,
    packets: Sequence[Listed],
    wanted: Sequence[int],
    *,
    spare_damage: bool = False,
) -> Iterator[tuple[int, VideoFrame]]:
    """Decode the frames of some time stamps, in order.

    Args:
        file: the open file.
        stream: its picture; it should decode in one thread.
        packets: as listed; those that were not kept are read again, from a file that was just
            opened where it cannot seek.
        wanted: time stamps of frames.
        spare_damage: leave out what cannot be decoded, and go on.

    Yields:
        time stamp and frame.
    """
    places = {packet.pts: at for at, packet in enumerate(packets)}
    keys = [at for at, packet in enumerate(packets) if packet.is_key] or [0]
    chosen = set(wanted)
    is_ordered = has_stored_order(file, stream)
    for first, last in _runs([places[time] for time in wanted], packets, keys, is_ordered):
        frames = _decode_run(
            file, stream, packets[first : last + 1], chosen if is_ordered else None, spare_damage
        )
        pairs = ((frame.pts or 0, frame) for frame in frames) if is_ordered else in_order(frames)
        yield from ((pts, frame) for pts, frame in pairs if pts in chosen)


def _decode_run(
    file: InputContainer,
    stream: VideoStream,
    run: Sequence[Listed],
    chosen: set[int] | None,
    spare_damage: bool,
) -> Iterator[VideoFrame]:
    context = stream.codec_context
    chosen = chosen if context.name in _PASS_OVER else None
    for pts, packet in (*_packets(file, stream, run), (None, None)):
        needs_all = chosen is None or packet is None or pts in chosen
        context.skip_frame = "DEFAULT" if needs_all else "NONREF"
        try:
            frames = context.decode(packet)
        except FFmpegError:
            if not spare_damage:
                raise
            continue
        yield from (frame for frame in frames if frame.pts is not None)
    context.flush_buffers()


def _packets(
    file: InputContainer, stream: VideoStream, run: Sequence[Listed]
) -> Iterator[tuple[int | None, Packet | None]]:
    """Packets of a run: those that were kept, else read again."""
    if run[0].packet is not None:
        yield from ((listed.pts, listed.packet) for listed in run)
        return
    for run_up_s in _RUN_UPS_S if can_seek(file) else (None,):
        has_begun = False
        if run_up_s is not None:
            early = round(run_up_s / (stream.time_base or 1))
            file.seek(min(run[0].pts, run[0].dts) - early, stream=stream)
        for packet in file.demux(stream):
            pts = packet.pts if packet.pts is not None else packet.dts or 0
            has_begun = has_begun or pts == run[0].pts
            if not has_begun and packet.is_keyframe and pts > run[0].pts and run_up_s is not None:
                break
            if packet.size and has_begun:
                yield pts, packet
            if has_begun and pts == run[-1].pts:
                return
        if has_begun:
            return


def _runs(
    places: Sequence[int], packets: Sequence[Listed], keys: Sequence[int], is_ordered: bool
) -> list[tuple[int, int]]:
    """First and last packets of the stretches that have to be decoded, in order."""
    spans: list[tuple[int, int]] = []
    for place in places:
        # Where packets are numbered as they are stored, neighbours are decoded too, to be sorted.
        early = place if is_ordered else max(0, place - MOST_HELD)
        late = place if is_ordered else min(len(packets) - 1, place + MOST_HELD)
        at = max(0, bisect_right(keys, early) - 1)
        if packets[early].pts < packets[keys[at]].pts and at:
            at -= 1  # it shows before its keyframe, and looks behind it
        spans.append((keys[at], late))
    runs: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if runs and first <= runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], max(runs[-1][1], last))
        else:
            runs.append((first, last))
    return runs
