"""What is looked at before a stage works."""

import errno
import os
import shutil
import socket
from collections import namedtuple
from importlib import import_module
from pathlib import Path

import pytest

from s2s.dataset import DatasetVersion, write_version
from s2s.engine import by_name
from s2s.errors import StageError
from s2s.layout import model_config_key
from s2s.settings import CollectionSettings, Settings
from s2s.stage import preflight
from s2s.storage import open_bucket
from s2s.tasks.generation.settings import GenerationFeatureSettings, GenerationRecipe

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "bucket").mkdir()
    return Settings(
        recipe=GenerationRecipe(name="unit", collection=CollectionSettings(catalog="x.csv")),
        recipe_path=tmp_path / "recipe.yaml",
        bucket_url=f"file://{tmp_path}/bucket",
        work_dir=tmp_path / "not" / "yet",
    )


@pytest.mark.parametrize("stage", ["collection", "preprocessing", "validation", "serving"])
def test_a_line_for_each(settings: Settings, stage: str, capsys: pytest.CaptureFixture[str]):
    preflight(settings, stage)
    said = capsys.readouterr().err
    assert [line.split()[1] for line in said.splitlines()] == ["bucket:", "disk:", "codecs:"]


@pytest.mark.parametrize(("limit_mib", "is_enough"), [(512, False), (600, True), (None, True)])
@pytest.mark.parametrize("stage", ["feature_extraction", "training"])
def test_a_container_that_torch_does_not_fit_in(
    stage: str,
    limit_mib: int | None,
    is_enough: bool,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
):
    limit_bytes = limit_mib and limit_mib << 20
    module = import_module("s2s.stage.preflight")  # the function has the same name
    monkeypatch.setattr(module, "memory_limit_bytes", lambda: limit_bytes)
    preflight(settings, "preprocessing")
    if is_enough:
        preflight(settings, stage)
    else:
        with pytest.raises(StageError, match=r"memory: 512 MiB, .*S2S_TRAINING_MEMORY"):
            preflight(settings, stage)


def test_only_the_first_stage_makes_a_bucket(settings: Settings, tmp_path: Path):
    new = settings.model_copy(update={"bucket_url": f"file://{tmp_path}/new"})
    with pytest.raises(StageError, match=r"no such directory.*run its collection stage first"):
        preflight(new, "preprocessing")
    preflight(new, "collection")
    assert (tmp_path / "new").is_dir()


