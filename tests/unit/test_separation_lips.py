"""Lip streams: what of a face counts and what does not; made from voices; whose voice it is."""

import numpy as np
import pytest

from s2s.errors import ModelError
from s2s.tasks.separation.extractors.detector import Detection, _anchors, _merged, overlap
from s2s.tasks.separation.extractors.lips import (
    LIP_NAMES,
    LIPS,
    POINTS,
    STILL,
    lip_movement,
    lip_state,
    lip_stream,
)
from s2s.tasks.separation.extractors.mesh import Mesh
from s2s.tasks.separation.extractors.package_files import packaged_file
from s2s.tasks.separation.extractors.simulated import simulated_lips
from s2s.tasks.separation.predictor.matching import assign_voices, fit_of

FPS = 25
OPENING = LIP_NAMES.index("opening")


def talking_points(length: int = 50) -> np.ndarray:
    """Points of a face whose lower lip and chin go up and down twice a second."""
    rng = np.random.default_rng(3)
    points_TK3 = np.repeat(rng.uniform(0, 100, (1, len(POINTS), 3)), length, axis=0)
    drop_T = 8 * (1 + np.sin(2 * np.pi * 2 * np.arange(length) / FPS))
    for point in (14, 17, 87, 317, 152):
        points_TK3[:, POINTS.index(point), 1] += drop_T
    return points_TK3.astype(np.float32)


def test_neither_place_nor_size_nor_pose_of_a_head_counts():
    points_TK3 = talking_points()
    angle = 0.4
    turn = np.array(
        [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]
    )
    moved = 2.5 * points_TK3 @ turn + np.array([300, -40, 7])
    plain, other = lip_stream(points_TK3, FPS), lip_stream(moved.astype(np.float32), FPS)
    assert plain.shape == (50, LIPS)
    assert plain.dtype == np.float16
    np.testing.assert_allclose(plain, other, atol=0.05)
    assert plain[:, OPENING].std() > 0.1


def test_speeds_are_in_distances_between_the_eyes_a_second():
    points_TK3 = talking_points()
    slow, fast = lip_stream(points_TK3, FPS), lip_stream(points_TK3, 2 * FPS)
    speed = LIP_NAMES.index("opening_speed")
    expected = np.gradient(slow[:, OPENING].astype(np.float32)) * FPS / 10
    np.testing.assert_allclose(slow[:, speed], expected, atol=0.02)
    np.testing.assert_allclose(fast[:, speed], 2 * slow[:, speed].astype(np.float32), atol=0.05)


def test_a_face_that_is_not_there_has_a_stream_of_zeros():
    points_TK3 = talking_points()
    points_TK3[20:30] = np.nan
    lips_TD = lip_stream(points_TK3, FPS)
    assert not lips_TD[20:30].any()
    assert np.isfinite(lips_TD).all()
    assert not lip_stream(np.full_like(points_TK3, np.nan), FPS).any()


def test_lips_that_talk_move_and_trembling_ones_do_not():
    seen_T = np.ones(50, bool)
    assert lip_movement(lip_stream(talking_points(), FPS), seen_T, FPS) > 2 * STILL
    still = np.repeat(talking_points()[:1], 50, axis=0)
    trembling = still + np.random.default_rng(0).normal(0, 0.1, still.shape)
    assert lip_movement(lip_stream(trembling, FPS), seen_T, FPS) < STILL
    assert lip_movement(np.zeros((50, LIPS), np.float16), np.zeros(50, bool), FPS) == 0


@pytest.mark.parametrize(
    ("share", "state"), [(1.1, "moving"), (0.9, "hardly moving"), (0.5, "still")]
)
def test_lips_that_nearly_move_are_told_from_still_ones(share: float, state: str):
    """As much as a talker's may come to in a video of a low bit rate."""
    seen_T, lips_TD = np.ones(50, bool), lip_stream(talking_points(), FPS)
    smoothed_TD = lips_TD * (share * STILL / lip_movement(lips_TD, seen_T, FPS))
    assert lip_state(smoothed_TD, seen_T, FPS) == state
    seen_T[20:] = False
    assert lip_state(smoothed_TD, seen_T, FPS) == "moving"  # in so short a time nobody can tell


