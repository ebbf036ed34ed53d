"""Real faces: six talkers of GRID, two people side by side, and what is done to them."""

from collections.abc import Mapping
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from s2s.features.arrays import ClipMedia
from s2s.media import read_audio, read_frames, stream_frames
from s2s.spec import TimeSpec
from s2s.tasks.separation.extractors.faces import MeshFaces
from s2s.tasks.separation.extractors.followed import FaceTrack
from s2s.tasks.separation.extractors.lips import STILL, lip_movement
from s2s.tasks.separation.extractors.speech import speech_share
from s2s.tasks.separation.extractors.tracking import track_faces
from s2s.tasks.separation.predictor.matching import fit_of
from s2s.tasks.separation.settings import SeparationFeatureSettings

FPS, RATE_HZ = 25, 8000


@pytest.fixture(scope="module")
def frames(real_data: Path) -> Mapping[str, np.ndarray]:
    return {
        path.stem: read_frames(path, FPS) for path in sorted((real_data / "clips/grid").iterdir())
    }


@pytest.fixture(scope="module")
def voices(real_data: Path) -> Mapping[str, np.ndarray]:
    paths = sorted((real_data / "clips/grid").iterdir())
    return {path.stem: np.resize(read_audio(path, RATE_HZ), 24_000) for path in paths}


@pytest.fixture(scope="module")
def tracks(frames: Mapping[str, np.ndarray]) -> Mapping[str, FaceTrack]:
    found = {}
    for name, frames_THWC in frames.items():
        (found[name],) = track_faces(frames_THWC, FPS)
    return found


def test_every_talker_is_seen_all_the_time_and_moves(tracks: Mapping[str, FaceTrack]):
    assert len(tracks) == 6
    for track in tracks.values():
        assert track.seen_T.all()
        assert len(track.seen_T) == 75
        assert lip_movement(track.lips_TD, track.seen_T, FPS) > STILL


def test_lips_go_with_their_own_voice(
    tracks: Mapping[str, FaceTrack], voices: Mapping[str, np.ndarray]
):
    """The matcher that nobody trained is right for nearly all pairs of clean voices."""

    def fit(face: str, voice: str) -> float:
        return fit_of(tracks[face].lips_TD, tracks[face].seen_T, voices[voice])

    right = sum(
        fit(one, one) + fit(other, other) > fit(one, other) + fit(other, one)
        for one, other in combinations(sorted(tracks), 2)
    )
    assert right >= 13, f"{right} of 15 pairs"


def test_a_photograph_in_a_hand_says_nothing(frames: Mapping[str, np.ndarray]):
    rng = np.random.default_rng(0)
    for name in ("bbaf2n", "lbbc2a", "swiz3n"):
        height, width = frames[name].shape[1:3]
        photo_HWC = np.pad(frames[name][40], ((30, 30), (30, 30), (0, 0)), mode="edge")
        steps = np.clip(np.cumsum(rng.normal(0, 1, (50, 2)), axis=0).round(), -30, 30).astype(int)
        film = [
            photo_HWC[30 + down : 30 + down + height, 30 + right : 30 + right + width]
            for down, right in steps
        ]
        noisy = [np.clip(f + rng.normal(0, 3, f.shape), 0, 255).astype(np.uint8) for f in film]
        (track,) = track_faces(noisy, FPS)
        assert track.seen_T.all()
        assert lip_movement(track.lips_TD, track.seen_T, FPS) < STILL, name


def test_different_people_are_never_one(frames: Mapping[str, np.ndarray]):
    names = sorted(frames)
    film = [frame for name in names for frame in frames[name][:12]]
    tracks = track_faces(film, FPS)
    assert len(tracks) == 6
    assert sorted(int(np.flatnonzero(track.seen_T)[0]) // 12 for track in tracks) == [*range(6)]


def test_one_who_comes_back_after_a_cut_is_the_same(frames: Mapping[str, np.ndarray]):
    one, other = frames["bbaf2n"], frames["pwij3p"]
    film = [*one[:30], *other[:30], *one[40:70]]
    tracks = sorted(track_faces(film, FPS), key=lambda track: -track.seen_T.sum())
    assert [int(track.seen_T.sum()) for track in tracks] == [60, 30]


def test_both_people_of_a_film_are_followed_to_its_cut(real_data: Path):
    path = real_data / "clips/talk/two_people_002.avi"
    left, right = track_faces(stream_frames(path, FPS, 640), FPS)
    assert left.place[0] < 320 < right.place[0]
    # The left one is seen half from the side.
    for track in (left, right):
        assert track.seen_T[:145].all()
        assert not track.seen_T[148:].any()
    for track in (left, right):
        assert lip_movement(track.lips_TD, track.seen_T, FPS) > STILL


def test_a_clip_of_a_talker(real_data: Path, frames: Mapping[str, np.ndarray]):
    spec = TimeSpec(fps=FPS, sample_rate_hz=RATE_HZ, duration_s=3)
    extractor = MeshFaces(spec, SeparationFeatureSettings(pictures=True))
    samples_N = read_audio(real_data / "clips/grid/lrwp9a.mpg", RATE_HZ)
    arrays = extractor(ClipMedia(frames["lrwp9a"], samples_N))
    for array in extractor.arrays:
        array.pack(arrays[array.name])
    assert np.asarray(arrays["seen"]).all()
    assert len(arrays["voice"]) == 24_000
    assert np.asarray(arrays["mouth"]).std(axis=0).mean() > 3


def test_speech_is_told_from_other_sounds(real_data: Path, voices: Mapping[str, np.ndarray]):
    for name, voice_N in voices.items():
        assert speech_share(voice_N, RATE_HZ) > 0.3, name
    for clip in ("vas/drum_video_02542.mp4", "vggsound/6zlMP_kQ_-w_30000_40000.mp4"):
        assert speech_share(read_audio(real_data / "clips" / clip, RATE_HZ), RATE_HZ) < 0.05, clip
