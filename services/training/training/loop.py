"""The training loop: a Lightning module, and what happens beside it.

Hidden matrices are trained by Muon (Jordan et al. 2024), which needs about half the steps that
AdamW does here; everything else by AdamW.
"""

import csv
import logging
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import lightning
import torch
from lightning.pytorch.callbacks import Callback, RichProgressBar, Timer, WeightAveraging
from lightning.pytorch.core.optimizer import LightningOptimizer
from torch.utils.data import DataLoader, Dataset

from s2s.errors import ObjectNotFoundError, StageError
from s2s.models.flow import flow_loss
from s2s.models.network import MelTransformer
from s2s.settings import TrainingSettings
from s2s.storage import Bucket

__all__ = ["CHECKPOINT_FILE", "Fit", "FlowTraining", "LearningCurve", "fit"]

log = logging.getLogger(__name__)

CHECKPOINT_FILE = "checkpoints/last.ckpt"
MUON_FACTOR = 4.0
"""Muon's learning rate over AdamW's."""
EMA_DECAY = 0.999
WARM_UP_STEPS = 30
_CLIP_NORM = 1.0
_FINAL_RATE = 0.01
_CHECKPOINT_EVERY_S = 60.0
_CURVE_EVERY_STEPS = 10
_VAL_EVERY_STEPS = 100
_VAL_BATCHES = 4
_CURVE_COLUMNS: list[str] = ["step", "seconds", "train_loss", "val_loss", "learning_rate"]
_GPU_LOADERS = 4


class FlowTraining(lightning.LightningModule):
    """Trains a network by flow matching.

    Args:
        network: the network.
        settings: the recipe's section.
        timer: tells the time spent, earlier runs included.
    """

    def __init__(self, network: MelTransformer, settings: TrainingSettings, timer: Timer) -> None:
        super().__init__()
        self.automatic_optimization = False  # two optimizers share one backward pass
        self.network = network
        self._settings = settings
        self._timer = timer

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Muon for the blocks' matrices, AdamW for the rest."""
        rate = self._settings.learning_rate
        matrices = [p for p in self.network.blocks.parameters() if p.ndim == 2]
        chosen = set(matrices)
        rest = [p for p in self.network.parameters() if p not in chosen]
        return [
            torch.optim.AdamW(rest, lr=rate, betas=(0.9, 0.98), weight_decay=0.01),
            torch.optim.Muon(
                matrices,
                lr=MUON_FACTOR * rate,
                weight_decay=0.01,
                adjust_lr_fn="match_rms_adamw",
            ),
        ]

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], _index: int) -> torch.Tensor:
        """One step of both optimizers."""
        tokens_BTD, motion_BTC = batch
        loss = flow_loss(self.network, tokens_BTD, motion_BTC, self._settings.null_probability)
        adamw, muon = cast("list[LightningOptimizer]", self.optimizers())
        self.zero_grad()
        self.manual_backward(loss)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), _CLIP_NORM)
        rate = self._rate()
        for optimizer, peak in ((adamw, 1.0), (muon, MUON_FACTOR)):
            for group in optimizer.param_groups:
                group["lr"] = peak * rate
        adamw.step()
        muon.optimizer.step()  # past Lightning, which would count it as a step of its own
        self.log("train_loss", loss.detach(), prog_bar=True)
        self.log("learning_rate", rate)
        return loss

    def validation_step(self, batch: tuple[torch.Tensor, torch.Tensor], index: int) -> None:
        """The loss with the same noise every time, so that it can be compared."""
        generator = torch.Generator(self.device).manual_seed(index)
        loss = flow_loss(self.network, *batch, null_probability=0.0, generator=generator)
        self.log("val_loss", loss, prog_bar=True)

    def _rate(self) -> float:
        """Warm-up, then a cosine that ends with the steps or with the time, what comes first."""
        step, settings = self.global_step, self._settings
        done = step / settings.max_steps
        if settings.max_minutes is not None:
            done = max(done, self._timer.time_elapsed() / (60 * settings.max_minutes))
        cosine = 0.5 + 0.5 * math.cos(math.pi * min(1.0, done))
        warm = min(1.0, (step + 1) / WARM_UP_STEPS)
        return settings.learning_rate * warm * (_FINAL_RATE + (1 - _FINAL_RATE) * cosine)