def voice(seed: int, seconds: float = 4.0, rate_hz: int = 8000) -> np.ndarray:
    """Noise in syllables of irregular length."""
    rng = np.random.default_rng(seed)
    knots = rng.uniform(0, 1, round(seconds * 5)) ** 2
    at = np.linspace(0, len(knots) - 1, round(seconds * rate_hz))
    envelope_N = np.interp(at, np.arange(len(knots)), knots)
    return (envelope_N * rng.normal(0, 0.2, len(at))).astype(np.float32)


def test_simulated_lips_are_the_same_for_a_clip_and_others_for_another():
    one, seen_T = simulated_lips(voice(0), 8000, FPS, "clip a")
    again, _ = simulated_lips(voice(0), 8000, FPS, "clip a")
    other, _ = simulated_lips(voice(0), 8000, FPS, "clip b")
    assert one.shape == (100, LIPS)
    assert seen_T.shape == (100,)
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)
    assert not one[~seen_T].any()


def test_simulated_lips_fit_their_own_voice_best():
    right = 0
    for n in range(20):
        lips_TD, seen_T = simulated_lips(voice(n), 8000, FPS, f"clip {n}")
        right += fit_of(lips_TD, seen_T, voice(n)) > fit_of(lips_TD, seen_T, voice(n + 100))
    assert right >= 17


@pytest.mark.parametrize("samples", [0, 1, 300])
def test_simulated_lips_of_next_to_nothing(samples: int):
    lips_TD, seen_T = simulated_lips(np.zeros(samples, np.float32), 8000, FPS, "x")
    assert lips_TD.shape == (1, LIPS)
    assert len(seen_T) == 1
    assert np.isfinite(lips_TD).all()


def test_silence_has_lips_that_hardly_move():
    lips_TD, seen_T = simulated_lips(np.zeros(32_000, np.float32), 8000, FPS, "x")
    assert lip_movement(lips_TD, seen_T, FPS) < STILL


def test_no_voice_goes_to_two_faces():
    fits_SK = np.array([[0.9, 0.5], [0.8, 0.1]])
    assert assign_voices(fits_SK) == [1, 0]
    assert assign_voices(np.array([[0.1], [0.7], [0.3]])) == [None, 0, None]
    assert assign_voices(np.array([[0.1, 0.2, 0.9]])) == [2]


def test_anchors_of_blazeface():
    short, full = _anchors(128, (8, 16, 16, 16)), _anchors(192, (4,), each=1)
    assert short.shape == (896, 2)
    assert full.shape == (2304, 2)
    np.testing.assert_allclose(short[:3], [[1 / 32, 1 / 32], [1 / 32, 1 / 32], [3 / 32, 1 / 32]])
    np.testing.assert_allclose(short[512:518], np.full((6, 2), 1 / 16))


def test_detections_of_one_face_are_averaged():
    def found(left: float, score: float) -> Detection:
        return Detection((left, 0, left + 10, 10), ((left, 3), (left + 5, 3)), score)

    merged = _merged([found(0, 0.6), found(1, 0.9), found(50, 0.7)])
    assert [one.score for one in merged] == [0.9, 0.7]
    assert merged[0].box[0] == pytest.approx((0 * 0.6 + 1 * 0.9) / 1.5)
    assert merged[1].box == pytest.approx((50, 0, 60, 10))
    assert overlap((0, 0, 2, 2), (1, 0, 3, 2)) == pytest.approx(1 / 3)
    assert overlap((0, 0, 1, 1), (2, 2, 3, 3)) == 0


@pytest.mark.parametrize(("degrees", "is_read"), [(0, True), (50, True), (-60, True), (80, False)])
def test_lips_in_profile_are_not_read(degrees: float, is_read: bool):
    points_P3 = np.zeros((468, 3), np.float32)
    for point, side in ((33, -1), (263, 1)):
        angle = np.radians(degrees)
        points_P3[point] = 50 * side * np.array([np.cos(angle), 0, np.sin(angle)])
    assert Mesh(points_P3, score=0.9).is_face == is_read
    assert not Mesh(points_P3, score=0.4).is_face


def test_a_package_that_is_not_installed_is_named():
    with pytest.raises(ModelError, match=r"no_such_package/file: not installed: install such"):
        packaged_file("such", "no_such_package", "file")
    with pytest.raises(ModelError, match="install numpy"):
        packaged_file("numpy", "numpy", "no such file")
