"""What is made small: cross entropy of a clip's classes.

Legend: B batch, L classes.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional as F  # noqa: N812
from torch.utils.data import Dataset

from s2s.model_directory import ModelDescription, save_model
from s2s.tasks.classification.data import (
    ClipDataset,
    classes_of,
    measure_mel,
    targets_of,
    tell_odd_classes,
)
from s2s.tasks.classification.network import ClipInputs, make_classifier
from s2s.tasks.classification.network.directory import (
    TASK,
    ModelConfig,
    describe_model,
)
from s2s.tasks.classification.network.fusion import AudioVisual
from s2s.tasks.classification.network.shape import check_size, config_of
from s2s.tasks.classification.network.volume import AttentionBlock
from s2s.tasks.classification.network.weights import give_backbone_weights
from s2s.tasks.classification.processor import ClipProcessor, ProcessorConfig
from s2s.tasks.classification.settings import ClassificationRecipe
from s2s.tasks.common.chance import Chance, seeded
from s2s.tasks.contract import MODEL, Material, Objective

__all__ = ["ClassificationObjective", "objectives"]

_VAL_BATCHES = 8
_WEIGHT_DECAY = 0.05
_ATTENTION_RATE = 0.2
"""The learning rate of attention over that of what is below it: at the same rate the convolutions
of the small video transformer learn motion so late that they come to less within the budget."""


class ClassificationObjective(Objective):
    """Cross entropy, or binary cross entropy where clips have several classes.

    Args:
        material: what is trained on; `train` has clips.
        config: of the model.
        network: to be trained.
    """

    memory_remedy = "raise training.accumulate, or lower training.batch_size or training.crop_px"

    def __init__(self, material: Material, config: ModelConfig, network: torch.nn.Module) -> None:
        recipe = material.recipe
        assert isinstance(recipe, ClassificationRecipe)  # noqa: S101 - for the type checker
        self.name = MODEL
        self.settings = recipe.training
        self.seed = recipe.seed
        self.network = network
        self.config = config
        self.summary = describe_model(config)
        self._recipe = recipe
        # Not the material itself: processes that share a training are given all that is here.
        self._clips = material.clips
        self._version = material.version.name
        self._processor = ClipProcessor(ProcessorConfig.model_validate(config.processor))
        self._weights_L = self._class_weights()

    def datasets(self) -> Mapping[str, Dataset[Any]]:
        """Clips in random views; for validation, each once in its middle view."""
        training, clips = self.settings, self._clips
        classes, processor = self.config.classes, self._processor
        count = training.max_steps * training.batch_size
        change = self._recipe.training.augmentation
        sets: dict[str, Dataset[Any]] = {
            "train": ClipDataset(clips["train"], classes, processor, change, count, self.seed)
        }
        if held_out := clips.get("val"):
            n_held_out = min(len(held_out), _VAL_BATCHES * training.batch_size)
            sets["val"] = ClipDataset(held_out, classes, processor, None, n_held_out, self.seed)
        return sets

    def optimizers(self) -> Sequence[torch.optim.Optimizer]:
        """AdamW (Loshchilov and Hutter 2017), for our attention at a lower rate."""
        rate = self.settings.learning_rate
        blocks = [part for part in self.network.modules() if isinstance(part, AttentionBlock)]
        slow = [part for block in blocks for part in block.parameters()]
        chosen = set(slow)
        rest = [part for part in self.network.parameters() if part not in chosen]
        groups = [{"params": rest}, {"params": slow, "lr": _ATTENTION_RATE * rate}]
        return [torch.optim.AdamW(groups[: 2 if slow else 1], rate, weight_decay=_WEIGHT_DECAY)]

    def loss(self, batch: Any, chance: Chance) -> torch.Tensor:
        """The loss of clips, of which some are answered by one modality alone."""
        training = self._recipe.training
        inputs, smoothing = self._inputs(batch), training.label_smoothing
        if training.model != "audio_visual":
            return self._loss(inputs, batch["target"], smoothing)
        counted = _without_modalities(inputs, training.modality_dropout, chance)
        return self._loss(inputs, batch["target"], smoothing, counted)

    def clip_groups(self) -> Sequence[Sequence[torch.nn.Parameter]]:
        """What sees, what hears, and what fuses: each is to learn as fast as it would alone."""
        if isinstance(self.network, AudioVisual):
            return self.network.parameter_groups()
        return super().clip_groups()

    def validation_loss(self, batch: Any, chance: Chance) -> torch.Tensor:  # noqa: ARG002
        """The same of clips as they are."""
        return self._loss(self._inputs(batch), batch["target"], 0.0)

    def export(self, folder: Path) -> None:
        """Write weights and config."""
        description = ModelDescription(
            task=TASK,
            recipe=self._recipe.name,
            version=self._version,
            spec=self._recipe.spec,
            config=self.config.model_dump(mode="json"),
        )
        save_model(folder, self.network, description)

    def _inputs(self, batch: Mapping[str, torch.Tensor]) -> ClipInputs:
        frames_BTCHW = batch["frames"].permute(0, 1, 4, 2, 3)
        seen_BTCHW = self._processor.normalised(frames_BTCHW, batch["has_frame"])
        return ClipInputs(seen_BTCHW, batch["has_frame"], batch["mel"], batch["has_sound"])

    def _loss(
        self,
        inputs: ClipInputs,
        target_BL: torch.Tensor,
        smoothing: float,
        counted: tuple[torch.Tensor, torch.Tensor] | None = None,
    ) -> torch.Tensor:
        """The mean loss of clips.

        With picture and sound it is that of the answer, and that of each modality alone (Wang et
        al. 2020, "What Makes Training Multi-modal Classification Networks Hard?", section 3): who
        is asked together only leaves all to the one that learns sooner.

        Args:
            inputs: the clips.
            target_BL: their classes.
            smoothing: share of certainty that is given to all classes.
            counted: clips whose picture, and whose sound, counts in the answer; None for all.
        """
        if not isinstance(self.network, AudioVisual):
            return self._of_scores(self.network(inputs), target_BL, smoothing).mean()
        scores = self.network.every_score(inputs)
        sees_B, hears_B = inputs.senses()
        answer_BL = self.network.answer(scores, *(counted or (sees_B, hears_B)))
        return (
            self._of_scores(answer_BL, target_BL, smoothing)
            + sees_B * self._of_scores(scores[1], target_BL, smoothing)
            + hears_B * self._of_scores(scores[2], target_BL, smoothing)
        ).mean()

    def _of_scores(
        self, scores_BL: torch.Tensor, target_BL: torch.Tensor, smoothing: float
    ) -> torch.Tensor:
        """The loss of each clip: (B,)."""
        weights_L = self._weights_L.to(scores_BL.device)
        if self.config.multi_label:
            wanted = target_BL * (1 - smoothing) + smoothing / 2
            losses_BL = F.binary_cross_entropy_with_logits(
                scores_BL, wanted, weight=weights_L, reduction="none"
            )
            return losses_BL.mean(dim=1)
        wanted = target_BL / target_BL.sum(dim=1, keepdim=True).clamp_min(1e-6)
        wanted = wanted * (1 - smoothing) + smoothing / scores_BL.shape[1]
        return -(weights_L * wanted * scores_BL.log_softmax(dim=1)).sum(dim=1)

    def _class_weights(self) -> torch.Tensor:
        """One for each class, or more for those that are rare; their mean over clips is one."""
        classes = self.config.classes
        if self._recipe.training.class_weights == "none":
            return torch.ones(len(classes))
        targets_NL = torch.stack([targets_of(c, classes) for c in self._clips["train"]])
        counts_L = targets_NL.sum(dim=0).clamp_min(1)
        return counts_L.sum() / (len(classes) * counts_L)


def objectives(material: Material) -> Iterator[Objective]:
    """The one objective of a classifier.

    Raises:
        StageError: if the training clips have less than two classes.
        ModelError: if there is no backbone of that name, it does not take clips of that size, or
            its weights do not fit.
    """
    recipe = material.recipe
    assert isinstance(recipe, ClassificationRecipe)  # noqa: S101 - for the type checker
    training, clips = recipe.training, material.clips["train"]
    classes = classes_of(clips)
    tell_odd_classes(material.clips, classes)
    mel_mean, mel_std = measure_mel(clips)
    processor = ProcessorConfig.of(recipe).model_copy(
        update={"mel_mean": mel_mean, "mel_std": mel_std}
    )
    network_config = config_of(recipe, len(classes))
    with seeded(recipe.seed):
        network = make_classifier(network_config)
    check_size(network, network_config, recipe.spec.mel_frames(recipe.spec.frames()))
    if training.weights != "random":
        scale = give_backbone_weights(network, material)
        processor = processor.model_copy(update=scale)
    config = ModelConfig(
        network=network_config,
        processor=processor.model_dump(mode="json"),
        classes=classes,
        multi_label=training.multi_label,
        weights=training.weights,
    )
    yield ClassificationObjective(material, config, network)


def _without_modalities(
    inputs: ClipInputs, share: float, chance: Chance
) -> tuple[torch.Tensor, torch.Tensor]:
    """Clips whose picture, and whose sound, counts: some lose one, and as many the other.

    What is left out is looked at all the same. So what sees learns from every picture, and its
    batch normalisation measures pictures only, not blank ones.

    Returns:
        bool (B,) each.
    """
    sees_B, hears_B = inputs.senses()
    drawn_B = chance.uniform(1)[:, 0]
    is_deaf_B = (drawn_B < share) & sees_B
    is_blind_B = (drawn_B >= share) & (drawn_B < 2 * share) & hears_B
    return sees_B & ~is_blind_B, hears_B & ~is_deaf_B
