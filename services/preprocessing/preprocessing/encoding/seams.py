"""Whether a clip shows what its source shows: what ffmpeg cut against what PyAV decodes.

Compared are the number of frames and, as small grey pictures, the first frame, the last, and those
at keyframes in between, where seeking and joining go wrong.
"""

import math
from pathlib import Path

import numpy as np
from av.video.reformatter import VideoReformatter

from preprocessing.encoding.greys import GREY_PX, is_same, small_grey
from preprocessing.encoding.stretch import ROUNDING, Stretch, decode_frames
from preprocessing.plan import Cut, Footage
from s2s.errors import MediaError
from s2s.logs import counted
from s2s.media import open_guarded
from s2s.reasons import Reason

__all__ = ["choose_seams", "seam_error"]

_MOST_BETWEEN = 4


def choose_seams(cut: Cut, fps: float, stretch: Stretch) -> tuple[int, ...]:
    """The numbers of a clip's frames that are compared, in order."""
    keys = stretch.keys(cut.start_s, cut.start_s + cut.n_frames / fps)
    # The first step in which a keyframe is on screen for certain: the frame before it would take
    # decoding all the way there.
    between = {
        math.ceil((stretch.seconds(key) - cut.start_s) * fps - 0.5 + ROUNDING) for key in keys
    }
    between = {number for number in between if number < cut.n_frames}
    inner = sorted(between - {0, cut.n_frames - 1})
    step = max(1, -(-len(inner) // _MOST_BETWEEN))
    return tuple(sorted({0, cut.n_frames - 1, *inner[::step]}))


def seam_error(
    footage: Footage, cut: Cut, *, spare_damage: bool, is_rough: bool = False
) -> MediaError | None:
    """Say where a clip differs from its source.

    Args:
        footage: what it was cut from.
        cut: the clip; its files are written.
        spare_damage: let frames pass that cannot be decoded, and so not be compared.
        is_rough: decode the source's frames with less work, so that a difference may be none.
    """
    fps, stretch = footage.recipe.spec.fps, footage.stretch
    n_frames = _count_frames(cut.files.video)
    if n_frames != cut.n_frames:
        return _error(
            cut,
            f"{counted(cut.n_frames, 'frame was', 'frames were')} to be cut, {n_frames} came out",
        )
    seen = np.fromfile(cut.files.seams, np.uint8)
    if len(seen) != len(cut.seams) * GREY_PX**2:
        return _error(cut, "its frames could not be compared with those of its source")
    candidates = [stretch.candidates(cut.start_s + k / fps, 1 / fps) for k in cut.seams]
    scaler = VideoReformatter()
    expected = {
        time: small_grey(frame, scaler)
        for time, frame in decode_frames(
            footage.path, stretch, set().union(*candidates), is_rough=is_rough
        )
    }
    pictures = seen.reshape(-1, GREY_PX, GREY_PX)
    name, is_hdr = footage.path.name, footage.span.is_hdr
    for k, picture, times in zip(cut.seams, pictures, candidates, strict=True):
        known = [expected[time] for time in times if time in expected]
        # Where one that it may be is damaged, nothing is known of this frame.
        if spare_damage and len(known) < len(times):
            continue
        if not any(is_same(picture, one, is_hdr=is_hdr) for one in known):
            return _error(
                cut, f"it does not show what {name} does at {cut.start_s + k / fps:.2f} s"
            )
    if not expected:
        return _error(cut, f"no frame of {name} that it could be compared with is whole")
    return None


def _count_frames(video: Path) -> int:
    with open_guarded(video) as file:
        return sum(packet.size > 0 for packet in file.demux(video=0))


def _error(cut: Cut, why: str) -> MediaError:
    return MediaError(Reason.CORRUPT, f"{cut.files.clip_id}: {why}")