@pytest.mark.parametrize("stage", ["collection", "preprocessing", "validation", "training"])
def test_a_bucket_that_cannot_be_written_to_lacks_that(
    settings: Settings, stage: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    preflight(settings, stage)
    assert "bucket answers, and can be written to" in " ".join(capsys.readouterr().err.split())

    def refuse(**_: object) -> tuple[int, str]:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("s2s.storage.directory.tempfile.mkstemp", refuse)
    with pytest.raises(StageError, match=r"bucket: .*Read-only file system\. Make .* writable"):
        preflight(settings, stage)
    assert "bucket:" not in capsys.readouterr().err  # the error says it


def test_a_bucket_that_is_only_read_need_not_be_written_to(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    monkeypatch.delattr("s2s.storage.directory.tempfile.mkstemp")
    preflight(settings, "serving")
    assert "written" not in capsys.readouterr().err


@pytest.mark.parametrize("name", ["a{b}", "}", "%(home)s"])
def test_a_path_that_versions_cannot_be_stored_at_is_refused_first(
    settings: Settings, tmp_path: Path, name: str
):
    odd = settings.model_copy(update={"bucket_url": f"file://{tmp_path}/{name}"})
    with pytest.raises(StageError, match=r"DVC has no way to write.*Use another folder"):
        preflight(odd, "collection")
    assert not (tmp_path / name).exists()


def test_a_full_disk(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 10**12, 10**8))
    with pytest.raises(StageError, match=r"disk: 0.1 GB free.*Free some space"):
        preflight(settings, "collection")


@pytest.mark.parametrize(
    ("stage", "program"),
    [("preprocessing", "ffmpeg_path"), ("collection", "small_ffmpeg_path")],
)
def test_no_ffmpeg(
    stage: str, program: str, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setattr(f"s2s.media.codecs.{program}", lambda: tmp_path / "none")
    with pytest.raises(StageError, match=rf"codecs: missing: .*none.*services/{stage}/requir"):
        preflight(settings, stage)


def test_a_codec_that_is_not_there(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("s2s.media.codecs.ENCODERS", ("libx264", "no_such_codec"))
    with pytest.raises(StageError, match="missing: encoder no_such_codec"):
        preflight(settings, "preprocessing")


def test_all_that_lacks_is_said_at_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1, 1, 0))
    monkeypatch.setattr("s2s.media.codecs.DECODERS", ("no_such_codec",))
    with pytest.raises(StageError, match=r"disk: .*; codecs: "):
        preflight(settings, "validation")
    marks = [line.split()[:2] for line in capsys.readouterr().err.splitlines()]
    assert marks == [["ok", "bucket:"], ["lacks", "disk:"], ["lacks", "codecs:"]]


def test_a_bucket_of_a_kind_that_there_is_not_is_told_once(
    settings: Settings, capsys: pytest.CaptureFixture
):
    other = settings.model_copy(update={"bucket_url": "s3://foo"})
    with pytest.raises(StageError) as raised:
        preflight(other, "collection")
    told = capsys.readouterr().err + str(raised.value)
    assert told.count("use gs://NAME or file://DIR") == 1
    assert str(raised.value).endswith("Check --bucket, or S2S_BUCKET")


@pytest.mark.parametrize(
    ("source", "lacks"),
    [
        ("file:there.pth", False),
        ("file:none.pth", True),
        ("bucket:weights/there.pth", False),
        ("bucket:weights/none.pth", True),
        ("package:pytest/__init__.py", False),
        ("package:pytest/none.pth", True),
        ("package:no_such_package/x.pth", True),
        ("package:pytest", False),
        ("package:huggingface-hub", False),
        ("package:no-such-package", True),
        ("package:../evil", True),
    ],
)
def test_weights(settings: Settings, tmp_path: Path, source: str, *, lacks: bool):
    (tmp_path / "there.pth").touch()
    (tmp_path / "bucket" / "weights").mkdir()
    (tmp_path / "bucket" / "weights" / "there.pth").touch()
    features = GenerationFeatureSettings(motion="raft_small", motion_weights=source)
    recipe = settings.recipe.model_copy(update={"feature_extraction": features})
    asked = settings.model_copy(update={"recipe": recipe})
    if lacks:
        with pytest.raises(StageError, match=r"feature_extraction.motion_weights in the recipe"):
            preflight(asked, "feature_extraction")
    else:
        preflight(asked, "feature_extraction")


def test_weights_of_a_network_that_is_not_used(settings: Settings):
    features = GenerationFeatureSettings(motion="raft_small", semantic_weights="file:none.pth")
    recipe = settings.recipe.model_copy(update={"feature_extraction": features})
    preflight(settings.model_copy(update={"recipe": recipe}), "feature_extraction")


@pytest.mark.parametrize(
    ("in_image", "remedy"), [(True, "Use s2s/preprocessing-ray or"), (False, "'pip install ray'")]
)
def test_ray_is_not_there(
    in_image: bool, remedy: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(by_name, "find_spec", lambda _: None)
    if in_image:
        monkeypatch.setattr(by_name, "is_in_image", lambda: True)
    with pytest.raises(StageError, match=rf"cluster: engine ray: Ray is not in.*{remedy}"):
        preflight(settings.model_copy(update={"engine": "ray"}), "preprocessing")


def test_a_cluster_that_is_gone(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("ray", reason="Ray is not installed")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{port}")
    with pytest.raises(StageError, match=rf"cluster: no Ray cluster answers at 127.0.0.1:{port}"):
        preflight(settings.model_copy(update={"engine": "ray"}), "validation")


def test_a_node_is_told_its_place_or_what_lacks(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    training = settings.recipe.training.model_copy(update={"nodes": 2})
    recipe = settings.recipe.model_copy(update={"training": training})
    several = settings.model_copy(update={"recipe": recipe})
    with pytest.raises(StageError, match=r"nodes: .*no NODE_RANK\. Start the same command"):
        preflight(several, "training")
    preflight(several, "feature_extraction")  # has no need of others
    for name, value in (("NODE_RANK", "1"), ("MASTER_ADDR", "a"), ("MASTER_PORT", "29500")):
        monkeypatch.setenv(name, value)
    capsys.readouterr()
    preflight(several, "training")
    said = " ".join(capsys.readouterr().err.split())
    assert "nodes: this is node 1 of 2, which meet at a:29500" in said
    assert "can be written to" not in said  # the first one alone writes
    with pytest.raises(StageError, match=r"nodes: NODE_RANK .* training\.nodes is 1\. Set it"):
        preflight(settings, "training")


def test_a_model_that_is_there_needs_no_nodes(settings: Settings):
    training = settings.recipe.training.model_copy(update={"nodes": 2})
    recipe = settings.recipe.model_copy(update={"training": training})
    bucket = open_bucket(settings.bucket_url)
    write_version(bucket, recipe, DatasetVersion("dataset_v1"))
    bucket.write(model_config_key(recipe, "dataset_v1"), b"{}")
    preflight(settings.model_copy(update={"recipe": recipe}), "training")
