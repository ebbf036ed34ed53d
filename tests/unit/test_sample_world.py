import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sample.silent_to_sound.materials import MATERIALS
from sample.silent_to_sound.world import VIEW_HEIGHT_M, Motion, build_scene, source_id

seeds = st.integers(0, 10_000)
indices = st.integers(0, 200)


def test_motion_follows_its_pieces():
    motion = Motion(np.array([(1.0, 2.0, 3.0, -2.0), (2.0, 4.0, 0.0, 0.0)]))

    assert motion.at([1.0, 1.5, 2.0, 9.0]) == pytest.approx([2.0, 3.25, 4.0, 4.0])


@given(seeds, indices)
@settings(max_examples=25, deadline=None)
def test_same_seed_gives_same_scene(seed: int, index: int):
    first, second = build_scene(seed, index), build_scene(seed, index)

    assert (first.source_id, first.bodies, first.impacts) == (
        second.source_id,
        second.bodies,
        second.impacts,
    )
    assert np.array_equal(first.height.pieces, second.height.pieces)


@given(seeds, indices)
@settings(max_examples=25, deadline=None)
def test_motion_never_jumps_but_where_a_new_body_comes(seed: int, index: int):
    scene = build_scene(seed, index)
    enters_s = {body.enter_s for body in scene.bodies}
    starts_s = [start for start in scene.height.pieces[1:, 0] if start not in enters_s]

    before, after = scene.height.at(np.array(starts_s) - 1e-9), scene.height.at(starts_s)

    assert np.abs(before - after).max() < 1e-6
    starts_s = scene.mallet.pieces[1:, 0]
    assert np.abs(scene.mallet.at(starts_s - 1e-9) - scene.mallet.at(starts_s)).max() < 1e-6


@given(seeds, indices)
@settings(max_examples=25, deadline=None)
def test_impacts_are_where_things_meet(seed: int, index: int):
    scene = build_scene(seed, index)
    for hit in scene.impacts:
        meeting = scene.height if hit.kind == "bounce" else scene.mallet
        assert meeting.at(hit.time_s) == pytest.approx(0, abs=1e-6)
        speed_m_s = (meeting.at(hit.time_s - 1e-5) - meeting.at(hit.time_s)) / 1e-5
        assert speed_m_s == pytest.approx(hit.speed_m_s, rel=1e-3)


@given(seeds, indices)
@settings(max_examples=25, deadline=None)
def test_nothing_goes_through_anything(seed: int, index: int):
    scene = build_scene(seed, index)
    times_s = np.linspace(scene.bodies[0].enter_s, scene.duration_s, 5000)

    assert scene.height.at(times_s).min() > -1e-9
    assert scene.height.at(times_s).max() <= VIEW_HEIGHT_M + 1e-9
    assert scene.mallet.at(times_s).min() > -1e-9


def test_scenes_are_20_to_60_s_with_about_one_to_two_impacts_a_second():
    scenes = [build_scene(0, n) for n in range(60)]
    impacts = sum(len(scene.impacts) for scene in scenes)
    seconds = sum(scene.duration_s for scene in scenes)
    gaps_s = np.concatenate([np.diff([hit.time_s for hit in s.impacts]) for s in scenes])

    assert all(20 <= scene.duration_s <= 60 for scene in scenes)
    assert 1.0 <= impacts / seconds <= 2.0
    assert gaps_s.min() > 0.13  # two hits within 50 ms could not be told apart
    assert gaps_s.std() > 0.2


def test_every_material_comes_up_equally_often():
    names = [build_scene(0, n).material.name for n in range(12)]

    assert all(names.count(material.name) == 2 for material in MATERIALS)


def test_source_ids_look_like_youtube_ids_and_differ():
    names = [source_id(seed, n) for seed in range(5) for n in range(200)]

    assert all(re.fullmatch(r"[A-Za-z0-9_-]{11}", name) for name in names)
    assert len(set(names)) == len(names)


def test_one_source_id_of_every_seed_starts_with_a_dash():
    assert all(source_id(seed, 1).startswith("-") for seed in range(10))


def test_a_shortened_scene_starts_the_same():
    scene = build_scene(0, 0)

    short = scene.shortened(5.0)

    assert short.duration_s == 5.0
    assert short.impacts == scene.impacts[: len(short.impacts)]
    # The last 50 ms are quiet.
    assert short.impacts[-1].time_s < 4.95 <= scene.impacts[len(short.impacts)].time_s
