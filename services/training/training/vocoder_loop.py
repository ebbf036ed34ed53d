"""The training loop of a vocoder."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import lightning
import torch
from lightning.pytorch.core.optimizer import LightningOptimizer
from torch.utils.data import DataLoader, Dataset

from s2s.tasks.generation.network.istft import IstftNetwork
from s2s.tasks.generation.objective.vocoder_discriminators import Discriminators
from s2s.tasks.generation.objective.vocoder_losses import (
    SpectralLoss,
    discriminator_loss,
    generator_loss,
)
from s2s.tasks.generation.settings import VocoderSettings
from training.callbacks import (
    Budget,
    LearningCurve,
    StoredCheckpoints,
    TrainingBar,
    WarmAveraging,
)
from training.steps import (
    CLIP_NORM,
    GPU_LOADERS,
    MUON_FACTOR,
    annealed,
    fetch_checkpoint,
    optimizers_of,
    quiet_trainer,
    set_rate,
    within_memory,
)

__all__ = ["VocoderPlan", "VocoderTraining", "fit_vocoder"]

_DISCRIMINATOR_RATE = 0.1
_ADVERSARIAL_WEIGHT = 0.1

Batch = tuple[torch.Tensor, torch.Tensor]


class VocoderTraining(lightning.LightningModule):
    """Trains a vocoder on real sound and its mel.

    Args:
        network: the network.
        settings: the recipe's section.
        budget: tells how far the training is.
    """

    def __init__(self, network: IstftNetwork, settings: VocoderSettings, budget: Budget) -> None:
        super().__init__()
        self.automatic_optimization = False  # several optimizers, with losses of their own
        self.network = network
        self._settings = settings
        self._budget = budget
        self._loss = SpectralLoss(network.config.spec)
        self.discriminators = Discriminators(self._loss.sizes) if settings.discriminators else None

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """AdamW, Muon for the blocks' matrices, and AdamW for discriminators."""
        rate = self._settings.learning_rate
        optimizers = optimizers_of(self.network, rate, 0.8)
        if self.discriminators is not None:
            parts = self.discriminators.parameters()
            optimizers.append(torch.optim.AdamW(parts, lr=rate, betas=(0.8, 0.9)))
        return optimizers

    def training_step(self, batch: Batch, _index: int) -> torch.Tensor:
        """One step of every optimizer."""
        mel_BMK, real_BN = batch
        rate = self._rate()
        adamw, muon, *others = cast("list[LightningOptimizer]", self.optimizers())
        made_BN = self.network(mel_BMK)
        if self.discriminators is not None:
            self._teach(self.discriminators, others[0].optimizer, (made_BN.detach(), real_BN))
        loss = spectral = self._loss(made_BN, real_BN)
        if self.discriminators is not None:
            judged = generator_loss(self.discriminators(real_BN), self.discriminators(made_BN))
            loss = spectral + _ADVERSARIAL_WEIGHT * judged
        self.zero_grad()
        self.manual_backward(loss)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), CLIP_NORM)
        set_rate(adamw.optimizer, rate)
        set_rate(muon.optimizer, MUON_FACTOR * rate)
        adamw.step()
        muon.optimizer.step()  # past Lightning, which would count it as a step of its own
        self.log("train_loss", spectral.detach())
        self.log("learning_rate", rate)
        return loss

    def validation_step(self, batch: Batch, _index: int) -> None:
        """The loss on crops of clips that are not trained on."""
        mel_BMK, real_BN = batch
        self.log("val_loss", self._loss(self.network(mel_BMK), real_BN))

    def _teach(
        self,
        discriminators: Discriminators,
        optimizer: torch.optim.Optimizer,
        made_and_real: tuple[torch.Tensor, torch.Tensor],
    ) -> None:
        """One step of the discriminators."""
        made_BN, real_BN = made_and_real
        self.zero_grad()
        self.manual_backward(discriminator_loss(discriminators(real_BN), discriminators(made_BN)))
        torch.nn.utils.clip_grad_norm_(discriminators.parameters(), CLIP_NORM)
        set_rate(optimizer, _DISCRIMINATOR_RATE * self._rate())
        optimizer.step()

    def _rate(self) -> float:
        """Warm-up, then half a cosine over the budget."""
        spent = self._budget.share_spent(self.global_step)
        return annealed(self._settings.learning_rate, self.global_step, spent)


@dataclass(frozen=True)
class VocoderPlan:
    """How and where a vocoder is trained.

    Attributes:
        settings: the recipe's section.
        accelerator: what Lightning trains on.
        bucket_url: where its checkpoint is.
        checkpoint_key: the checkpoint's key.
        folder: for files on this machine.
    """

    settings: VocoderSettings
    accelerator: str
    bucket_url: str
    checkpoint_key: str
    folder: Path


def fit_vocoder(
    network: IstftNetwork, data: Mapping[str, Dataset[Batch]], plan: VocoderPlan
) -> LearningCurve:
    """Train a vocoder, from its last checkpoint if there is one.

    Args:
        network: to be trained, in place.
        data: "train" and, where there are clips for it, "val".
        plan: how and where.

    Returns:
        its losses over time.

    Raises:
        StageError: if memory does not suffice.
    """
    settings = plan.settings
    on_gpu = plan.accelerator != "cpu" and torch.cuda.is_available()
    budget = Budget(settings)
    curve = LearningCurve(budget, plan.folder / "vocoder_curve.json")
    checkpoint = plan.folder / Path(plan.checkpoint_key).name
    loaders: dict[str, Any] = {
        name: DataLoader(
            part, settings.batch_size, num_workers=GPU_LOADERS if on_gpu else 0, pin_memory=on_gpu
        )
        for name, part in data.items()
    }
    stored = StoredCheckpoints(plan.bucket_url, plan.checkpoint_key, checkpoint)
    callbacks = [budget, curve, stored, WarmAveraging(), TrainingBar(budget, "vocoder")]
    val_batches = None if "val" in loaders else 0
    trainer = quiet_trainer(
        settings.max_steps, callbacks, val_batches, accelerator=plan.accelerator, devices=1
    )
    remedy = "lower training.vocoder.batch_size or training.vocoder.crop_s in the recipe"
    with within_memory(f"a batch of {settings.batch_size} crops", remedy):
        trainer.fit(
            VocoderTraining(network, settings, budget),
            loaders["train"],
            loaders.get("val"),
            ckpt_path=fetch_checkpoint(plan.bucket_url, plan.checkpoint_key, checkpoint),
            weights_only=True,
        )
    network.cpu().eval()
    return curve
