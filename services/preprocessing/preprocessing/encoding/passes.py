"""One ffmpeg pass: a stretch of a source is decoded once, for all clips in it and all their files.

All files are exact: frame k is the one on screen k / fps after the asked start, and sample 0 of
the sound is the asked start. The sound is as long as the picture.
"""

from collections.abc import Sequence

from preprocessing.encoding.damage import MAX_DAMAGE
from preprocessing.encoding.outputs import output_args, shape_filters
from preprocessing.encoding.stretch import Stretch
from preprocessing.plan import Cut, Footage
from s2s.media import input_args, run_ffmpeg
from s2s.media.interlaced import DEINTERLACE

__all__ = ["run_pass"]

# Time stamps are rounded when they go from one time base to another.
_ROUNDING_S = 0.002
# The frame after a clip's last, to know how long that is on screen, begins about then.
_AFTER_S = 0.1


def run_pass(footage: Footage, cuts: Sequence[Cut]) -> bool:
    """Write the pictures of clips that lie close together, with the sounds that are there.

    For each, an mp4: H.264 at a constant rate, square pixels, 4:2:0 with 8 bits in standard
    dynamic range; AAC, mono, at the rate of the wav. The poster, where it is asked for: JPEG.

    Args:
        footage: what they are cut from.
        cuts: the clips; their wavs are written.

    Returns:
        whether nothing of the source seemed damaged.

    Raises:
        MediaError: `corrupt` if ffmpeg fails, `timeout` if it takes too long.
    """
    recipe, stretch, fps = footage.recipe, footage.stretch, footage.recipe.spec.fps
    first_s = _seek_s(stretch, _begins_s(stretch, min(cut.start_s for cut in cuts)))
    last_s = max(cut.start_s + cut.n_frames / fps for cut in cuts) + _AFTER_S
    # Without -ss nothing of the beginning can be lost.
    seek = ["-ss", f"{first_s:.6f}"] if first_s > 0 else []
    # One thread each: sources are what is worked on in parallel.
    args = [
        *["-max_error_rate", str(MAX_DAMAGE)],
        *["-filter_threads", "1", "-filter_complex_threads", "1"],
        *input_args(footage.path, "-threads", "1", *seek, "-t", f"{last_s - first_s:.6f}"),
    ]
    for cut in cuts:
        args += input_args(cut.files.sound)
    picture, copies = footage.span.picture, "".join(f"[v{at}]" for at in range(len(cuts)))
    fields = f"{DEINTERLACE}," if footage.span.is_interlaced else ""
    chains, outputs = [f"[0:{picture}]{fields}split={len(cuts)}{copies}"], []
    for at, cut in enumerate(cuts):
        steps = [*_time_filters(footage, cut, first_s), *shape_filters(footage.span, recipe)]
        more, files = output_args(at, cut, recipe)
        chains += [f"[v{at}]{','.join(steps)}{more[0]}", *more[1:]]
        outputs += files
    return not run_ffmpeg(
        [*args, "-filter_complex", ";".join(chains), *outputs], name=cuts[0].files.clip_id
    )


def _seek_s(stretch: Stretch, begins_s: float) -> float:
    """Where to seek to for a frame: before any keyframe that is stored early, but shown after it.

    Seeking goes by the order in which packets are stored.
    """
    stored_s = [
        stretch.seconds(packet.dts) - _ROUNDING_S
        for packet in stretch.packets
        if packet.is_key and stretch.seconds(packet.pts) > begins_s + 2 * _ROUNDING_S
    ]
    return max(0.0, min([begins_s, *stored_s]))


def _begins_s(stretch: Stretch, start_s: float) -> float:
    """When the frame that is on screen at an instant begins, or a little before; at least 0."""
    return max(0.0, min(start_s, stretch.seconds(stretch.shown_at(start_s))) - _ROUNDING_S)


def _time_filters(footage: Footage, cut: Cut, first_s: float) -> list[str]:
    fps, start_s = footage.recipe.spec.fps, cut.start_s - first_s
    end_s = start_s + cut.n_frames / fps + _AFTER_S
    return [
        f"trim=start={_begins_s(footage.stretch, cut.start_s) - first_s:.6f}:end={end_s:.6f}",
        f"fps={fps}:start_time={start_s:.6f}",
        "setpts=PTS-STARTPTS",
        # The last frame may be on screen for long.
        f"tpad=stop={cut.n_frames}:stop_mode=clone",
        f"trim=end_frame={cut.n_frames}",
    ]
