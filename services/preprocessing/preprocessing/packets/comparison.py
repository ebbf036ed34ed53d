"""Whether a clip of copied packets shows what its source shows, as PyAV decodes both.

Compared are when every frame is shown and, as small grey pictures, the first frame, the last, and
those at keyframes in between, where copying begins and where a source may go over to other
parameters.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from av.video.reformatter import VideoReformatter

from preprocessing.encoding.greys import is_same, small_grey
from preprocessing.encoding.stretch import Stretch, decode_frames, list_stretch
from preprocessing.packets.smart_cut import CopiedSpan
from s2s.errors import MediaError

__all__ = ["find_difference"]

_MOST_BETWEEN = 4
# Time stamps are rounded, in Matroska to 1 ms.
_ROUNDING_S = 0.0015


def find_difference(source: Path, video: Path, copied: CopiedSpan) -> str:
    """Say how a clip differs from its source; empty if it does not.

    Args:
        source: what it was copied from.
        video: the clip.
        copied: where it lies.
    """
    end_s = copied.start_s + copied.duration_s
    try:
        theirs = list_stretch(source, copied.start_s, end_s)
        ours = list_stretch(video, 0.0, copied.duration_s)
        expected = _shown(theirs, copied.start_s, end_s)
        found = _shown(ours, 0.0, copied.duration_s)
        if len(expected) != len(found):
            return f"{len(expected)} frames of its source are shown there, {len(found)} came out"
        late_s = [
            abs(theirs.seconds(their) - copied.start_s - ours.seconds(our))
            for their, our in zip(expected, found, strict=True)
        ]
        if max(late_s, default=0.0) > _ROUNDING_S:
            return "its frames are not shown when those of its source are"
        return _compare(
            (source, theirs, expected), (video, ours, found), _seams(theirs, copied, expected)
        )
    except MediaError as error:
        return error.message


def _shown(stretch: Stretch, start_s: float, end_s: float) -> list[int]:
    half_tick_s = stretch.tick_s / 2
    return [
        time
        for time in stretch.times
        if start_s - half_tick_s <= stretch.seconds(time) < end_s - half_tick_s
    ]


def _seams(stretch: Stretch, copied: CopiedSpan, expected: list[int]) -> list[int]:
    """Places in the clip of the frames that are compared."""
    keys = set(stretch.keys(copied.start_s, copied.start_s + copied.duration_s))
    inner = [at for at, time in enumerate(expected) if time in keys and 0 < at < len(expected) - 1]
    step = max(1, -(-len(inner) // _MOST_BETWEEN))
    return sorted({0, len(expected) - 1, *inner[::step]})


def _compare(
    theirs: tuple[Path, Stretch, list[int]],
    ours: tuple[Path, Stretch, list[int]],
    seams: list[int],
) -> str:
    expected, found = (
        _pictures(path, stretch, [times[at] for at in seams])
        for path, stretch, times in (theirs, ours)
    )
    for at in seams:
        their, our = expected.get(theirs[2][at]), found.get(ours[2][at])
        if their is None or our is None:
            return f"frame {at} cannot be decoded"
        if not is_same(their, our):
            return f"frame {at} does not show what its source does"
    return ""


def _pictures(path: Path, stretch: Stretch, times: Iterable[int]) -> dict[int, np.ndarray]:
    # Roughly: what is left out is left out on both sides.
    scaler = VideoReformatter()
    frames = decode_frames(path, stretch, times, is_rough=True)
    return {time: small_grey(frame, scaler) for time, frame in frames}
