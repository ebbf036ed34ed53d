"""Data set versions survive the way through a bucket, and damage is told."""

from dataclasses import replace

import pytest
from memory_bucket import MemoryBucket

from s2s.dataset import (
    DatasetClip,
    DatasetVersion,
    Split,
    latest_version,
    manifest_from_csv,
    manifest_to_csv,
    read_version,
    version_names,
    write_version,
)
from s2s.errors import ObjectExistsError, VersionError
from s2s.layout import dataset_manifest_key
from s2s.tasks.generation.settings import GenerationRecipe

RECIPE = GenerationRecipe.model_validate({"name": "r", "collection": {"catalog": "c.csv"}})


def make_clip(number=0, split: Split = "train", labels=("metal, struck", 'a "wood"')):
    clip_id = f"-id{number}_00000000_00010000"
    return DatasetClip(
        clip_id=clip_id,
        source_id=f"-id{number}",
        start_s=0.0,
        end_s=10.0,
        labels=labels,
        split=split,
        key=f"processed_data/r/{clip_id}.mp4",
        size=12,
        crc32c="AAAAAA==",
        sha256="0" * 64,
        wav_key=f"processed_data/r/{clip_id}.wav",
        wav_size=13,
        wav_crc32c="AAAAAB==",
        wav_sha256="1" * 64,
    )


def make_version(name="dataset_v1", clips=None):
    return DatasetVersion(name, clips or {"train": (make_clip(),), "test": (make_clip(1, "test"),)})


def test_a_version_comes_back_as_it_was_written():
    bucket = MemoryBucket()
    version = make_version()
    index = write_version(bucket, RECIPE, version)
    back = read_version(bucket, RECIPE, "dataset_v1")
    assert back.split("train") == version.split("train")
    assert back.split("test") == version.split("test")
    assert back.split("val") == ()
    assert index.counts == {"train": 1, "val": 0, "test": 1}


def test_the_newest_version_is_found_by_number():
    bucket = MemoryBucket()
    for number in (2, 10, 9):
        write_version(bucket, RECIPE, make_version(f"dataset_v{number}"))
    bucket.write("datasets/r/dataset_v11/train.csv", b"half written")
    assert version_names(bucket, RECIPE) == ["dataset_v2", "dataset_v9", "dataset_v10"]
    assert latest_version(bucket, RECIPE) == "dataset_v10"


def test_without_a_version_the_stage_before_is_named():
    with pytest.raises(VersionError, match="validation"):
        latest_version(MemoryBucket(), RECIPE)


def test_a_version_never_changes():
    bucket = MemoryBucket()
    write_version(bucket, RECIPE, make_version())
    write_version(bucket, RECIPE, make_version())
    with pytest.raises(ObjectExistsError):
        write_version(bucket, RECIPE, make_version(clips={"train": (make_clip(7),)}))


def test_a_changed_manifest_is_refused():
    bucket = MemoryBucket()
    write_version(bucket, RECIPE, make_version())
    key = dataset_manifest_key(RECIPE, "dataset_v1", "train")
    bucket.write(key, bucket.read(key).replace(b"10.0", b"11.0"), overwrite=True)
    with pytest.raises(VersionError, match=r"train\.csv.*checksum"):
        read_version(bucket, RECIPE, "dataset_v1")


def test_a_missing_manifest_is_told():
    bucket = MemoryBucket()
    write_version(bucket, RECIPE, make_version())
    bucket.delete(dataset_manifest_key(RECIPE, "dataset_v1", "val"))
    with pytest.raises(VersionError, match=r"val\.csv"):
        read_version(bucket, RECIPE, "dataset_v1")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: data.replace(b"wav_size", b"size_of_wav"), "wav_size"),
        (lambda data: data.replace(b",12,", b",many,"), "line 2: size"),
        (lambda data: data.replace(b",train,", b",trial,"), "line 2: split"),
    ],
)
def test_a_bad_manifest_is_told_with_its_place(damage, message):
    with pytest.raises(VersionError, match=message):
        manifest_from_csv(damage(manifest_to_csv([make_clip()])), "train.csv")


def test_a_label_cannot_hold_the_separator():
    with pytest.raises(VersionError, match=r"a\|b"):
        manifest_to_csv([make_clip(labels=("a|b",))])


def test_a_face_is_two_columns_of_a_manifest():
    clips = (replace(make_clip(), face_xy=(0.25, 1 / 3)), make_clip(1))
    data = manifest_to_csv(clips)
    header, first, second = data.decode().splitlines()
    assert header.endswith(",face_x,face_y")
    assert first.endswith(f",0.25,{1 / 3}")
    assert second.endswith(",,")
    assert manifest_from_csv(data, "train.csv") == clips


def test_a_manifest_from_before_there_were_faces_is_read():
    clip = make_clip()
    lines = manifest_to_csv([clip]).decode().splitlines()
    before = "\n".join(line.rsplit(",", 2)[0] for line in lines) + "\n"
    assert "face" not in before
    assert manifest_from_csv(before.encode(), "train.csv") == (clip,)


@pytest.mark.parametrize("face", ["0.5,", ",0.5", "1.5,0.5", "left,0.5"])
def test_half_a_face_is_told(face: str):
    lines = manifest_to_csv([make_clip()]).decode().splitlines()
    damaged = f"{lines[0]}\n{lines[1].removesuffix(',')}{face}\n"
    with pytest.raises(VersionError, match=r"train\.csv, line 2: face_xy"):
        manifest_from_csv(damaged.encode(), "train.csv")
