"""Faces are followed: drawn ones that stay, leave, come back, are cut away or are photographs."""

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from separators import EMPTY, beside, draw_talker

from s2s.errors import MediaError
from s2s.features.arrays import ClipMedia
from s2s.reasons import Reason
from s2s.spec import TimeSpec
from s2s.tasks.separation.extractors.faces import MeshFaces, choose_face
from s2s.tasks.separation.extractors.lips import LIPS, STILL, lip_movement
from s2s.tasks.separation.extractors.tracking import track_faces
from s2s.tasks.separation.settings import SeparationFeatureSettings
from sample.cocktail_party.picture import SIZE_PX

FPS = 25
SPEC = TimeSpec(fps=FPS, sample_rate_hz=8000, duration_s=1.2)
SETTINGS = SeparationFeatureSettings(speech_check=False)


@pytest.fixture(scope="module")
def talkers() -> list[list[np.ndarray]]:
    return [draw_talker(seed) for seed in (1, 2)]


def test_two_faces_are_followed_from_left_to_right(talkers):
    left, right = track_faces(beside(*talkers), FPS)
    assert left.seen_T.all()
    assert right.seen_T.all()
    assert left.place[0] < SIZE_PX < right.place[0]
    assert left.lips_TD.shape == (30, LIPS)
    assert left.picture_HWC.shape == (192, 192, 3)
    assert lip_movement(left.lips_TD, left.seen_T, FPS) > STILL


def test_the_opening_follows_the_drawn_lips(talkers):
    (face,) = track_faces(talkers[0], FPS)
    drawn_T = 1 - np.cos(2 * np.pi * 3 * np.arange(30) / FPS)
    assert np.corrcoef(face.lips_TD[:, 0].astype(float), drawn_T)[0, 1] > 0.9


def test_a_photograph_says_nothing():
    (face,) = track_faces(draw_talker(1, moves=False), FPS)
    assert lip_movement(face.lips_TD, face.seen_T, FPS) < STILL


def test_a_short_gap_is_bridged_and_a_long_one_is_not(talkers):
    pictures = list(talkers[0])
    pictures[10:16] = [EMPTY] * 6
    (face,) = track_faces(pictures, FPS)
    assert face.seen_T.all()
    (strict,) = track_faces(pictures, FPS, max_gap_s=0.12)
    assert strict.seen_T.tolist() == [True] * 10 + [False] * 6 + [True] * 14


def test_a_face_that_leaves_and_comes_back_is_the_same(talkers):
    one, other = talkers
    film = beside(one, other) + beside(one[:20], [EMPTY] * 20) + beside(one, other)
    left, right = track_faces(film, FPS)
    assert left.seen_T.all()
    assert right.seen_T.tolist()[30:50] == [False] * 20
    assert right.seen_T[:30].all()
    assert right.seen_T[55:].all()


def test_another_face_in_the_same_place_is_another(talkers):
    tracks = track_faces([*talkers[0], *talkers[1]], FPS)
    assert len(tracks) == 2
    for track in tracks:
        assert 25 <= track.seen_T.sum() <= 31


def test_no_more_faces_than_may_be(talkers):
    (face,) = track_faces(beside(*talkers), FPS, limit=1)
    assert face.seen_T.all()


def test_no_face_gives_no_track():
    assert track_faces([EMPTY] * 5, FPS) == []


def clip(pictures: Sequence[np.ndarray], samples: int = 9000) -> ClipMedia:
    return ClipMedia(np.stack(pictures), np.full(samples, 0.25, np.float32))


def test_a_clip_has_a_voice_as_long_as_its_pictures(talkers):
    arrays = MeshFaces(SPEC, SETTINGS)(clip(talkers[0]))
    assert set(arrays) == {"voice", "lips", "seen"}
    voice_N = np.asarray(arrays["voice"])
    assert voice_N.dtype == np.int16
    assert len(voice_N) == 30 * 320
    assert voice_N[0] == round(0.25 * 32767)
    assert not voice_N[9000:].any()


def test_several_faces_are_told_of_the_first_clips_where_no_catalog_chooses_one(
    talkers, caplog: pytest.LogCaptureFixture
):
    extractor, pair = MeshFaces(SPEC, SETTINGS), clip(beside(talkers[0], talkers[1]))
    alone = clip(talkers[0])
    for media, name, face_xy in (
        *((alone, "alone", None), (pair, "chosen", (0.25, 0.45))),
        *((pair, f"pair{n}", None) for n in range(5)),
    ):
        extractor(replace(media, listed=cast(Any, SimpleNamespace(clip_id=name, face_xy=face_xy))))
    told = [record.getMessage() for record in caplog.records]
    assert [line.split(":")[0] for line in told] == [f"pair{n} shows 2 faces" for n in range(3)]
    assert ["not told" in line for line in told] == [False, False, True]


def test_pictures_of_mouth_and_face_where_they_are_asked_for(talkers):
    settings = SeparationFeatureSettings(speech_check=False, pictures=True)
    extractor = MeshFaces(SPEC, settings)
    arrays = extractor(clip(talkers[0]))
    assert [spec.name for spec in extractor.arrays] == list(arrays)
    for spec in extractor.arrays:
        spec.pack(arrays[spec.name])
    mouth_THW = np.asarray(arrays["mouth"])
    assert mouth_THW.shape == (30, 88, 88)
    # An open mouth is darker in its middle than a shut one.
    middle_T = mouth_THW[:, 36:60, 34:54].mean(axis=(1, 2))
    assert middle_T[8] != pytest.approx(middle_T[4], abs=3)


@pytest.mark.parametrize(
    ("what", "reason", "words"),
    [
        ("empty", Reason.NO_FACE, "no face was found in the picture"),
        ("leaves", Reason.FACE_LOST, r"not seen for 0\.80 s from second 0\.40 on"),
        ("cut", Reason.FACE_LOST, "the shot was cut"),
    ],
)
def test_a_clip_without_its_face_fails_with_the_reason(talkers, what, reason, words):
    films = {
        "empty": [EMPTY] * 30,
        "leaves": [*talkers[0][:10], *[EMPTY] * 20],
        "cut": [*talkers[0][:14], *[255 - p for p in talkers[1][:16]]],
    }
    with pytest.raises(MediaError, match=words) as caught:
        MeshFaces(SPEC, SETTINGS)(clip(films[what]))
    assert caught.value.reason == reason


def test_the_catalogs_centre_chooses_the_face(talkers):
    film = beside(*talkers)
    tracks, size = track_faces(film, FPS), (2 * SIZE_PX, SIZE_PX)
    assert choose_face(tracks, (0.25, 0.5), size) is tracks[0]
    assert choose_face(tracks, (0.75, 0.5), size) is tracks[1]
    with pytest.raises(MediaError, match="2 elsewhere") as caught:
        choose_face(tracks, (0.5, 0.02), size)
    assert caught.value.reason == Reason.NO_FACE


def test_a_clip_in_which_nobody_speaks_fails(talkers):
    with pytest.raises(MediaError, match="speech was heard in 0%") as caught:
        MeshFaces(SPEC, SeparationFeatureSettings())(clip(talkers[0]))
    assert caught.value.reason == Reason.NO_SPEECH
