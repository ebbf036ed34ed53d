"""The vocoder's objective: real sound, from the mel of the training clips' sound."""

import math
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Dataset

from s2s.errors import StageError
from s2s.layout import model_prefix
from s2s.settings import TrainingSettings
from s2s.tasks.common.chance import Chance, seeded
from s2s.tasks.common.optimizers import adamw_and_muon
from s2s.tasks.contract import Learner, Material, Objective
from s2s.tasks.generation.network.istft import IstftConfig, IstftNetwork
from s2s.tasks.generation.network.vocoder import VOCODER_FILE, load_vocoder, save_vocoder
from s2s.tasks.generation.network.vocos import load_vocos
from s2s.tasks.generation.objective.vocoder_data import CropDataset, gather_sounds
from s2s.tasks.generation.objective.vocoder_discriminators import Discriminators
from s2s.tasks.generation.objective.vocoder_losses import (
    SpectralLoss,
    discriminator_loss,
    generator_loss,
)
from s2s.tasks.generation.settings import GenerationRecipe, VocoderSettings
from s2s.workspace import workspace

__all__ = ["VocoderObjective", "prepare_vocoder", "vocoder_settings"]

_FIRST_BETA = 0.8
_DISCRIMINATOR_SHARE = 0.1
"""Learning rate of discriminators over the vocoder's."""
_ADVERSARIAL_WEIGHT = 0.1
_VAL_CLIPS = 16
_VAL_BATCHES = 2


class VocoderObjective(Objective):
    """Spectra of made sound like those of real sound; discriminators teach it where wanted.

    Args:
        network: to be trained.
        section: the recipe's.
        settings: what it is trained on, see `vocoder_settings`.
        crops: of each split.
        seed: source of chance.
    """

    name = "vocoder"
    memory_remedy = "lower training.vocoder.batch_size or training.vocoder.crop_s"

    def __init__(
        self,
        network: IstftNetwork,
        section: VocoderSettings,
        settings: TrainingSettings,
        crops: Mapping[str, CropDataset],
        seed: int = 0,
    ) -> None:
        self.network = self._vocoder = network
        self.settings = settings
        self.seed = seed
        self._crops = crops
        self._spectral_loss = SpectralLoss(network.config.spec)
        self.adversary = None
        if section.discriminators:
            with seeded(seed):
                discriminators = Discriminators(self._spectral_loss.sizes)
            self.adversary = _Adversary(network, discriminators, settings.learning_rate)

    def datasets(self) -> Mapping[str, Dataset[Any]]:
        """Random crops of clips' sound, with their mel."""
        return self._crops

    def optimizers(self) -> Sequence[torch.optim.Optimizer]:
        """AdamW, and Muon for the blocks' matrices."""
        return adamw_and_muon(self.network, self.settings.learning_rate, _FIRST_BETA)

    def loss(self, batch: Any, chance: Chance) -> torch.Tensor:  # noqa: ARG002 - nothing is drawn
        """The distance of spectra and, where there are discriminators, the adversarial losses."""
        mel_BMK, real_BN = batch
        made_BN = self.network(mel_BMK)
        loss = self._spectral_loss(made_BN, real_BN)
        if self.adversary is not None:
            judge = self.adversary.network
            loss = loss + _ADVERSARIAL_WEIGHT * generator_loss(judge(real_BN), judge(made_BN))
        return loss

    def validation_loss(self, batch: Any, chance: Chance) -> torch.Tensor:  # noqa: ARG002
        """The distance of spectra alone."""
        mel_BMK, real_BN = batch
        return self._spectral_loss(self.network(mel_BMK), real_BN)

    def export(self, folder: Path) -> None:
        """Write the weights."""
        save_vocoder(folder, self._vocoder)


