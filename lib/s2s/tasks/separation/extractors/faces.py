"""A clip's voice, and what its face shows of it: the arrays of a shard.

Legend: T pictures, N samples, D values, H height, W width.
"""

import logging
from collections.abc import Mapping, Sequence

import numpy as np

from s2s.errors import MediaError
from s2s.features.arrays import Array, ArraySpec, ClipMedia
from s2s.reasons import Reason
from s2s.spec import TimeSpec
from s2s.tasks.separation.extractors.crops import FACE_PX, MOUTH_PX, crops_of
from s2s.tasks.separation.extractors.followed import FaceTrack
from s2s.tasks.separation.extractors.lips import LIPS
from s2s.tasks.separation.extractors.simulated import simulated_lips
from s2s.tasks.separation.extractors.tracking import track_faces
from s2s.tasks.separation.settings import SeparationFeatureSettings

__all__ = ["MeshFaces", "SimulatedFaces", "choose_face"]

log = logging.getLogger(__name__)

_FACES_IN_VIEW = 8
_SHARE_SEEN = 0.5  # of the time: a face that passes by is not told
_TOLD_CLIPS = 3
_LEAST_SPEECH = 0.05


class SimulatedFaces:
    """The voice of a clip, and a lip stream that is made from it.

    Args:
        spec: rates of picture and sound.
        settings: what is stored.
    """

    def __init__(self, spec: TimeSpec, settings: SeparationFeatureSettings) -> None:
        self._spec, self._settings = spec, settings
        self.arrays = _arrays(spec, pictures=False)

    def __call__(self, clip: ClipMedia) -> Mapping[str, Array]:
        """`voice`: int16 (N,); `lips`: float16 (T, D); `seen`: bool (T,).

        Raises:
            MediaError: `no_speech` if nobody speaks in it, where that is asked for.
        """
        spec = self._spec
        if self._settings.speech_check:
            _check_speech(clip, spec.sample_rate_hz)
        name = "" if clip.listed is None else clip.listed.clip_id
        lips_TD, seen_T = simulated_lips(clip.samples_N, spec.sample_rate_hz, spec.fps, name)
        voice_N = _voice(clip.samples_N, spec.samples(len(lips_TD)))
        return {"voice": voice_N, "lips": lips_TD, "seen": seen_T}


class MeshFaces:
    """The voice of a clip, and the face that it comes from.

    Args:
        spec: rates of picture and sound.
        settings: what is stored.
    """

    def __init__(self, spec: TimeSpec, settings: SeparationFeatureSettings) -> None:
        self._spec, self._settings = spec, settings
        self.arrays = _arrays(spec, pictures=settings.pictures)
        self._told = 0

    def __call__(self, clip: ClipMedia) -> Mapping[str, Array]:
        """`voice`: int16 (N,), as long as the pictures; `lips`: float16 (T, D); `seen`: bool (T,).

        With pictures also `mouth`: uint8 (T, 88, 88), and `face`: uint8 (T, 112, 112, 3).

        Raises:
            MediaError: `no_face` if there is no face, or none where the catalog says that one is;
                `face_lost` if it is not seen for longer than may be; `no_speech` if nobody speaks,
                where that is asked for.
        """
        spec, settings = self._spec, self._settings
        if settings.speech_check:
            _check_speech(clip, spec.sample_rate_hz)
        tracks = track_faces(
            clip.frames_THWC, spec.fps, _FACES_IN_VIEW, settings.max_gap_s, comes_back=False
        )
        height, width = clip.frames_THWC.shape[1:3]
        face_xy = None if clip.listed is None else clip.listed.face_xy
        track = choose_face(tracks, face_xy, (width, height))
        if clip.listed is not None and face_xy is None:
            self._tell_of_others(clip.listed.clip_id, tracks)
        _check_gaps(track.seen_T, spec.fps, settings.max_gap_s)
        voice_N = _voice(clip.samples_N, spec.samples(len(track.seen_T)))
        given = {"voice": voice_N, "lips": track.lips_TD, "seen": track.seen_T}
        if settings.pictures:
            mouths, faces = crops_of(clip.frames_THWC, track)
            given |= {"mouth": mouths, "face": faces}
        return given

    def _tell_of_others(self, clip_id: str, tracks: Sequence[FaceTrack]) -> None:
        """Say of the first few clips that they show several faces, where no catalog chooses one."""
        count = sum(bool(track.seen_T.mean() >= _SHARE_SEEN) for track in tracks)
        if count < 2 or self._told == _TOLD_CLIPS:
            return
        self._told += 1
        more = "; further clips like it are not told" if self._told == _TOLD_CLIPS else ""
        log.warning(
            "%s shows %d faces: all that is heard in it counts as the voice of the one seen "
            "longest, or is the largest; leave it out if others talk%s",
            *(clip_id, count, more),
        )


