"""Which clips a model is measured on and shown with."""

from collections import Counter

import pytest
from pydantic import TypeAdapter

from s2s.dataset import DatasetClip, DatasetVersion
from s2s.dataset.held_out import choose_held_out


def clip(name: str, label: str, split: str = "test", source: str = "") -> DatasetClip:
    checks = {"size": 1, "crc32c": "AAAAAAAA", "sha256": "0" * 64}
    wav = {f"wav_{key}": value for key, value in checks.items()}
    values = {
        "clip_id": name,
        "source_id": source or name,
        "start_s": 0,
        "end_s": 1,
        "labels": (label,),
    }
    keys = {"split": split, "key": f"{name}.mp4", "wav_key": f"{name}.wav"}
    return TypeAdapter(DatasetClip).validate_python({**values, **keys, **checks, **wav})


def version(*clips: DatasetClip) -> DatasetVersion:
    splits = {split: tuple(c for c in clips if c.split == split) for split in ("val", "test")}
    return DatasetVersion("dataset_v1", splits)


def choose(version: DatasetVersion, count: int) -> list[DatasetClip]:
    return list(choose_held_out(version, count).clips)


def test_labels_take_turns():
    clips = [
        clip(f"{label}{k}", label) for label, n in (("a", 9), ("b", 2), ("c", 1)) for k in range(n)
    ]
    chosen = choose(version(*clips), 6)
    assert Counter(c.labels[0] for c in chosen) == {"a": 3, "b": 2, "c": 1}
    assert [c.labels[0] for c in chosen[:3]] == ["a", "b", "c"]


def test_the_order_of_a_manifest_does_not_matter():
    clips = [clip(f"clip{k}", "a") for k in range(9)]
    assert choose(version(*clips), 3) == choose(version(*reversed(clips)), 3)


def test_training_and_validation_clips_are_not_shown_while_there_are_others():
    clips = [clip("seen", "a", "train"), clip("val", "a", "val"), clip("test", "a")]
    assert [c.clip_id for c in choose(version(*clips), 6)] == ["test"]
    assert [c.clip_id for c in choose(version(*clips[:2]), 6)] == ["val"]
    assert choose(version(), 6) == []


def test_sources_of_a_label_take_turns():
    clips = [clip(f"{source}{k}", "a", source=source) for source in "xyz" for k in range(3)]
    chosen = choose(version(*clips), 6)
    assert Counter(c.source_id for c in chosen) == {"x": 2, "y": 2, "z": 2}
    assert {c.source_id for c in chosen[:3]} == set("xyz")


def test_fewer_clips_are_the_first_of_more():
    clips = [
        clip(f"{label}{k}", label, source=f"{label}{k % 2}") for label in "ab" for k in range(4)
    ]
    assert choose(version(*clips), 8)[:3] == choose(version(*clips), 3)


@pytest.mark.parametrize(
    ("usable", "split", "note"),
    [
        ({"test1"}, "test", "Measured on the test split"),
        ({"val0", "seen"}, "val", "test split has no clips"),
        ({"seen"}, None, "nothing was measured"),
    ],
)
def test_only_usable_clips_are_chosen(usable: set[str], split: str | None, note: str):
    clips = [clip("seen", "a", "train"), clip("val0", "a", "val")]
    clips += [clip(f"test{k}", "a") for k in range(3)]
    held_out = choose_held_out(version(*clips), 5, usable)
    assert held_out.split == split
    assert {c.clip_id for c in held_out.clips} == usable - {"seen"}
    assert note in held_out.note


def test_a_clip_is_shown_with_one_of_another_label_always_the_same():
    clips = [clip(f"{label}{k}", label) for label in "ab" for k in range(2)]
    held_out = choose_held_out(version(*clips), 4)
    for one in held_out.clips:
        assert held_out.other(one).labels != one.labels
        assert held_out.other(one) == held_out.other(one)


def test_where_all_are_of_one_label_it_is_one_of_another_source():
    clips = [clip(f"{source}{k}", "a", source=source) for source in "xy" for k in range(2)]
    held_out = choose_held_out(version(*clips), 4)
    assert all(held_out.other(one).source_id != one.source_id for one in held_out.clips)


def test_a_single_clip_that_is_shown_has_others_beside_it():
    held_out = choose_held_out(version(clip("x", "a"), clip("y", "b"), clip("z", "b")), 1)
    (shown,) = held_out.clips
    assert held_out.other(shown).labels != shown.labels


def test_a_clip_that_is_alone_is_shown_with_itself():
    held_out = choose_held_out(version(clip("only", "a")), 4)
    assert held_out.other(held_out.clips[0]) == held_out.clips[0]
