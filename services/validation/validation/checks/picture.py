"""What a clip's picture is, from one decode: length, rate, movement, brightness, a hash."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from av import VideoFrame
from av.container import InputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

from s2s.errors import MediaError
from s2s.media import open_guarded
from s2s.reasons import Reason
from validation.alike.hashes import (
    FINE_HW,
    TILES_HW,
    average_tiles,
    hash_picture,
    resize_tiles,
    trim_bars,
)
from validation.alike.shifted import hash_instants, instants_of
from validation.checks.stillness import is_still

__all__ = ["PictureFigures", "measure_picture"]

_PLANAR = {"yuv420p", "yuvj420p", "yuv422p", "yuv444p", "gray"}
_STEP_PX = 4
_LOOKED_AT_EACH_S = 0.25


@dataclass(frozen=True)
class PictureFigures:
    """What was found of a picture.

    Attributes:
        duration_s: its length, decoded.
        starts_s: when its first frame is shown.
        sound_starts_s: when the file's own sound starts; the same where it has none.
        fps: frames a second.
        width: pixels.
        height: pixels.
        brightness: average of the brightest frame, 0..255.
        motion: most that a pixel ever differs from its first value, 0..255.
        hash: perceptual hashes, 64 hexadecimal digits each (see `validation.alike.hashes`).
        moment_hashes: the same of what is seen around each moment (see `validation.alike.shifted`).
        is_still: whether nothing in it moves of its own (see `validation.checks.stillness`).
    """

    duration_s: float
    starts_s: float
    sound_starts_s: float
    fps: float
    width: int
    height: int
    brightness: float
    motion: float
    hash: str
    moment_hashes: tuple[str, ...] = ()
    is_still: bool = False


def measure_picture(path: Path, moments_s: Sequence[float] = ()) -> PictureFigures:
    """Decode a clip's picture from its first frame to its last.

    Args:
        path: the clip.
        moments_s: moments of its sound.

    Raises:
        MediaError: `no_video` without a picture, `corrupt` if a frame is damaged or missing.
    """
    with open_guarded(path) as file:
        if not file.streams.video:
            raise MediaError(Reason.NO_VIDEO, f"{path.name}: has no picture")
        stream = file.streams.video[0]
        fps = float(stream.average_rate or 0)
        seen = _Seen(max(1, round(fps * _LOOKED_AT_EACH_S)), instants_of(moments_s))
        for frame in _frames(file, stream, path.name):
            seen.add(frame, 1 / fps if fps else 0.0)
        tiles = np.stack(seen.tiles)
        box = (slice(None), *trim_bars(tiles))
        starts_s = float((stream.start_time or 0) * (stream.time_base or 0))
        return PictureFigures(
            duration_s=round(seen.end_s, 6),
            starts_s=round(starts_s, 6),
            sound_starts_s=round(_sound_starts_s(file, starts_s), 6),
            fps=round(fps, 3),
            width=stream.codec_context.width,
            height=stream.codec_context.height,
            brightness=round(seen.brightness, 2),
            motion=seen.motion,
            hash=hash_picture(tiles[box]),
            moment_hashes=hash_instants(seen.tiles_at(box[1:]), moments_s),
            is_still=is_still(tiles[box]),
        )


def _frames(file: InputContainer, stream: VideoStream, name: str) -> Iterator[VideoFrame]:
    """All frames of a picture, none of them damaged, none missing at the end."""
    n_frames = n_hidden = 0
    for packet in file.demux(stream):
        n_hidden += packet.is_discard  # before the clip's start, says its edit list
        for frame in packet.decode():
            if frame.is_corrupt:
                raise MediaError(
                    Reason.CORRUPT, f"{name}: frame {n_frames} of its picture is damaged"
                )
            n_frames += 1
            yield frame
    if not n_frames or n_frames < stream.frames - n_hidden:
        raise MediaError(
            Reason.CORRUPT,
            f"{name}: {n_frames} of the {stream.frames} frames of its picture are there",
        )


class _Seen:
    """What the frames so far amount to.

    Args:
        looked_at_each: every so many frames one is looked at.
        instants_s: when frames are looked at besides, in order.
    """

    def __init__(self, looked_at_each: int, instants_s: Sequence[float]) -> None:
        self.end_s, self.brightness, self.motion = 0.0, 0.0, 0.0
        self.tiles: list[NDArray[np.float32]] = []
        self._each, self._n_frames = looked_at_each, 0
        self._instants_s = instants_s
        self._at_instants: list[NDArray[np.float32]] = []
        self._first: NDArray[np.int16] | None = None

    def add(self, frame: VideoFrame, step_s: float) -> None:
        """Take one more frame into account; `step_s` is the time until the next."""
        self.end_s = max(self.end_s, (frame.time or 0.0) + step_s)
        luma = _luma(frame)
        # Every fourth pixel of every fourth row tells black and frozen pictures as well as all.
        sparse = luma[::_STEP_PX, ::_STEP_PX].astype(np.int16)
        if self._first is None or self._first.shape != sparse.shape:
            self._first = sparse
        self.brightness = max(self.brightness, float(sparse.mean()))
        self.motion = max(self.motion, float(np.abs(sparse - self._first).max()))
        if self._n_frames % self._each == 0:
            self.tiles.append(average_tiles(luma, FINE_HW))
        n_due = bisect_left(self._instants_s, self.end_s)
        if n_due > len(self._at_instants):
            tiles = average_tiles(luma, FINE_HW)
            self._at_instants += [tiles] * (n_due - len(self._at_instants))
        self._n_frames += 1

    def tiles_at(self, box: tuple[slice, slice]) -> dict[float, NDArray[np.float32]]:
        """Tiles of the frame that is shown at each instant; after the end, of the last frame."""
        n_late = len(self._instants_s) - len(self._at_instants)
        shown = [tiles[box] for tiles in self._at_instants + self.tiles[-1:] * n_late]
        large = resize_tiles(np.stack(shown), TILES_HW) if shown else ()
        return dict(zip(self._instants_s, large, strict=True))


def _luma(frame: VideoFrame) -> NDArray[np.uint8]:
    """Brightness of every pixel, (H, W); not copied where the frame holds it as it is."""
    if frame.format.name not in _PLANAR:
        return np.asarray(frame.to_ndarray(format="gray"), np.uint8)
    plane = frame.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[: frame.height, : frame.width]


def _sound_starts_s(file: InputContainer, otherwise_s: float) -> float:
    for sound in file.streams.audio:
        if sound.start_time is not None and sound.time_base is not None:
            return float(sound.start_time * sound.time_base)
    return otherwise_s
