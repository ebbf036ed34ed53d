"""How far a recipe is, from what lies in the bucket and nothing else."""

import json
from collections import Counter
from pathlib import Path

import pytest
from memory_bucket import MemoryBucket
from rich.console import Console

from launcher.commands.status import StageStatus, read_status, status_table
from s2s.catalog import RowProblem, store_catalog
from s2s.dataset import DatasetClip, DatasetVersion, write_version
from s2s.features.shards import HEADER, ShardHeader
from s2s.layout import (
    checks_prefix,
    failure_key,
    features_prefix,
    held_out_prefix,
    model_config_key,
    processed_prefix,
    raw_prefix,
)
from s2s.reasons import Reason, Status
from s2s.records import ClipRecord, Outcome
from s2s.settings import CollectionSettings, Recipe
from s2s.storage import Bucket
from s2s.tasks.generation.settings import GenerationFeatureSettings, GenerationRecipe
from s2s.tasks.loading import load_task
from s2s.tasks.separation.settings import SeparationRecipe

CLIPS = [
    ClipRecord(source_id=f"source-{n}", start_s=0, end_s=10, labels=("thing",)) for n in range(5)
]
SPLITS = ("train", "train", "test")


@pytest.fixture
def recipe() -> GenerationRecipe:
    return GenerationRecipe(
        name="unit",
        collection=CollectionSettings(catalog="x.csv"),
        feature_extraction=GenerationFeatureSettings(clips_per_shard=1),
    )


@pytest.fixture
def bucket(recipe: GenerationRecipe, tmp_path: Path) -> Bucket:
    """Of five clips one failed to be collected, one to be cut, and three are cut."""
    bucket = MemoryBucket()
    store_catalog(bucket, recipe, [*CLIPS, RowProblem(9, "no start")], tmp_path / "staged")
    for clip in CLIPS[:4]:
        bucket.write(f"{raw_prefix()}{clip.source_id}.mp4", b"source")
    fail(bucket, raw_prefix(), CLIPS[4].source_id, Reason.GONE)
    for clip in CLIPS[:3]:
        bucket.write(f"{processed_prefix(recipe)}{clip.clip_id}.mp4", b"clip")
    fail(bucket, processed_prefix(recipe), CLIPS[3].clip_id, Reason.NO_AUDIO)
    return bucket


def fail(bucket: Bucket, prefix: str, name: str, reason: Reason) -> None:
    failure = Outcome(clip_id=name, status=Status.FAILED, reason=reason)
    bucket.write(failure_key(prefix, name), failure.model_dump_json().encode())


def store_shard(bucket: Bucket, recipe: GenerationRecipe, clip: ClipRecord) -> None:
    """A shard's header is all of it that is read here."""
    header = ShardHeader(
        recipe=recipe.name,
        settings={},
        arrays=(),
        clips={clip.clip_id: "AAAAAA== AAAAAA=="},
    )
    text = json.dumps({"__metadata__": {HEADER: header.model_dump_json()}}).encode()
    key = f"{features_prefix(recipe, 'dataset_v1')}train-0.safetensors"
    bucket.write(key, len(text).to_bytes(8, "little") + text)


def make_version(bucket: Bucket, recipe: Recipe) -> None:
    clips: dict[str, list[DatasetClip]] = {"train": [], "test": []}
    for clip, split in zip(CLIPS, SPLITS, strict=False):
        row = DatasetClip(
            clip_id=clip.clip_id,
            source_id=clip.source_id,
            start_s=0,
            end_s=10,
            labels=clip.labels,
            split=split,
            key=f"{clip.clip_id}.mp4",
            size=1,
            crc32c="AAAAAA==",
            sha256="0" * 64,
            wav_key=f"{clip.clip_id}.wav",
            wav_size=1,
            wav_crc32c="AAAAAA==",
            wav_sha256="0" * 64,
        )
        clips[split].append(row)
    version = {split: tuple(rows) for split, rows in clips.items()}
    write_version(bucket, recipe, DatasetVersion("dataset_v1", version))


def by_stage(bucket: Bucket, recipe: Recipe) -> dict[str, StageStatus]:
    return {status.stage: status for status in read_status(bucket, recipe)}


def test_before_anything_was_collected(recipe: GenerationRecipe):
    (status,) = read_status(MemoryBucket(), recipe)
    assert status.stage == "collection"
    assert "first" in status.note


