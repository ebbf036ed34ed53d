"""Every approach answers a batch, learns from it, and is blind to what it should be blind to."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from s2s.errors import ModelError
from s2s.model_directory import load_weights, save_weights
from s2s.tasks.classification.network import ClassifierConfig, ClipInputs, make_classifier
from s2s.tasks.classification.network.fusion import AudioVisual
from s2s.tasks.classification.network.image import FilmNetwork
from s2s.tasks.classification.network.sound import SoundClassifier
from s2s.tasks.classification.objective import ClassificationObjective

KINDS = ("frame_average", "cnn_lstm", "cnn_3d", "video_transformer", "audio", "audio_visual")


def config(kind: str, **changes: object) -> ClassifierConfig:
    content = {"kind": kind, "classes": 3, "frames": 8, "crop_px": 32, "mel_bands": 16}
    return ClassifierConfig.model_validate(content | changes)


def inputs(batch: int = 2, frames: int = 8) -> ClipInputs:
    generator = torch.Generator().manual_seed(0)
    return ClipInputs(
        torch.randn(batch, frames, 3, 32, 32, generator=generator),
        torch.ones(batch, frames, dtype=torch.bool),
        torch.randn(batch, 40, 16, generator=generator),
        torch.ones(batch, dtype=torch.bool),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_scores_are_of_every_class_and_every_weight_learns(kind: str):
    torch.manual_seed(0)
    network = make_classifier(config(kind, dropout=0.0))
    scores = network(inputs())
    if isinstance(network, AudioVisual):
        scores = torch.stack(network.every_score(inputs())).sum(dim=0)

    assert scores.shape == (2, 3)
    torch.nn.functional.cross_entropy(scores, torch.tensor([0, 2])).backward()
    still = [name for name, part in network.named_parameters() if part.grad is None]
    assert still == []


@pytest.mark.parametrize(
    ("backbone", "kind"),
    [
        ("timm/resnet18", "cnn_lstm"),
        ("torchvision/r3d_18", "cnn_3d"),
    ],
)
def test_networks_of_timm_and_torchvision_take_our_classes(backbone: str, kind: str):
    network = make_classifier(config(kind, backbone=backbone, frames=16, crop_px=64)).eval()
    given = ClipInputs(torch.randn(1, 16, 3, 64, 64), torch.ones(1, 16, dtype=torch.bool))
    with torch.inference_mode():
        assert network(given).shape == (1, 3)


def test_a_backbone_that_nobody_knows_is_an_error_that_names_it():
    with pytest.raises(ModelError, match="timm/no_such_net"):
        make_classifier(config("cnn_lstm", backbone="timm/no_such_net"))
    with pytest.raises(ValueError, match="torchvision/NAME"):
        config("cnn_3d", backbone="timm/resnet18")


def test_the_average_of_frames_is_blind_to_their_order_and_others_are_not():
    forth = inputs()
    assert forth.frames_BTCHW is not None
    back = ClipInputs(
        forth.frames_BTCHW.flip(1), forth.has_frame_BT, forth.mel_BMK, forth.has_sound_B
    )
    for kind in KINDS[:4]:
        is_blind = kind == "frame_average"
        torch.manual_seed(0)
        network = make_classifier(config(kind)).eval()
        with torch.inference_mode():
            assert torch.allclose(network(forth), network(back), atol=1e-5) == is_blind, kind


def test_the_small_network_for_films_sees_what_came_before_and_nothing_that_follows():
    torch.manual_seed(0)
    network = FilmNetwork().eval()
    frames, _ = inputs().frames()
    changed = frames.clone()
    changed[:, 4] += 1
    with torch.inference_mode():
        is_same = torch.isclose(network(frames), network(changed), atol=1e-5).all(dim=2).all(dim=0)
        alone = network(frames[:, 4:5])[:, 0]
        assert is_same.tolist() == [True] * 4 + [False] * 4
        assert not torch.allclose(alone, network(frames)[:, 4], atol=1e-3)


@pytest.mark.parametrize("kind", ["frame_average", "cnn_lstm"])
def test_frames_that_only_fill_up_change_nothing(kind: str):
    torch.manual_seed(0)
    network = make_classifier(config(kind)).eval()
    short = inputs(frames=5)
    frames, there = short.frames()
    filled = ClipInputs(
        torch.cat([frames, torch.zeros(2, 3, 3, 32, 32)], 1),
        torch.cat([there, torch.zeros(2, 3, dtype=torch.bool)], 1),
    )
    with torch.inference_mode():
        assert torch.allclose(network(short), network(filled), atol=1e-5)


@pytest.mark.parametrize("fusion", ["late", "mid"])
def test_a_missing_modality_leaves_what_the_other_says(fusion: str):
    torch.manual_seed(0)
    network = make_classifier(config("audio_visual", fusion=fusion)).eval()
    whole = inputs()
    frames, there = whole.frames()
    mel, sounds = whole.sound()
    deaf = ClipInputs(frames, there, torch.zeros_like(mel), torch.zeros_like(sounds))
    blind = ClipInputs(torch.zeros_like(frames), torch.zeros_like(there), mel, sounds)
    assert isinstance(network, AudioVisual)
    with torch.inference_mode():
        assert torch.equal(network(deaf), network.every_score(deaf)[1])
        assert torch.equal(network(blind), network.every_score(blind)[2])


@pytest.mark.parametrize(
    ("kind", "changed"), [("cnn_lstm", "picture.stem.0.weight"), ("video_transformer", "places")]
)
def test_weights_of_an_earlier_structure_are_refused(kind: str, changed: str, tmp_path: Path):
    network = make_classifier(config(kind))
    weights = network.state_dict()
    weights[changed] = torch.cat([weights[changed]] * 2)
    path = save_weights(tmp_path / "m.safetensors", SimpleNamespace(state_dict=lambda: weights))  # pyright: ignore[reportArgumentType]
    with pytest.raises(
        ModelError, match=rf"(?s)m\.safetensors: not the weights .*{changed}.*train"
    ):
        load_weights(path, network)


@pytest.mark.parametrize(("kind", "n_groups"), [("video_transformer", 2), ("cnn_3d", 1)])
def test_attention_learns_at_a_lower_rate(kind: str, n_groups: int):
    network = make_classifier(config(kind))
    learner: Any = SimpleNamespace(settings=SimpleNamespace(learning_rate=0.01), network=network)
    (optimizer,) = ClassificationObjective.optimizers(learner)
    rates = [group["lr"] for group in optimizer.param_groups]
    assert rates == pytest.approx([0.01, 0.002][:n_groups])
    learned = {part for group in optimizer.param_groups for part in group["params"]}
    assert learned == set(network.parameters())


def test_sound_lies_in_memory_as_pictures_do():
    """Its one channel last: in another order convolutions on a CPU take twice as long."""
    network = make_classifier(config("audio"))
    assert isinstance(network, SoundClassifier)
    given: list[torch.Tensor] = []
    network.picture.register_forward_pre_hook(lambda _, inputs: given.append(inputs[0]))
    network(inputs())
    (pictures,) = given
    _, channels, _, width = pictures.shape
    assert (channels, pictures.stride()) == (1, (pictures[0].numel(), 1, width, 1))
