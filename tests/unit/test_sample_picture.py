import numpy as np
import pytest

from sample.canvas import FPS, SIZE_PX
from sample.silent_to_sound.materials import MATERIALS
from sample.silent_to_sound.picture import body_colour, frames
from sample.silent_to_sound.world import Scene, build_scene

MATERIAL_NAMES = [material.name for material in MATERIALS]


def start_of(scene: Scene, duration_s: float = 4.0) -> np.ndarray:
    """The first seconds, uint8 (T, H, W, 3)."""
    return np.stack(list(frames(scene.shortened(duration_s))))


def height_of_change(picture_THWC: np.ndarray) -> np.ndarray:
    """Row of the middle of what differs from the empty scene in each frame, float (T,)."""
    empty_HWC = np.median(picture_THWC, axis=0)
    change_THW = np.abs(picture_THWC - empty_HWC).sum(axis=3)
    change_THW = np.where(change_THW > 40, change_THW, 0)
    rows = np.arange(SIZE_PX)[None, :, None]
    return (change_THW * rows).sum(axis=(1, 2)) / np.maximum(change_THW.sum(axis=(1, 2)), 1)


def test_frames_are_small_rgb_pictures_at_their_rate():
    picture_THWC = start_of(build_scene(0, 0), duration_s=1.0)

    assert picture_THWC.shape == (FPS, SIZE_PX, SIZE_PX, 3)
    assert picture_THWC.dtype == np.uint8


def test_same_scene_gives_same_frames():
    scene = build_scene(5, 2)

    assert np.array_equal(start_of(scene, 2.0), start_of(scene, 2.0))


def test_a_frame_does_not_depend_on_how_long_the_scene_is():
    scene = build_scene(5, 2)

    assert np.array_equal(start_of(scene, 1.0), start_of(scene, 2.0)[:FPS])


def test_backgrounds_differ_and_frames_are_noisy():
    first, second = (start_of(build_scene(5, index), 0.12) for index in (0, 6))

    assert np.abs(first[0].astype(int) - second[0]).mean() > 3
    assert 0.5 < np.abs(first[0].astype(int) - first[1]).mean() < 10


@pytest.mark.parametrize("index", range(len(MATERIALS)), ids=MATERIAL_NAMES)
def test_a_body_falls_before_the_first_impact_and_rises_after_it(index: int):
    scene = build_scene(1, index)
    impact = scene.impacts[0]
    picture_THWC = start_of(scene)
    n = int(impact.time_s * FPS)

    row_T = height_of_change(picture_THWC[: n + 6])

    assert (np.diff(row_T[n - 4 : n + 1]) > 2).all(), "falls, by some pixels a frame"
    assert row_T[n + 3] < row_T[n + 1] - 1, "rises again"


@pytest.mark.parametrize("index", range(len(MATERIALS)), ids=MATERIAL_NAMES)
def test_a_body_shows_its_materials_colour(index: int):
    scene = build_scene(1, index)
    impact, body = scene.impacts[0], scene.bodies[0]
    n = int(impact.time_s * FPS) - 2
    clearance_px = float(scene.height.at(n / FPS)) * 80
    radius_px = body.radius_m * 80
    row, column = int(108 - clearance_px - radius_px), int(body.x_m * 80)
    patch = start_of(scene)[n, row - 2 : row + 3, column - 2 : column + 3].mean(axis=(0, 1))

    colour = np.array(scene.material.colour)

    assert np.linalg.norm(patch / patch.sum() - colour / colour.sum()) < 0.12


def test_a_colour_tells_its_material_and_few_sources_cover_the_range():
    rng = np.random.default_rng(0)
    drawn = {
        material.name: np.array([body_colour(material, rng) for _ in range(200)])
        for material in MATERIALS
    }
    for material in MATERIALS:
        colours = drawn[material.name]
        widest = np.linalg.norm(colours - material.colour, axis=1).max()
        nearest = min(
            np.linalg.norm(drawn[other.name] - material.colour, axis=1).min()
            for other in MATERIALS
            if other is not material
        )
        assert 5 < widest < nearest / 2, material.name
        trained, held_out = colours[:7], colours[7:]
        away = np.linalg.norm(held_out[:, None] - trained[None], axis=2).min(axis=1)
        assert away.max() < 25, "none is far from all that are learned from"