class _Adversary(Learner):
    """Learns to tell real sound from made sound.

    Args:
        vocoder: makes sound; is not trained here.
        discriminators: are trained.
        rate: the vocoder's learning rate.
    """

    def __init__(self, vocoder: IstftNetwork, discriminators: Discriminators, rate: float) -> None:
        self.network = discriminators
        self._vocoder = vocoder
        self._rate = _DISCRIMINATOR_SHARE * rate

    def optimizers(self) -> Sequence[torch.optim.Optimizer]:
        return [torch.optim.AdamW(self.network.parameters(), lr=self._rate, betas=(0.8, 0.9))]

    def loss(self, batch: Any, chance: Chance) -> torch.Tensor:  # noqa: ARG002 - nothing is drawn
        mel_BMK, real_BN = batch
        with torch.no_grad():
            made_BN = self._vocoder(mel_BMK)
        return discriminator_loss(self.network(real_BN), self.network(made_BN))


def prepare_vocoder(
    material: Material,
) -> Generator[VocoderObjective, None, IstftConfig | None]:
    """Have the vocoder that the recipe asks for in the model directory.

    One that an earlier run has finished is taken from the bucket.

    Yields:
        what is to be trained first, if anything.

    Returns:
        its shape; None for Griffin-Lim, which has none.

    Raises:
        ModelError: if a vocoder that was trained elsewhere does not fit.
        StageError: if there is no sound to train on.
    """
    recipe = material.recipe
    assert isinstance(recipe, GenerationRecipe)  # noqa: S101 - for the type checker
    section = recipe.training.vocoder
    if section.kind == "griffin_lim":
        return None
    if section.kind == "file":
        network = load_vocos(material.recipe_folder / str(section.path), recipe.spec)
        save_vocoder(material.folder, network)
        return network.config
    config = IstftConfig(
        spec=recipe.spec, width=section.width, hidden=2 * section.width, depth=section.depth
    )
    key = model_prefix(recipe, material.version.name) + VOCODER_FILE
    if material.bucket.exists(key):
        material.bucket.fetch(key, material.folder / VOCODER_FILE)
        load_vocoder(material.folder, config)  # or say that it is damaged
        return config
    with seeded(recipe.seed):
        network = IstftNetwork(config)
    with workspace(material.folder / "vocoder") as scratch:
        crops = _crops(material, recipe, scratch)
        yield VocoderObjective(network, section, vocoder_settings(recipe), crops, recipe.seed)
    return config


def vocoder_settings(recipe: GenerationRecipe) -> TrainingSettings:
    """Settings of the vocoder's training: the model's devices, the vocoder's own budget."""
    section, training = recipe.training.vocoder, recipe.training
    return TrainingSettings(
        batch_size=section.batch_size,
        max_steps=section.max_steps,
        max_minutes=section.max_minutes,
        learning_rate=section.learning_rate,
        accelerator=training.accelerator,
        devices=training.devices,
        nodes=training.nodes,
        loaders=training.loaders,
        compile=False,
    )


def _crops(material: Material, recipe: GenerationRecipe, folder: Path) -> dict[str, CropDataset]:
    section = recipe.training.vocoder
    frames = max(1, round(section.crop_s * recipe.spec.mel_rate_hz))
    plans = {"train": (section.max_clips, section.max_steps), "val": (_VAL_CLIPS, _VAL_BATCHES)}
    crops = {}
    for split, (n_clips, n_batches) in plans.items():
        listed = [clip.listed for clip in material.clips.get(split, ())]
        chosen = listed[:: max(1, math.ceil(len(listed) / n_clips))]
        if chosen:
            sounds = gather_sounds(
                material.bucket, chosen, recipe.spec.sample_rate_hz, folder / f"{split}.pcm"
            )
            count = n_batches * section.batch_size
            crops[split] = CropDataset(sounds, recipe.spec, frames, count, recipe.seed)
    if "train" not in crops:
        raise StageError(
            "there is no sound that a vocoder could be trained on: set training.vocoder.kind to "
            "griffin_lim, or add clips to the catalog"
        )
    return crops
