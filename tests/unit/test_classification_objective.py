"""The loss of a classifier that sees and hears: of its answer, and of each modality alone."""

from pathlib import Path
from typing import Any

import pytest
import torch
from compiled import compiled_share
from torch import nn
from torch.nn import functional as F  # noqa: N812

from s2s.dataset import DatasetVersion
from s2s.storage import open_bucket
from s2s.tasks.classification.network import ClassifierConfig, make_classifier
from s2s.tasks.classification.network.directory import ModelConfig
from s2s.tasks.classification.network.fusion import AudioVisual
from s2s.tasks.classification.objective import ClassificationObjective
from s2s.tasks.classification.processor import ProcessorConfig
from s2s.tasks.classification.settings import ClassificationRecipe
from s2s.tasks.common.chance import Chance
from s2s.tasks.contract import Material

CLIPS, FRAMES, SIDE, MELS, BANDS = 6, 4, 32, 40, 16
CLASSES = ("a", "b", "c")
FUSIONS = pytest.mark.parametrize("fusion", ["late", "mid"])


def objective(folder: Path, fusion: str, modality_dropout: float) -> ClassificationObjective:
    """One with a network of random weights, of which no feature is hidden by chance."""
    training = {"model": "audio_visual", "visual": "frame_average", "fusion": fusion}
    training |= {"frames": FRAMES, "crop_px": SIDE, "modality_dropout": modality_dropout}
    content = {"name": "both", "task": "classification", "collection": {"catalog": "none.csv"}}
    recipe = ClassificationRecipe.model_validate(content | {"training": training})
    shape = ClassifierConfig(
        kind="audio_visual",
        classes=len(CLASSES),
        frames=FRAMES,
        crop_px=SIDE,
        mel_bands=BANDS,
        fusion=recipe.training.fusion,
        visual="frame_average",
        dropout=0.0,
    )
    processor = ProcessorConfig.of(recipe).model_dump(mode="json")
    config = ModelConfig(network=shape, processor=processor, classes=CLASSES, multi_label=False)
    material = Material(
        recipe=recipe,
        recipe_folder=folder,
        bucket=open_bucket(f"file://{folder}"),
        version=DatasetVersion("dataset_v1"),
        clips={"train": []},
        folder=folder,
        fit=lambda _: pytest.fail("nothing is trained here"),
    )
    torch.manual_seed(0)
    return ClassificationObjective(material, config, make_classifier(shape))


def batch(*, silent: int = 0) -> dict[str, Any]:
    """Clips with picture and sound; the first ones without sound."""
    generator = torch.Generator().manual_seed(0)
    has_sound = torch.arange(CLIPS) >= silent
    size = (CLIPS, FRAMES, SIDE, SIDE, 3)
    return {
        "frames": torch.randint(256, size, generator=generator, dtype=torch.uint8),
        "has_frame": torch.ones(CLIPS, FRAMES, dtype=torch.bool),
        "mel": torch.randn(CLIPS, MELS, BANDS, generator=generator) * has_sound[:, None, None],
        "has_sound": has_sound,
        "target": torch.eye(len(CLASSES)).repeat(2, 1),
    }


def losses_of_scores(learner: ClassificationObjective, given: dict[str, Any]) -> list[torch.Tensor]:
    """Cross entropy of each clip by both, by the picture, by the sound."""
    assert isinstance(learner.network, AudioVisual)
    scores = learner.network.every_score(learner._inputs(given))
    return [F.cross_entropy(part, given["target"], reduction="none") for part in scores]


def chance() -> Chance:
    return Chance(0, range(CLIPS))


@FUSIONS
def test_each_modality_alone_counts_beside_both(fusion: str, tmp_path: Path):
    learner, given = objective(tmp_path, fusion, 0.0), batch()
    learner.network.eval()
    wanted = sum(part.mean() for part in losses_of_scores(learner, given))
    assert torch.allclose(learner.loss(given, chance()), torch.as_tensor(wanted))
    assert torch.allclose(learner.validation_loss(given, chance()), torch.as_tensor(wanted))


@FUSIONS
def test_a_clip_that_loses_a_modality_is_answered_by_the_other_and_both_learn(
    fusion: str, tmp_path: Path
):
    share = 0.3
    learner, given = objective(tmp_path, fusion, share), batch()
    learner.network.eval()
    drawn = chance().uniform(1)[:, 0]
    both, seen, heard = losses_of_scores(learner, given)
    by_both = torch.where(drawn >= 2 * share, both, heard)
    answered = torch.where(drawn < share, seen, by_both)
    counts = [int(part.sum()) for part in (drawn < share, drawn >= 2 * share)]
    assert 0 < counts[0] < CLIPS - counts[1] < CLIPS  # all three are among the clips
    wanted = (answered + seen + heard).mean()
    assert torch.allclose(learner.loss(given, chance()), wanted)


def test_what_sees_and_hears_measures_no_blank_pictures_and_no_silence(tmp_path: Path):
    """Of a modality that a clip loses: features are normalised as they are in use."""
    measured = []
    for share in (0.0, 0.4):
        learner = objective(tmp_path, "mid", share)
        learner.loss(batch(), chance())
        layers = [part for part in learner.network.modules() if isinstance(part, nn.BatchNorm2d)]
        measured.append([layer.running_mean for layer in layers])
    assert measured[0]
    for whole, lost in zip(*measured, strict=True):
        assert torch.equal(whole, lost)


@FUSIONS
def test_what_hears_learns_nothing_from_clips_without_sound(fusion: str, tmp_path: Path):
    learner = objective(tmp_path, fusion, 0.2)
    assert isinstance(learner.network, AudioVisual)
    learner.loss(batch(silent=CLIPS), chance()).backward()
    heard = [part.grad for part in learner.network.sound.parameters()]
    seen = [part.grad for part in learner.network.visual.parameters()]
    assert all(grad is None or not grad.any() for grad in heard)
    assert all(grad is not None and grad.any() for grad in seen)


@FUSIONS
def test_gradients_of_what_sees_and_of_what_hears_are_clipped_apart(fusion: str, tmp_path: Path):
    learner = objective(tmp_path, fusion, 0.0)
    assert isinstance(learner.network, AudioVisual)
    groups = [{id(parameter) for parameter in group} for group in learner.clip_groups()]
    assert groups[0] == {id(parameter) for parameter in learner.network.visual.parameters()}
    assert groups[1] == {id(parameter) for parameter in learner.network.sound.parameters()}
    every = [id(parameter) for parameter in learner.network.parameters()]
    assert sorted(number for group in groups for number in group) == sorted(every)
    assert len(groups) == (3 if fusion == "mid" else 2)


@FUSIONS
def test_a_compiled_network_is_what_training_calls_and_has_the_same_loss(
    fusion: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    learner, given = objective(tmp_path, fusion, 0.0), batch()
    learner.network.eval()
    wanted = learner.loss(given, chance())
    found: list[torch.Tensor] = []
    share = compiled_share(
        learner.network, lambda: found.append(learner.loss(given, chance())), monkeypatch
    )
    assert share > 0.95
    torch.testing.assert_close(found[0], wanted)