class LearningCurve(Callback):
    """Notes losses as training goes on; they travel with checkpoints.

    Attributes:
        rows: step, seconds, train_loss, val_loss and learning_rate; None where there is none.
    """

    def __init__(self, timer: Timer) -> None:
        self.rows: list[dict[str, float | None]] = []
        self._timer = timer

    def on_train_batch_end(self, trainer: lightning.Trainer, *_args: Any, **_kwargs: Any) -> None:
        """Note every so many steps."""
        if trainer.global_step % _CURVE_EVERY_STEPS == 0 or trainer.global_step == 1:
            self._note(trainer, ("train_loss", "learning_rate"))

    def on_validation_end(self, trainer: lightning.Trainer, *_args: Any, **_kwargs: Any) -> None:
        """Note the loss on clips that are not trained on."""
        self._note(trainer, ("val_loss",))

    def state_dict(self) -> dict[str, Any]:
        """For the checkpoint."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """From the checkpoint."""
        self.rows = list(state_dict["rows"])

    def write_csv(self, path: Path) -> None:
        """One line for each row."""
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, _CURVE_COLUMNS, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.rows)

    def _note(self, trainer: lightning.Trainer, names: tuple[str, ...]) -> None:
        values = {
            name: trainer.callback_metrics[name].item()
            for name in names
            if name in trainer.callback_metrics
        }
        seconds = round(self._timer.time_elapsed(), 2)
        self.rows.append({"step": trainer.global_step, "seconds": seconds, **values})


class StoredCheckpoints(Callback):
    """Puts a checkpoint into the bucket now and then, where any machine can go on from it.

    Args:
        bucket: where to.
        key: its key; each takes the place of the one before.
        path: the same on this machine.
    """

    def __init__(self, bucket: Bucket, key: str, path: Path) -> None:
        self._bucket = bucket
        self._key = key
        self._path = path
        self._last_s = time.monotonic()

    def on_train_batch_end(self, trainer: lightning.Trainer, *_args: Any, **_kwargs: Any) -> None:
        """Store one when it is time."""
        if time.monotonic() - self._last_s >= _CHECKPOINT_EVERY_S:
            trainer.save_checkpoint(self._path)
            self._bucket.upload(self._path, self._key, overwrite=True)
            self._last_s = time.monotonic()


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
    timer = Timer(None if settings.max_minutes is None else timedelta(minutes=settings.max_minutes))
    curve = LearningCurve(timer)
    checkpoint = folder / Path(CHECKPOINT_FILE).name
    module = FlowTraining(network, settings, timer)
    trainer = lightning.Trainer(
        accelerator=settings.accelerator,
        precision="bf16-mixed" if on_gpu else "32-true",
        max_steps=settings.max_steps,
        max_epochs=-1,
        callbacks=[
            timer,
            curve,
            StoredCheckpoints(*store, checkpoint),
            WeightAveraging(avg_fn=_average),
            RichProgressBar(),
        ],
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        val_check_interval=min(_VAL_EVERY_STEPS, settings.max_steps),
        limit_val_batches=_VAL_BATCHES,
        num_sanity_val_steps=0,
        default_root_dir=folder,
    )
    loaders = {
        name: DataLoader(
            part, settings.batch_size, num_workers=_GPU_LOADERS if on_gpu else 0, pin_memory=on_gpu
        )
        for name, part in data.items()
    }
    resume = _fetch_checkpoint(*store, checkpoint)
    try:
        trainer.fit(
            module, loaders["train"], loaders.get("val"), ckpt_path=resume, weights_only=True
        )
    except torch.OutOfMemoryError as error:
        raise StageError(
            f"the GPU's memory does not hold a batch of {settings.batch_size} windows: "
            "lower training.batch_size or training.window_s in the recipe"
        ) from error
    return Fit(network.cpu().eval(), curve, trainer.global_step, timer.time_elapsed())


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


def _average(
    averaged: torch.Tensor, current: torch.Tensor, count: torch.Tensor | int
) -> torch.Tensor:
    """Exponential moving average; in short trainings it forgets the beginning."""
    decay = min(EMA_DECAY, (1 + int(count)) / (10 + int(count)))
    return torch.lerp(current, averaged, decay)
