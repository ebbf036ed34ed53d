"""What can be wrong with a classification's input: one clear message each, with the remedy."""

import logging
from pathlib import Path

import pytest
import torch
from classifiers import classification_settings
from dataset_fixtures import store_version
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

import collection.stage
import feature_extraction.stage
import training.stage
from s2s.dataset import DatasetVersion, Split
from s2s.errors import CatalogError, ModelError, SettingsError, StageError
from s2s.features.shards import CHECKSUM
from s2s.features.stored import fetch_clips
from s2s.settings import Settings
from s2s.storage import open_bucket
from s2s.tasks.classification.data import arrays_of
from s2s.tasks.classification.network import ClassifierConfig, make_classifier
from s2s.tasks.classification.network.shape import check_size
from s2s.tasks.recipes import load_recipe

LENGTHS: dict[Split, tuple[float, ...]] = {"train": (2.0, 2.0, 2.0), "test": (2.0,)}


def extract(
    folder: Path,
    lengths: dict[Split, tuple[float, ...]] | None = None,
    labels: tuple[str, ...] = ("high", "low"),
    **sections: object,
) -> tuple[Settings, DatasetVersion]:
    """A data set version with features; labels take turns over its clips."""
    settings = classification_settings(folder, **sections)
    version = store_version(folder, settings, lengths or LENGTHS, labels)
    feature_extraction.stage.run(settings)
    return settings, version


def test_one_class_only(tmp_path: Path):
    settings, _ = extract(tmp_path, labels=("high",))
    with pytest.raises(StageError, match=r"only 'high': a classifier needs two .*collection\.lab"):
        training.stage.run(settings)


def test_no_training_clip(tmp_path: Path):
    settings, _ = extract(tmp_path, {"val": (2.0,), "test": (2.0,)})
    with pytest.raises(StageError, match=r"no clip with features to train on.*add clips"):
        training.stage.run(settings)


def test_odd_classes_are_told_and_stop_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    labels = ("high", "low", "high", "never heard of")
    settings, _ = extract(tmp_path, labels=labels)
    with caplog.at_level(logging.WARNING):
        report = training.stage.run(settings)
    assert report.counts == {"ok": 1}
    said = caplog.text
    assert "1 of 2 classes have one training source only, such as 'low'" in said
    assert "1 of 1 clips of the split test are of classes that no training clip has" in said
    assert "'never heard of'" in said
    assert "collection.labels" in said


def test_no_held_out_clip(tmp_path: Path):
    settings, _ = extract(tmp_path, {"train": (2.0, 2.0)})
    report = training.stage.run(settings)
    assert report.counts == {"ok": 1}
    assert report.outputs["n_clips"] == 0


def test_a_shard_that_is_cut_off(tmp_path: Path):
    settings, _ = extract(tmp_path)
    bucket = open_bucket(settings.bucket_url)
    (key,) = (key for key in bucket.keys("features/") if "train" in key)
    bucket.write(key, bucket.read(key)[:1000], overwrite=True)
    with pytest.raises(ModelError, match=r"not a feature shard .*delete it and run feature_extr"):
        training.stage.run(settings)


def test_a_stored_picture_that_is_damaged(tmp_path: Path):
    settings, version = extract(tmp_path, feature_extraction={"frames": "jpeg"})
    bucket = open_bucket(settings.bucket_url)
    (key,) = (key for key in bucket.keys("features/") if "train" in key)
    path = tmp_path / "shard.safetensors"
    bucket.download(key, path)
    with safe_open(path, "numpy") as file:
        header = file.metadata()
    arrays = load_file(path)
    for name, values in arrays.items():
        if name.endswith("/frames"):
            values[:] = 0
    save_file(arrays, path, header)
    bucket.upload(path, key, overwrite=True)
    with pytest.raises(ModelError, match="its checksum is not"):
        fetch_clips(bucket, settings.recipe, version, tmp_path / "look")
    del arrays[CHECKSUM]  # as of shards that were written before they had one
    save_file(arrays, path, header)
    bucket.upload(path, key, overwrite=True)
    clip = fetch_clips(bucket, settings.recipe, version, tmp_path / "look")["train"][0]
    with pytest.raises(ModelError, match=r"/frames: not all are JPEG files .* delete the shard"):
        arrays_of(clip)


@pytest.mark.parametrize(
    ("training_text", "said"),
    [
        ("{frames: 100}", r"training\.frames 100: a clip of 2 s has 16 frames .* raise the other"),
        ("{crop_px: 200}", r"training\.crop_px 200 is more than the stored frames have"),
        ("{model: audio}", r"training\.model audio hears: set feature_extraction\.sound to true"),
        ("{backbone: timm/resnet18}", "cnn_3d takes tiny or torchvision/NAME"),
        ("{model: cnn3d}", r"training\.model: Input should be .*; is cnn_3d meant\?"),
        ("{weights: hub}", "the backbone tiny is trained from scratch, use random"),
        ("{weights: 'ftp:x'}", r"training\.weights"),
    ],
)
def test_settings_that_cannot_be(tmp_path: Path, training_text: str, said: str):
    path = tmp_path / "r.yaml"
    path.write_text(
        "{name: r, task: classification, spec: {duration_s: 2}, collection: {catalog: c.csv},\n"
        f"feature_extraction: {{sound: false}}, training: {training_text}}}"
    )
    with pytest.raises(SettingsError, match=f"(?s){said}"):
        load_recipe(path)


def test_labels_that_no_clip_has(tmp_path: Path):
    (tmp_path / "c.csv").write_text("aaaaaaaaaaa,0,tap dancing,train\nbbbbbbbbbbb,0,salsa,train\n")
    sections = {"collection": {"catalog": "c.csv", "labels": ["*dansing*"]}}
    settings = classification_settings(tmp_path, **sections)
    with pytest.raises(CatalogError, match=r"dansing"):
        collection.stage.run(settings)


def test_a_backbone_that_does_not_take_such_clips():
    def config(name: str, **size: int) -> ClassifierConfig:
        kind = "frame_average" if name.startswith("timm") else "cnn_3d"
        return ClassifierConfig.model_validate(
            {"kind": kind, "classes": 3, "backbone": name, "frames": 16, "crop_px": 112, **size}
        )

    with torch.device("meta"):
        for name in ("torchvision/s3d", "torchvision/r2plus1d_18", "torchvision/swin3d_t"):
            check_size(make_classifier(config(name)), config(name), 0)
        small = config("torchvision/s3d", frames=8, crop_px=32)
        check_size(make_classifier(small), small, 0)
        for name in ("timm/vit_tiny_patch16_224", "torchvision/mvit_v2_s"):
            fixed = config(name)
            with pytest.raises(ModelError, match=r"does not take 16 frames of 112 x 112 .*crop_px"):
                check_size(make_classifier(fixed), fixed, 0)
