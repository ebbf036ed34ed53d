"""A clip of frames that are picked here, one by one, where ffmpeg's own choice of them is wrong.

It costs a pipe's transfer of every picture, and holds for whatever PyAV can decode.
"""

from collections.abc import Iterator

import numpy as np
from av import VideoFrame

from preprocessing.encoding.outputs import output_args, shape_filters
from preprocessing.encoding.stretch import decode_frames
from preprocessing.plan import Cut, Footage
from preprocessing.span import Span
from s2s.errors import MediaError
from s2s.media import input_args
from s2s.media.ffmpeg import feed_ffmpeg
from s2s.media.interlaced import DEINTERLACE
from s2s.media.read.orientation import Orientation, orientation_of
from s2s.reasons import Reason

__all__ = ["encode_picked"]

# What most sources are; whatever else has one plane for each component is sent as it is, too.
_COMMON = "yuv444p"


def encode_picked(footage: Footage, cut: Cut) -> None:
    """Write what `run_pass` writes, of one clip.

    Raises:
        MediaError: `corrupt` if no frame can be decoded, or ffmpeg fails.
    """
    recipe = footage.recipe
    fps, frames = recipe.spec.fps, _shown(footage, cut)
    first = next(frames, None)
    if first is None:
        raise MediaError(Reason.CORRUPT, f"{cut.files.clip_id}: no frame of it can be decoded")
    form = _pixel_format(first)
    steps = [*_as_source(first, footage.span), *shape_filters(footage.span, recipe)]
    chains, outputs = output_args(0, cut, recipe)
    size = f"{first.width}x{first.height}"
    args = [
        *["-filter_threads", "1", "-filter_complex_threads", "1"],
        *["-f", "rawvideo", "-pix_fmt", form, "-s", size, "-r", str(fps), "-i", "pipe:0"],
        *input_args(cut.files.sound),
        *["-filter_complex", ";".join([f"[0:v:0]{','.join(steps)}{chains[0]}", *chains[1:]])],
        *outputs,
    ]

    def data() -> Iterator[bytes]:
        yield _pixels(first, form, first)
        for frame in frames:
            yield _pixels(frame, form, first)

    feed_ffmpeg(args, cut.files.clip_id, data())


def _shown(footage: Footage, cut: Cut) -> Iterator[VideoFrame]:
    """The frame of each step; in place of one that is damaged the one before it."""
    fps = footage.recipe.spec.fps
    starts_s = [cut.start_s + k / fps for k in range(cut.n_frames)]
    wanted = [footage.stretch.shown_at(start_s + 0.5 / fps) for start_s in starts_s]
    decoded = decode_frames(footage.path, footage.stretch, wanted)
    _, frame = next(decoded, (0, None))
    following = next(decoded, None)
    for want in wanted:
        while following is not None and following[0] <= want:
            (_, frame), following = following, next(decoded, None)
        if frame is not None:
            yield frame


def _pixel_format(frame: VideoFrame) -> str:
    form = frame.format
    has_planes = form.is_planar and len(frame.planes) == len(form.components)
    return form.name if has_planes else _COMMON


def _pixels(frame: VideoFrame, form: str, like: VideoFrame) -> bytes:
    """A frame as raw video, in the format and size of another."""
    if (frame.format.name, frame.width, frame.height) != (form, like.width, like.height):
        frame = frame.reformat(like.width, like.height, form)
    pieces = []
    for plane, component in zip(frame.planes, frame.format.components, strict=True):
        rows = np.frombuffer(memoryview(plane), np.uint8)  # pyright: ignore[reportArgumentType]
        n_bytes = plane.width * ((component.bits + 7) // 8)
        pieces.append(rows.reshape(-1, plane.line_size)[: plane.height, :n_bytes].tobytes())
    return b"".join(pieces)


def _as_source(frame: VideoFrame, span: Span) -> list[str]:
    """Filters that say of raw pixels what their file said, and show them the way up it said."""
    ratio = f"setsar={span.pixel_ratio.numerator}/{span.pixel_ratio.denominator}"
    colours = (
        f"setparams=range={int(frame.color_range)}:colorspace={int(frame.colorspace)}:"
        f"color_trc={int(frame.color_trc)}:color_primaries={int(frame.color_primaries)}"
    )
    fields = ["setfield=tff", DEINTERLACE] if frame.interlaced_frame else []
    return [ratio, colours, *fields, *_turns(orientation_of(frame))]


def _turns(orientation: Orientation) -> list[str]:
    steps = {
        "transpose=cclock_flip": orientation.is_transposed,
        "hflip": orientation.is_mirrored,
        "vflip": orientation.is_flipped,
    }
    return [name for name, is_needed in steps.items() if is_needed]
