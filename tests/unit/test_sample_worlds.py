"""Every world keeps the same promises; those of classification hide what they are to hide."""

import numpy as np
import pytest
from catalog_files import read_catalog

from s2s.catalog import FormatOptions
from sample.film import WORLDS, load_world
from sample.kinetics_actions import actions
from sample.kinetics_actions.film import ActionFilm
from sample.vggsound_contest.scenes import CLASSES, build_scene, list_clips

_RENDERED = tuple(name for name in WORLDS if name != "voices")
"""Those whose films are made up from a seed; voices are files."""


@pytest.mark.parametrize("name", _RENDERED)
def test_a_film_is_the_same_each_time_and_another_for_another_seed(name: str):
    world = load_world(name)
    one, same, other = (world.film(seed, 3) for seed in (0, 0, 1))

    first, again, apart = (next(film.frames()) for film in (one, same, other))

    assert one.source_id == same.source_id != other.source_id
    assert np.array_equal(first, again)
    assert not np.array_equal(first, apart)
    assert first.dtype == np.uint8
    assert first.shape[0] % 2 == first.shape[1] % 2 == 0
    sounds = [film.samples() for film in (one, same)]
    assert (sounds[0] is None) == (sounds[1] is None)
    if sounds[0] is not None and sounds[1] is not None:
        assert np.array_equal(sounds[0], sounds[1])
        assert np.abs(sounds[0]).max() <= 1


@pytest.mark.parametrize("name", _RENDERED)
def test_the_pipeline_reads_the_catalog(name: str):
    world = load_world(name)
    films = [world.film(0, index) for index in range(32)]

    catalog = read_catalog(world.catalog_text(films).encode(), FormatOptions(duration_s=10))

    assert not catalog.problems
    assert {clip.source_id for clip in catalog.clips} == {film.source_id for film in films}


def acts_of(pair: int) -> tuple[actions.Act, actions.Act]:
    """Both acts of a pair, of one source."""
    scenes = (actions.build_scene(0, index) for index in range(6))
    acts = next(
        acts for scene in scenes if len(acts := [a for a in scene.acts if a.pair == pair]) == 2
    )
    forth, back = sorted(acts, key=lambda act: act.is_backwards)
    return forth, back


@pytest.mark.parametrize("pair", range(3))
def test_actions_of_a_pair_are_each_other_backwards(pair: int):
    forth, back = acts_of(pair)
    times_s = np.linspace(0, 2, 50)

    ahead = np.diff([forth.progress(time_s) for time_s in times_s])
    behind = np.diff([back.progress(time_s) for time_s in times_s])

    assert (forth.action, back.action) == actions.PAIRS[pair]
    assert np.median(ahead) > 0 > np.median(behind)


def test_waving_fast_and_slowly_differ_in_pace_alone():
    fast, slow = acts_of(3)
    assert fast.round_s < 0.7 < slow.round_s
    assert not ActionFilm(actions.build_scene(0, 0)).samples()


def test_where_an_action_is_done_does_not_tell_it():
    scenes = [actions.build_scene(0, index) for index in range(60)]
    for scene in scenes:
        pairs = {act.pair for act in scene.acts}
        assert len(pairs) == 2
        done = {act.action for act in scene.acts}
        assert done == {action for pair in pairs for action in actions.PAIRS[pair]}
    first = [scene.acts[0].action for scene in scenes]
    assert set(first) == set(actions.ACTIONS), "nor does its place in the source"
    split = dict.fromkeys(actions.ACTIONS, 0)
    for row in actions.list_clips(scenes).splitlines()[1:]:
        split[row.split(",")[0]] += row.split(",")[4] == "test"
    assert set(split.values()) == {6}, "as many of each are held out"


def test_the_contests_classes_take_turns_in_a_source():
    scenes = [build_scene(0, index) for index in range(40)]
    assert all(len(set(scene.kinds)) == len(scene.kinds) == 3 for scene in scenes)
    rows = [row.split(",") for row in list_clips(scenes).splitlines()]
    held_out = [label for _, _, label, split in rows if split == "test"]
    assert {held_out.count(kind.label) for kind in CLASSES} == {3}


def test_half_of_the_contest_sounds_alike_and_half_looks_alike():
    heard, seen = CLASSES[:4], CLASSES[4:]
    assert len({kind.sound for kind in heard}) == len({kind.shape for kind in seen}) == 4
    assert len({kind.shape for kind in heard}) == len({kind.sound for kind in seen}) == 1