def choose_face(
    tracks: Sequence[FaceTrack], face_xy: tuple[float, float] | None, size: tuple[int, int]
) -> FaceTrack:
    """The face that a clip is about.

    Args:
        tracks: faces that are in it.
        face_xy: where the catalog says that it is, as fractions of the picture: it is the face
            whose box mostly holds that. None for the one that is seen longest; of several, the
            largest.
        size: width and height of the picture, in pixels.

    Raises:
        MediaError: `no_face` if there is none.
    """
    if not tracks:
        raise MediaError(
            Reason.NO_FACE,
            "no face was found in the picture: choose clips that show the talker from the front, "
            "24 pixels across at least",
        )
    if face_xy is None:
        return max(tracks, key=lambda track: (track.seen_T.mean().round(1), track.side))
    x, y = face_xy[0] * size[0], face_xy[1] * size[1]
    held = [(_share_that_holds(track, x, y), -n) for n, track in enumerate(tracks)]
    share, place = max(held)
    if share == 0:
        raise MediaError(
            Reason.NO_FACE,
            f"no face was found around ({face_xy[0]:.3f}, {face_xy[1]:.3f}), where the catalog "
            f"says that it is; {len(tracks)} elsewhere",
        )
    return tracks[-place]


def _share_that_holds(track: FaceTrack, x: float, y: float) -> float:
    """The share of the time in which a face's box, which the chin ends, holds a point."""
    left, top, right, bottom = track.boxes_T4.T
    # The mesh ends at the eyebrows' height or a little above; catalogs give the middle of a head.
    top = top - 0.25 * (bottom - top)
    with np.errstate(invalid="ignore"):
        return float(((left <= x) & (x <= right) & (top <= y) & (y <= bottom)).mean())


def _check_gaps(seen_T: np.ndarray, fps: int, max_gap_s: float) -> None:
    edges = np.flatnonzero(np.diff(np.concatenate([[True], seen_T, [True]]).astype(np.int8)))
    gaps = [(stop - first, first) for first, stop in zip(edges[::2], edges[1::2], strict=True)]
    length, first = max(gaps, default=(0, 0))
    if length > max_gap_s * fps:
        raise MediaError(
            Reason.FACE_LOST,
            f"the face is not seen for {length / fps:.2f} s from second {first / fps:.2f} on "
            f"(feature_extraction.max_gap_s is {max_gap_s:g}): it left, turned away, or the shot "
            "was cut",
        )


def _check_speech(clip: ClipMedia, sample_rate_hz: int) -> None:
    from s2s.tasks.separation.extractors.speech import speech_share  # noqa: PLC0415 - torch

    share = speech_share(clip.samples_N, sample_rate_hz)
    if share < _LEAST_SPEECH:
        raise MediaError(
            Reason.NO_SPEECH,
            f"speech was heard in {share:.0%} of the clip: leave it out, or set "
            "feature_extraction.speech_check to false",
        )


def _voice(samples_N: np.ndarray, length: int) -> np.ndarray:
    """So many samples, int16: what is missing is silence."""
    kept_N = np.clip(samples_N[:length], -1, 1) * np.float32(32767)
    return np.pad(kept_N.round().astype(np.int16), (0, length - len(kept_N)))


def _arrays(spec: TimeSpec, *, pictures: bool) -> tuple[ArraySpec, ...]:
    arrays = (
        ArraySpec(name="voice", dtype="int16", rate_hz=spec.sample_rate_hz),
        ArraySpec(name="lips", shape=(LIPS,), dtype="float16", rate_hz=spec.fps),
        ArraySpec(name="seen", dtype="bool", rate_hz=spec.fps),
    )
    if not pictures:
        return arrays
    return (
        *arrays,
        ArraySpec(name="mouth", shape=(MOUTH_PX, MOUTH_PX), dtype="uint8", rate_hz=spec.fps),
        ArraySpec(name="face", shape=(FACE_PX, FACE_PX, 3), dtype="uint8", rate_hz=spec.fps),
    )
