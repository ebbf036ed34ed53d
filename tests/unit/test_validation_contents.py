"""What a version holds, from checks and an older version in a bucket in memory."""

import hashlib
import io
from collections import Counter
from dataclasses import replace

import pytest
from cut_clips import make_recipe
from memory_bucket import MemoryBucket
from rich.console import Console

from s2s.dataset import SPLITS, DatasetClip, DatasetVersion, manifest_from_csv, manifest_to_csv
from s2s.errors import CatalogError, ObjectNotFoundError
from s2s.layout import checks_prefix, processed_prefix
from s2s.records import ClipRecord
from validation.checks.clip_checks import ClipCheck, check_key
from validation.checks.picture import PictureFigures
from validation.checks.sound import SoundFigures
from validation.release.contents import Contents, arrange, count_sources, remarks
from validation.splits.table import split_table

RECIPE = make_recipe()


def clip(source_id: str, label: str = "bell") -> ClipRecord:
    return ClipRecord(source_id=source_id, start_s=0, end_s=2, labels=(label,))


def hash_of(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def put_check(
    bucket: MemoryBucket, clip_id: str, sha256: str | None = None, like: str | None = None
) -> None:
    """Store what was found of a clip; one that is `like` another has its hashes."""
    name = like or clip_id
    key = processed_prefix(RECIPE) + clip_id
    check = ClipCheck(
        key=f"{key}.mp4",
        size=10,
        crc32c="AAAAAA==",
        sha256=sha256 or hash_of(clip_id),
        wav_key=f"{key}.wav",
        wav_size=20,
        wav_crc32c="BBBBBB==",
        wav_sha256="1" * 64,
        picture=PictureFigures(2, 0, 0, 25, 64, 48, 90, 50, hash_of(f"picture {name}") * 3),
        sound=SoundFigures(2, -6, -20, 0, False, hash_of(f"sound {name}")),
    )
    bucket.write(check_key(RECIPE, clip_id), check.model_dump_json().encode(), overwrite=True)


def rows_of(*versions: DatasetVersion) -> list[DatasetClip]:
    return [row for version in versions for split in SPLITS for row in version.split(split)]


@pytest.fixture
def bucket() -> MemoryBucket:
    return MemoryBucket()


def arranged(bucket: MemoryBucket, clips: list[ClipRecord]) -> dict[str, tuple[DatasetClip, ...]]:
    for record in clips:
        put_check(bucket, record.clip_id)
    return arrange(bucket, RECIPE, clips, [], [record.clip_id for record in clips]).clips


def test_every_clip_has_a_row_with_its_files(bucket: MemoryBucket):
    content = arranged(bucket, [clip(f"s{n}") for n in range(10)])
    assert {split: len(content[split]) for split in SPLITS} == {"train": 7, "val": 2, "test": 1}
    row = content["test"][0]
    assert row.key == f"{processed_prefix(RECIPE)}{row.clip_id}.mp4"
    assert (row.size, row.wav_size, row.labels, row.split) == (10, 20, ("bell",), "test")
    assert count_sources(content) == {"train": 7, "val": 2, "test": 1}


def test_clips_of_a_source_stay_together(bucket: MemoryBucket):
    clips = [
        ClipRecord(source_id=f"s{n}", start_s=start_s, end_s=start_s + 2)
        for n in range(10)
        for start_s in (0, 3, 6)
    ]
    content = arranged(bucket, clips)
    splits_of = {
        source: {split for split in SPLITS for row in content[split] if row.source_id == source}
        for source in {record.source_id for record in clips}
    }
    assert all(len(splits) == 1 for splits in splits_of.values())


def test_the_order_of_the_catalog_changes_nothing(bucket: MemoryBucket):
    clips = [clip(f"s{n}") for n in range(10)]
    assert arranged(bucket, clips) == arranged(bucket, clips[::-1])


def test_an_older_version_keeps_its_splits_and_spares_reading_checks(bucket: MemoryBucket):
    clips = [clip(f"s{n}") for n in range(10)]
    first = DatasetVersion("dataset_v1", arranged(bucket, clips))
    for record in clips:
        bucket.delete(check_key(RECIPE, record.clip_id))
    added = clip("added")
    put_check(bucket, added.clip_id)
    second = arrange(bucket, RECIPE, [*clips, added], rows_of(first), [added.clip_id]).clips
    assert all(set(first.split(split)) <= set(second[split]) for split in SPLITS)
    assert sum(map(len, second.values())) == 11


def test_a_version_of_few_clips_in_between_moves_nothing(bucket: MemoryBucket):
    clips = [clip(f"s{n}") for n in range(20)]
    first = DatasetVersion("dataset_v1", arranged(bucket, clips))
    few = DatasetVersion("dataset_v2", arrange(bucket, RECIPE, clips[:3], rows_of(first), []).clips)
    assert sum(map(len, few.clips.values())) == 3
    third = arrange(bucket, RECIPE, clips, rows_of(first, few), []).clips
    assert third == first.clips


def test_a_copy_of_a_clip_that_only_an_older_version_has_goes_to_its_split(bucket: MemoryBucket):
    clips = [clip(f"s{n}") for n in range(10)]
    first = DatasetVersion("dataset_v1", arranged(bucket, clips))
    in_test = first.split("test")[0]
    copy = clip("zz-copy")
    put_check(bucket, copy.clip_id, like=in_test.clip_id)
    left = [record for record in clips if record.clip_id != in_test.clip_id]
    second = arrange(bucket, RECIPE, [*left, copy], rows_of(first), [copy.clip_id])
    assert [row.source_id for row in second.clips["test"]] == ["zz-copy"]
    assert not second.pairs, "only pairs of what is there are told"
    assert sum(map(len, second.clips.values())) == 10


def test_a_clip_that_was_just_checked_has_its_new_checksum(bucket: MemoryBucket):
    first = DatasetVersion("dataset_v1", arranged(bucket, [clip("a")]))
    put_check(bucket, clip("a").clip_id, sha256="f" * 64)
    content = arrange(bucket, RECIPE, [clip("a")], rows_of(first), [clip("a").clip_id]).clips
    assert content["train"][0].sha256 == "f" * 64


def test_a_clip_without_a_check_is_a_bug(bucket: MemoryBucket):
    with pytest.raises(ObjectNotFoundError):
        arrange(bucket, RECIPE, [clip("a")], [], [])


def test_the_catalogs_own_split_is_kept_where_the_recipe_asks_for_it(bucket: MemoryBucket):
    clips = [replace(clip(f"s{n}"), split="test" if n % 4 == 0 else "train") for n in range(24)]
    for record in clips:
        put_check(bucket, record.clip_id)
    recipe = make_recipe(validation={"keep_catalog_split": True})
    names = [record.clip_id for record in clips]
    content = arrange(bucket, recipe, clips, [], names).clips
    assert {row.source_id for row in content["test"]} == {f"s{n}" for n in range(0, 24, 4)}
    assert (len(content["train"]), len(content["val"])) == (14, 4)
    # What a version has placed stays, also against the catalog.
    first = DatasetVersion("dataset_v1", content)
    swapped = [
        replace(record, split="train" if record.split == "test" else "test") for record in clips
    ]
    assert arrange(bucket, recipe, swapped, rows_of(first), names).clips == content


def test_a_split_that_is_to_be_kept_and_not_known_is_an_error(bucket: MemoryBucket):
    clips = [replace(clip(f"s{n}"), split="part 1" if n % 4 == 0 else "train") for n in range(8)]
    for record in clips:
        put_check(bucket, record.clip_id)
    names = [record.clip_id for record in clips]
    with pytest.raises(CatalogError, match=r"'part 1'.*collection\.split_names"):
        arrange(bucket, make_recipe(validation={"keep_catalog_split": True}), clips, [], names)
    assert arrange(bucket, RECIPE, clips, [], names).clips


def test_too_few_sources_are_remarked(bucket: MemoryBucket):
    notes = remarks(RECIPE, Contents(arranged(bucket, [clip("a"), clip("b")])))
    assert len(notes) == 1
    assert "2 sources are too few" in notes[0]
    assert "val has none" in notes[0]
    assert not remarks(RECIPE, Contents(arranged(bucket, [clip(f"s{n}") for n in range(3)])))


def test_checks_do_not_depend_on_shares():
    assert checks_prefix(make_recipe(validation={"train": 0.5})) == checks_prefix(RECIPE)
    louder = make_recipe(validation={"min_loudness_dbfs": -30})
    assert checks_prefix(louder) != checks_prefix(RECIPE)
    calmer = make_recipe(validation={"checks": {"min_motion": 9}})
    assert len({checks_prefix(recipe) for recipe in (RECIPE, louder, calmer)}) == 3


def test_a_clip_like_another_is_in_its_split_also_when_it_comes_later(bucket: MemoryBucket):
    clips = [clip(f"s{n}") for n in range(10)]
    first = DatasetVersion("dataset_v1", arranged(bucket, clips))
    in_test = first.split("test")[0]
    copy = clip("zz-copy")
    put_check(bucket, copy.clip_id, like=in_test.clip_id)
    content = arrange(bucket, RECIPE, [*clips, copy], rows_of(first), [copy.clip_id])
    assert {row.source_id for row in content.clips["test"]} == {in_test.source_id, "zz-copy"}
    assert [pair.reason for pair in content.pairs] == ["near_duplicate"]
    pair = content.pairs[0]
    told = f"1 pair of clips is alike ({pair.first} and {pair.second}): none is in two splits"
    assert told in remarks(RECIPE, content)[0]

    recipe = make_recipe(validation={"fix": "drop"})
    content = arrange(bucket, recipe, [*clips, copy], rows_of(first), [copy.clip_id])
    assert set(content.left_out) == {copy.clip_id}
    assert content.clips == first.clips


@pytest.mark.parametrize("bytes_of", [None, "a" * 64])
@pytest.mark.parametrize("fix", ["none", "drop"])
@pytest.mark.parametrize("later", [False, True])
def test_clips_alike_with_labels_that_contradict_are_told(
    bucket: MemoryBucket, bytes_of: str | None, fix: str, *, later: bool
):
    """In one split or in two, both in the version or not: one of the labels is wrong."""
    clips = [clip(f"s{n}") for n in range(10)]
    first = DatasetVersion("dataset_v1", arranged(bucket, clips))
    other = clip("zz-copy", "drum")
    put_check(bucket, clips[3].clip_id, bytes_of)
    put_check(bucket, other.clip_id, bytes_of, like=clips[3].clip_id)
    recipe = make_recipe(validation={"fix": fix})
    both = [clips[3].clip_id, other.clip_id]
    content = arrange(bucket, recipe, [*clips, other], rows_of(first) if later else [], both)
    [(pair, labels)] = content.contradicting.items()
    assert ((pair.first, pair.second), labels) == (tuple(both), ("bell", "drum"))
    note = remarks(recipe, content)[-1]
    assert note.startswith("1 pair of clips that are alike has no label in common")
    assert f"{both[0]} (bell) and {both[1]} (drum)" in note


@pytest.mark.parametrize("labels", [("bell",), ("drum", "bell"), ()])
def test_clips_alike_that_share_a_label_or_have_none_do_not_contradict(
    bucket: MemoryBucket, labels: tuple[str, ...]
):
    clips = [clip("a"), replace(clip("b"), labels=labels)]
    for record in clips:
        put_check(bucket, record.clip_id, sha256="a" * 64)
    content = arrange(bucket, RECIPE, clips, [], [])
    assert (len(content.pairs), content.contradicting) == (1, {})
    assert not any("label in common" in note for note in remarks(RECIPE, content))


def test_a_clip_keeps_the_name_of_its_file_which_makes_no_new_version(bucket: MemoryBucket):
    plain = [clip(f"s{n}") for n in range(4)]
    before = DatasetVersion("dataset_v1", arranged(bucket, plain))
    named = [replace(record, source_path=f"my/Café {n}.mp4") for n, record in enumerate(plain)]
    content = arrange(bucket, RECIPE, named, rows_of(before), []).clips
    assert content == before.clips
    paths = {row.clip_id: row.source_path for split in SPLITS for row in content[split]}
    assert paths == {record.clip_id: record.source_path for record in named}
    stored = manifest_from_csv(manifest_to_csv(content["train"]), "train.csv")
    assert [row.source_path for row in stored] == [row.source_path for row in content["train"]]


def test_the_same_bytes_are_a_duplicate(bucket: MemoryBucket):
    for name in ("a", "b"):
        put_check(bucket, clip(name).clip_id, sha256="a" * 64)
    content = arrange(bucket, RECIPE, [clip("a"), clip("b")], [], [])
    assert [pair.reason for pair in content.pairs] == ["duplicate"]


def test_of_clips_alike_that_the_catalog_has_apart_the_one_for_training_is_left_out(
    bucket: MemoryBucket,
):
    clips = [replace(clip(f"s{n}"), split="val" if n % 4 else "test") for n in range(24)]
    for record in clips:
        put_check(bucket, record.clip_id)
    put_check(bucket, clips[1].clip_id, like=clips[0].clip_id)
    recipe = make_recipe(validation={"keep_catalog_split": True})
    content = arrange(bucket, recipe, clips, [], [])
    assert set(content.left_out) == {clips[1].clip_id}
    assert len(content.clips["test"]) == 6


def test_folds_are_stratified_and_stay(bucket: MemoryBucket):
    recipe = make_recipe(validation={"folds": 5})
    clips = [clip(f"{label}{n}", label) for label in ("bell", "drum") for n in range(20)]
    for record in clips:
        put_check(bucket, record.clip_id)
    first = arrange(bucket, recipe, clips, [], []).clips
    assert all(row.fold is None for row in first["test"])
    dealt = Counter((row.labels[0], row.fold) for split in ("train", "val") for row in first[split])
    assert set(dealt.values()) <= {3, 4}
    assert len(dealt) == 10
    added = clip("bell99")
    put_check(bucket, added.clip_id)
    before = DatasetVersion("dataset_v1", first)
    second = arrange(bucket, recipe, [*clips, added], rows_of(before), []).clips
    assert all(set(first[split]) <= set(second[split]) for split in SPLITS)


def test_the_table_counts_clips_and_sources_of_each_label(bucket: MemoryBucket):
    clips = [clip(f"{label}{n}", label) for label in ("bell", "drum") for n in range(10)]
    version = DatasetVersion("dataset_v3", arranged(bucket, clips))
    text = io.StringIO()
    Console(file=text, width=80).print(split_table(version))
    rows = {
        cells[0].strip(): [int(cell) for cell in cells[1:]]
        for line in text.getvalue().splitlines()
        if len(cells := line.strip("│").split("│")) == 5
    }
    assert rows["bell"] == rows["drum"] == [7, 2, 1, 10]
    assert rows["clips"] == rows["sources"] == [14, 4, 2, 20]
    assert "dataset_v3" in text.getvalue()


def test_the_table_of_many_labels_stays_short(bucket: MemoryBucket):
    version = DatasetVersion(
        "dataset_v1", arranged(bucket, [clip(f"s{n}", f"l{n}") for n in range(99)])
    )
    text = io.StringIO()
    Console(file=text, width=80).print(split_table(version))
    assert len(text.getvalue().splitlines()) < 45
    assert "69 more labels" in text.getvalue()