def test_every_clip_is_done_pending_or_failed(bucket: Bucket, recipe: GenerationRecipe):
    found = by_stage(bucket, recipe)
    collected, cut, checked = (
        found[stage] for stage in ("collection", "preprocessing", "validation")
    )
    assert (collected.done, collected.pending) == (4, 0)
    assert collected.failed == {"gone": 1, "bad_row": 1}
    assert (cut.done, cut.pending, cut.failed) == (3, 1, {"no_audio": 1})
    assert (checked.done, checked.pending) == (0, 5)
    assert found["training"].note == "needs a version"


def test_after_a_version(bucket: Bucket, recipe: GenerationRecipe):
    make_version(bucket, recipe)
    fail(bucket, checks_prefix(recipe), CLIPS[3].clip_id, Reason.SILENT)
    store_shard(bucket, recipe, CLIPS[0])
    fail(bucket, features_prefix(recipe, "dataset_v1"), CLIPS[1].clip_id, Reason.CORRUPT)
    found = by_stage(bucket, recipe)
    assert (found["validation"].done, found["validation"].pending) == (3, 1)
    assert found["validation"].failed == {"silent": 1}
    assert "dataset_v1" in found["validation"].note
    assert (found["feature_extraction"].done, found["feature_extraction"].pending) == (1, 1)
    assert found["feature_extraction"].failed == {"corrupt": 1}
    assert (found["training"].done, found["training"].pending) == (0, 1)
    assert (found["serving"].done, found["serving"].pending) == (0, 1)


def test_clips_that_cannot_be_shown_are_not_waited_for(tmp_path: Path):
    recipe = SeparationRecipe.model_validate(
        {
            "name": "unit",
            "collection": {"catalog": "x.csv"},
            "feature_extraction": {"faces": "simulated"},
        }
    )
    bucket = MemoryBucket()
    store_catalog(bucket, recipe, CLIPS, tmp_path / "staged")
    make_version(bucket, recipe)
    serving = by_stage(bucket, recipe)["serving"]
    assert (serving.done, serving.pending) == (0, 0)


def test_when_all_is_done(bucket: Bucket, recipe: GenerationRecipe):
    make_version(bucket, recipe)
    bucket.write(model_config_key(recipe, "dataset_v1"), b"{}")
    bucket.write(f"{held_out_prefix(recipe, 'dataset_v1')}{CLIPS[2].clip_id}.mp4", b"answer")
    found = by_stage(bucket, recipe)
    assert (found["training"].done, found["training"].pending) == (1, 0)
    assert (found["serving"].done, found["serving"].pending) == (1, 0)


@pytest.mark.parametrize(
    ("task", "suffix"),
    [("generation", ".mp4"), ("classification", ".json"), ("separation", ".mp4")],
)
def test_answers_count_whatever_kind_of_file_they_are(tmp_path: Path, task: str, suffix: str):
    content = {"name": "unit", "collection": {"catalog": "x.csv"}}
    recipe = load_task(task).recipe_class.model_validate(content)
    bucket = MemoryBucket()
    store_catalog(bucket, recipe, CLIPS, tmp_path / "staged")
    make_version(bucket, recipe)
    prefix = held_out_prefix(recipe, "dataset_v1")
    fail(bucket, prefix, CLIPS[2].clip_id, Reason.CORRUPT)
    refused = by_stage(bucket, recipe)["serving"]
    assert (refused.done, refused.pending, refused.failed) == (0, 0, {"corrupt": 1})
    bucket.write(f"{prefix}{CLIPS[2].clip_id}{suffix}", b"answer")
    served = by_stage(bucket, recipe)["serving"]
    assert (served.done, served.pending, served.failed) == (1, 0, {})


def test_the_table_names_reasons(bucket: Bucket, recipe: GenerationRecipe):
    console = Console(width=120)
    with console.capture() as captured:
        console.print(status_table(recipe, read_status(bucket, recipe)))
    assert "1 no_audio" in captured.get()


def test_the_table_of_a_large_recipe_fits_80_columns(recipe: GenerationRecipe):
    sizes = "dataset_v12: 1234567 train, 123456 val, 123456 test"
    failed = Counter({"start_past_end": 123456, "upstream_failed": 1234567})
    rows = [
        StageStatus("validation", "clips", 1234567, 1234567, failed, sizes),
        StageStatus("feature_extraction", "clips", 1, 2),
        StageStatus("serving", "held-out clips", 12, 3),
    ]
    console = Console(width=80)
    with console.capture() as captured:
        console.print(status_table(recipe, rows))
    text = captured.get()
    assert "…" not in text
    for whole in ("feature_extraction", "123456 start_past_end", "1234567 upstream_failed"):
        assert whole in text
    assert {"1234567", "1358023", "held-out"} <= set(text.replace("│", " ").split())
