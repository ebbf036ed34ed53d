"""Which clips a recipe asks for: by label, split, number per label."""

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from s2s.catalog import make_clip, select_clips
from s2s.records import ClipRecord
from s2s.tasks.generation.settings import GenerationRecipe

CLIPS = [
    make_clip(f"s{number:03d}", 0, 10, labels, split)
    for number, (labels, split) in enumerate(
        [
            (["tap dancing"], "train"),
            (["Dancing ballet", "crowd"], "val"),
            (["crowd"], "train"),
            ([], "train"),
            (["playing guitar/banjo, (live)"], "test"),
        ]
        * 20
    )
]


def recipe(seed: int = 0, **collection: object) -> GenerationRecipe:
    return GenerationRecipe.model_validate(
        {"name": "r", "seed": seed, "collection": {"catalog": "c", **collection}}
    )


def select(clips: list[ClipRecord], **wanted: object) -> list[ClipRecord]:
    return list(select_clips(clips, recipe(**wanted)))  # type: ignore[arg-type]


def test_without_filters_all_are_taken():
    assert select(CLIPS) == CLIPS


def test_labels_are_chosen_by_patterns_whatever_their_case():
    chosen = select(CLIPS, labels=["*dancing*"])
    assert {clip.labels for clip in chosen} == {("tap dancing",), ("Dancing ballet", "crowd")}
    assert select(CLIPS, labels=["tap dancing", "*/banjo, (live)"]) == [
        clip for clip in CLIPS if clip.split == "test" or clip.labels == ("tap dancing",)
    ]
    assert select(CLIPS, labels=["*skating*"]) == []


def test_splits_are_chosen_by_name():
    assert {clip.split for clip in select(CLIPS, splits=["val", "test"])} == {"val", "test"}


def test_so_many_of_each_label_are_taken():
    chosen = select(CLIPS, sample_per_label=3)
    counts = Counter(label for clip in chosen for label in clip.labels or [""])
    assert counts.keys() == {label for clip in CLIPS for label in clip.labels or [""]}
    assert all(number >= 3 for number in counts.values())
    assert counts["tap dancing"] == counts["playing guitar/banjo, (live)"] == counts[""] == 3
    assert chosen == [clip for clip in CLIPS if clip in chosen], "in the catalog's order"


def test_a_label_that_is_not_asked_for_counts_for_nothing():
    chosen = select(CLIPS, labels=["dancing *"], sample_per_label=2)
    assert len(chosen) == 2
    assert all("Dancing ballet" in clip.labels for clip in chosen)


def test_the_seed_decides_and_nothing_else():
    chosen = {clip.clip_id for clip in select(CLIPS, sample_per_label=5)}
    shuffled = random.Random(1).sample(CLIPS, len(CLIPS))
    assert {clip.clip_id for clip in select(shuffled, sample_per_label=5)} == chosen
    assert {clip.clip_id for clip in select(CLIPS, sample_per_label=5, seed=1)} != chosen


@given(st.integers(1, 30))
def test_a_larger_sample_holds_the_smaller_one(size: int):
    smaller = select(CLIPS, sample_per_label=size)
    larger = select(CLIPS, sample_per_label=size + 1)
    assert set(smaller) <= set(larger)
