"""Every face of a video, followed from picture to picture.

Faces are detected now and then, and followed by the mesh in between, which costs a tenth. A face
that goes away and comes back is the same one if it looks the same, or is in the same place soon
after. A face is not followed over a shot cut: what is there afterwards is found anew.

Legend: H height, W width.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
from PIL import Image

from s2s.tasks.separation.extractors.detector import FaceDetector, overlap
from s2s.tasks.separation.extractors.followed import FaceTrack, Followed, look_of
from s2s.tasks.separation.extractors.mesh import (
    FaceMesh,
    Mesh,
    region_of_detection,
    region_of_points,
)

__all__ = ["MAX_GAP_S", "FaceTracker", "track_faces"]

MAX_GAP_S = 0.5
"""A face that is not found for longer is away."""
_DETECT_S, _DETECT_SOON_S = 0.4, 0.12
_LEAST_PX = 24
"""The mesh says nothing of lips in smaller faces."""
_LEAST_SEEN_S = 0.3
_SAME_PLACE, _CROWDED = 0.25, 0.5
_SAME_PLACE_S = 3.0
_SAME_LOOK, _OTHER_LOOK = 0.85, 0.3
_MOST_GROWTH = 1.4
_CUT, _CUT_TIMES = 18.0, 4.0
_THUMBNAIL = 24


class FaceTracker:
    """Follows the faces of one video; given its pictures in their order.

    Args:
        fps: pictures a second.
        limit: faces that are followed; those that come first, and the surest of them.
        max_gap_s: a face that is not found for longer is away.
        comes_back: whether a face that was away, or before a shot cut, can be the same one.

    Attributes:
        left_out: faces beyond the limit, as many as were in one picture.

    Raises:
        ModelError: if the networks are not installed.
    """

    def __init__(
        self,
        fps: float,
        limit: int = 8,
        max_gap_s: float = MAX_GAP_S,
        *,
        comes_back: bool = True,
    ) -> None:
        self._fps, self._limit, self._comes_back = fps, limit, comes_back
        self._most_gap = round(max_gap_s * fps)
        self._detector, self._mesh = _networks()
        self._live: list[Followed] = []
        self._gone: list[Followed] = []
        self._at, self._detect_at = 0, 0
        self._cuts: list[int] = []
        self._thumbnail: np.ndarray | None = None
        self._change = 0.0
        self.left_out = 0

    def see(self, picture_HWC: np.ndarray) -> None:
        """Look at the next picture, uint8 (H, W, 3)."""
        picture = Image.fromarray(picture_HWC)
        if self._is_cut(picture_HWC):
            self._gone += self._live
            self._live, self._detect_at = [], self._at
            self._cuts.append(self._at)
        for face in self._live:
            self._follow(face, picture)
        self._part()
        if self._at >= self._detect_at:
            self._detect(picture_HWC, picture)
        missing = any(face.last < self._at for face in self._live)
        if missing or not self._live:
            soon = self._at + max(1, round(_DETECT_SOON_S * self._fps))
            self._detect_at = min(self._detect_at, soon)
        away = [face for face in self._live if self._at - face.last > self._most_gap]
        self._live = [face for face in self._live if face not in away]
        self._gone += away
        self._at += 1

    def tracks(self) -> Sequence[FaceTrack]:
        """What was seen, from left to right; faces that were seen for less than 0.3 s are none."""
        least = min(self._at, max(1, round(_LEAST_SEEN_S * self._fps)))
        faces = [face for face in [*self._gone, *self._live] if len(face.rows) >= least]
        tracks = [face.track(self._cuts, self._at, self._fps, self._most_gap) for face in faces]
        return sorted(tracks, key=lambda track: track.place)

    def _follow(self, face: Followed, picture: Image.Image) -> None:
        mesh = self._mesh(picture, face.region)
        if self._is_same(face, mesh, picture):
            face.add(mesh, self._at)

    def _is_same(self, face: Followed, mesh: Mesh, picture: Image.Image) -> bool:
        """Whether what was found where a face was is that face."""
        if not mesh.is_face:
            return False
        growth = _side(mesh) / max(_side(face.mesh), 1e-3)
        if not 1 / _MOST_GROWTH < growth < _MOST_GROWTH or _side(mesh) < _LEAST_PX:
            return False
        if overlap(mesh.box, face.mesh.box) <= 0:
            return False
        # Somebody else's face may be where one was; a face in motion looks alike all the same.
        return face.last == self._at - 1 or face.looks_like(_look(picture, mesh)) > _OTHER_LOOK

    def _part(self) -> None:
        """Of two that have come to follow one face, the younger is dropped."""
        for face in sorted(self._live, key=lambda one: -min(one.rows)):
            others = [other for other in self._live if other is not face]
            if face.last == self._at and any(
                other.last == self._at and overlap(face.mesh.box, other.mesh.box) > _CROWDED
                for other in others
            ):
                self._live.remove(face)
                self._gone.append(face)

    def _detect(self, picture_HWC: np.ndarray, picture: Image.Image) -> None:
        self._detect_at = self._at + max(1, round(_DETECT_S * self._fps))
        for face in self._live:
            if face.last == self._at:
                face.remember(picture)
        new = 0
        for found in self._detector(picture_HWC):
            here = [face for face in self._live if face.last == self._at]
            if any(overlap(found.box, face.mesh.box) > _SAME_PLACE for face in here):
                continue
            mesh = self._mesh(picture, region_of_detection(found))
            if not mesh.is_face or _side(mesh) < _LEAST_PX:
                continue
            if any(overlap(mesh.box, face.mesh.box) > _SAME_PLACE for face in here):
                continue
            if not self._place(mesh, picture):
                new += 1
        self.left_out = max(self.left_out, new)

    def _place(self, mesh: Mesh, picture: Image.Image) -> bool:
        """Give a face that was found to the one that it is, or follow it as a new one."""
        known = self._known(mesh, picture)
        if known is not None:
            if known in self._gone:
                self._gone.remove(known)
                self._live.append(known)
            known.add(mesh, self._at)
            known.shot = len(self._cuts)
            known.remember(picture)
            return True
        least = round(_LEAST_SEEN_S * self._fps)
        self._gone = [face for face in self._gone if len(face.rows) >= least]
        if len(self._live) + len(self._gone) >= self._limit:
            return False
        face = Followed(mesh, self._at, picture)
        face.shot = len(self._cuts)
        self._live.append(face)
        return True

    def _known(self, mesh: Mesh, picture: Image.Image) -> Followed | None:
        """Which of the faces that are not in this picture yet it is."""
        look = _look(picture, mesh)
        missing = [face for face in self._live if face.last < self._at]
        near = [face for face in missing if overlap(mesh.box, face.mesh.box) > 0]
        if near:
            best = max(near, key=lambda face: overlap(mesh.box, face.mesh.box))
            if best.looks_like(look) > _OTHER_LOOK:
                return best
        away = [*missing, *self._gone] if self._comes_back else []
        alike = [(self._likeness(face, mesh, look), n) for n, face in enumerate(away)]
        if alike and max(alike)[0] > _SAME_LOOK:
            return away[max(alike)[1]]
        return None

    def _likeness(self, face: Followed, mesh: Mesh, look: np.ndarray) -> float:
        """How likely a face that was away is the one that was found."""
        alike = face.looks_like(look)
        gap_s = (self._at - face.last) / self._fps
        is_place = overlap(mesh.box, face.mesh.box) > _SAME_PLACE
        if face.shot == len(self._cuts) and is_place and gap_s <= _SAME_PLACE_S:
            alike += _SAME_LOOK - _OTHER_LOOK
        return alike

    def _is_cut(self, picture_HWC: np.ndarray) -> bool:
        """Whether this picture is of another shot than the one before.

        What changes from one picture to the next, on average over pixels of a small grey picture,
        is then much, and much more than before.
        """
        rows = max(1, picture_HWC.shape[0] // _THUMBNAIL)
        columns = max(1, picture_HWC.shape[1] // _THUMBNAIL)
        thumbnail = picture_HWC[::rows, ::columns].mean(axis=2)
        before, self._thumbnail = self._thumbnail, thumbnail
        if before is None or before.shape != thumbnail.shape:
            return before is not None
        change = float(np.abs(thumbnail - before).mean())
        is_cut = change > _CUT and change > _CUT_TIMES * self._change
        self._change = 0.8 * self._change + 0.2 * min(change, _CUT)
        return is_cut


def track_faces(
    frames: Iterable[np.ndarray],
    fps: float,
    limit: int = 8,
    max_gap_s: float = MAX_GAP_S,
    *,
    comes_back: bool = True,
) -> Sequence[FaceTrack]:
    """Every face of a video, from left to right.

    Args:
        frames: its pictures in their order, uint8 (H, W, 3); read one after the other.
        fps: pictures a second.
        limit: faces that are followed.
        max_gap_s: a face that is not found for longer is away.
        comes_back: whether a face that was away, or before a shot cut, can be the same one.

    Raises:
        ModelError: if the networks are not installed.
    """
    tracker = FaceTracker(fps, limit, max_gap_s, comes_back=comes_back)
    for frame_HWC in frames:
        tracker.see(frame_HWC)
    return tracker.tracks()


@lru_cache(maxsize=1)
def _networks() -> tuple[FaceDetector, FaceMesh]:
    """A process loads them once."""
    return FaceDetector(), FaceMesh()


def _side(mesh: Mesh) -> float:
    left, top, right, bottom = mesh.box
    return max(right - left, bottom - top)


def _look(picture: Image.Image, mesh: Mesh) -> np.ndarray:
    return look_of(picture, region_of_points(mesh.points_P3))
