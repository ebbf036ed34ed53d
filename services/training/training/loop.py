"""The training loop.

Hidden matrices are trained by Muon (Jordan et al. 2024), which needs about half the steps that
AdamW does here; everything else by AdamW.
"""

import logging
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import lightning
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.core.optimizer import LightningOptimizer
from torch.utils.data import DataLoader, Dataset

from s2s.errors import ObjectNotFoundError, StageError
from s2s.models.flow import flow_loss
from s2s.models.network import MelTransformer
from s2s.settings import TrainingSettings
from s2s.storage import Bucket
from training.callbacks import (
    Budget,
    LearningCurve,
    StoredCheckpoints,
    TrainingBar,
    WarmAveraging,
)

__all__ = ["CHECKPOINT_FILE", "Fit", "FlowTraining", "fit"]

log = logging.getLogger(__name__)

CHECKPOINT_FILE = "checkpoints/last.ckpt"
MUON_FACTOR = 4.0
"""Muon's learning rate over AdamW's."""
WARM_UP_STEPS = 30
_CLIP_NORM = 1.0
_FINAL_RATE = 0.01
_VAL_EVERY_STEPS = 100
_VAL_BATCHES = 4
_GPU_LOADERS = 4

Batch = tuple[torch.Tensor, torch.Tensor]


class FlowTraining(lightning.LightningModule):
    """Trains a network by flow matching.

    Args:
        network: the network.
        settings: the recipe's section.
        budget: tells how far the training is.
    """

    def __init__(self, network: MelTransformer, settings: TrainingSettings, budget: Budget) -> None:
        super().__init__()
        self.automatic_optimization = False  # two optimizers share one backward pass
        self.network = network
        self._settings = settings
        self._budget = budget

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """AdamW, and Muon for the blocks' matrices."""
        rate = self._settings.learning_rate
        matrices = [part for part in self.network.blocks.parameters() if part.ndim == 2]
        chosen = set(matrices)
        rest = [part for part in self.network.parameters() if part not in chosen]
        return [
            torch.optim.AdamW(rest, lr=rate, betas=(0.9, 0.98), weight_decay=0.01),
            torch.optim.Muon(
                matrices,
                lr=MUON_FACTOR * rate,
                weight_decay=0.01,
                adjust_lr_fn="match_rms_adamw",
            ),
        ]

    def training_step(self, batch: Batch, _index: int) -> torch.Tensor:
        """One step of both optimizers."""
        tokens_BTD, motion_BTC = batch
        loss = flow_loss(self.network, tokens_BTD, motion_BTC, self._settings.null_probability)
        self.zero_grad()
        self.manual_backward(loss)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), _CLIP_NORM)
        adamw, muon = cast("list[LightningOptimizer]", self.optimizers())
        rate = self._rate()
        for optimizer, peak in ((adamw, rate), (muon, MUON_FACTOR * rate)):
            for group in optimizer.param_groups:
                group["lr"] = peak
        adamw.step()
        muon.optimizer.step()  # past Lightning, which would count it as a step of its own
        self.log("train_loss", loss.detach())
        self.log("learning_rate", rate)
        return loss

    def validation_step(self, batch: Batch, index: int) -> None:
        """The loss with the same noise every time, so that it can be compared."""
        generator = torch.Generator(self.device).manual_seed(index)
        loss = flow_loss(self.network, *batch, null_probability=0.0, generator=generator)
        self.log("val_loss", loss)

    def _rate(self) -> float:
        """Warm-up, then half a cosine over the budget."""
        cosine = 0.5 + 0.5 * math.cos(math.pi * self._budget.share_spent(self.global_step))
        warm = min(1.0, (self.global_step + 1) / WARM_UP_STEPS)
        return self._settings.learning_rate * warm * (_FINAL_RATE + (1 - _FINAL_RATE) * cosine)


@dataclass(frozen=True)
class Fit:
    """What training came to.

    Attributes:
        network: with averaged weights.
        curve: losses over time.
        steps: optimizer steps, earlier runs included.
        seconds: time, earlier runs included.
    """

    network: MelTransformer
    curve: LearningCurve
    steps: int
    seconds: float


def fit(
    network: MelTransformer,
    settings: TrainingSettings,
    data: Mapping[str, Dataset[Any]],
    store: tuple[Bucket, str],
    folder: Path,
) -> Fit:
    """Train a network, from its last checkpoint if there is one.

    Args:
        network: to be trained, in place.
        settings: the recipe's section.
        data: "train" and, where there are clips for it, "val".
        store: the bucket, and the key of the checkpoint.
        folder: where the checkpoint is on this machine.

    Raises:
        StageError: if there is no GPU where one is asked for, or its memory does not suffice.
    """
    on_gpu = _find_gpu(settings)
    budget = Budget(settings)
    curve = LearningCurve(budget)
    checkpoint = folder / Path(CHECKPOINT_FILE).name
    resume = _fetch_checkpoint(*store, checkpoint)
    loaders = {
        name: DataLoader(
            part, settings.batch_size, num_workers=_GPU_LOADERS if on_gpu else 0, pin_memory=on_gpu
        )
        for name, part in data.items()
    }
    callbacks = [budget, curve, StoredCheckpoints(*store, checkpoint)]
    callbacks += [WarmAveraging(), TrainingBar(budget)]
    module = FlowTraining(network, settings, budget)
    trainer = _make_trainer(settings, callbacks, on_gpu=on_gpu, validate="val" in loaders)
    try:
        trainer.fit(
            module, loaders["train"], loaders.get("val"), ckpt_path=resume, weights_only=True
        )
    except torch.OutOfMemoryError as error:
        raise StageError(
            f"the GPU's memory does not hold a batch of {settings.batch_size} windows: "
            "lower training.batch_size or training.window_s in the recipe"
        ) from error
    return Fit(network.cpu().eval(), curve, trainer.global_step, budget.time_elapsed())


def _make_trainer(
    settings: TrainingSettings, callbacks: list[Callback], *, on_gpu: bool, validate: bool
) -> lightning.Trainer:
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)  # tips, and what we know
    warnings.filterwarnings("ignore", module="lightning.pytorch")
    return lightning.Trainer(
        accelerator=settings.accelerator,
        precision="bf16-mixed" if on_gpu else "32-true",
        max_steps=settings.max_steps,
        callbacks=callbacks,
        val_check_interval=min(_VAL_EVERY_STEPS, settings.max_steps),
        limit_val_batches=_VAL_BATCHES if validate else 0,
        num_sanity_val_steps=0,
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=False,
    )


def _find_gpu(settings: TrainingSettings) -> bool:
    if settings.accelerator == "gpu" and not torch.cuda.is_available():
        raise StageError(
            "training.accelerator is gpu, but torch finds none: set it to auto or cpu in the "
            "recipe, or run on a machine with a GPU and its driver"
        )
    return settings.accelerator != "cpu" and torch.cuda.is_available()


def _fetch_checkpoint(bucket: Bucket, key: str, path: Path) -> Path | None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        bucket.download(key, path)
    except ObjectNotFoundError:
        return None
    log.warning("going on from the checkpoint %s", key)
    return path
