"""The training loop."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import lightning
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.core.optimizer import LightningOptimizer
from lightning.pytorch.loggers import Logger
from torch.utils.data import DataLoader, Dataset

from s2s.errors import StageError
from s2s.tasks.generation.data import MelScale
from s2s.tasks.generation.network.flow import Hiding, flow_loss
from s2s.tasks.generation.network.transformer import MelTransformer
from s2s.tasks.generation.settings import GenerationTrainingSettings
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

__all__ = ["CHECKPOINT_FILE", "Batch", "Fit", "FlowTraining", "Plan", "fit", "make_trainer"]

CHECKPOINT_FILE = "checkpoints/last.ckpt"
_VAL_BATCHES = 4

Batch = tuple[torch.Tensor, torch.Tensor]


class FlowTraining(lightning.LightningModule):
    """Trains a network by flow matching.

    Args:
        network: the network.
        settings: the recipe's section.
        scale: what the mel is normalised by.
        budget: tells how far the training is.
    """

    def __init__(
        self,
        network: MelTransformer,
        settings: GenerationTrainingSettings,
        scale: MelScale,
        budget: Budget,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False  # two optimizers share one backward pass
        self.network = network
        self._settings = settings
        self._scale = scale
        self._budget = budget

    def on_fit_start(self) -> None:
        """Give every process noise of its own, and compile the network where that is wanted."""
        if self.global_rank:
            torch.manual_seed(torch.initial_seed() + self.global_rank)
        wanted = self._settings.compile
        if self.device.type == "cuda" if wanted is None else wanted:
            self.network.compile()

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """AdamW, and Muon for the blocks' matrices."""
        return optimizers_of(self.network, self._settings.learning_rate, 0.9, fused=True)

    def training_step(self, batch: Batch, _index: int) -> torch.Tensor:
        """One step of both optimizers."""
        settings = self._settings
        hiding = Hiding(settings.null_probability, settings.still_probability)
        self.zero_grad()
        parts = [torch.chunk(array, settings.accumulate) for array in batch]
        losses = []
        for tokens_BTD, condition_BTC in zip(*parts, strict=True):
            loss = flow_loss(self.network, *self._scaled(tokens_BTD, condition_BTC), hiding)
            self.manual_backward(loss / settings.accumulate)
            losses.append(loss.detach())
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), CLIP_NORM)
        adamw, muon = cast("list[LightningOptimizer]", self.optimizers())
        rate = self._rate()
        for optimizer, peak in ((adamw, rate), (muon, MUON_FACTOR * rate)):
            set_rate(optimizer.optimizer, peak)
        adamw.step()
        muon.optimizer.step()  # past Lightning, which would count it as a step of its own
        loss = torch.stack(losses).mean()
        self.log("train_loss", loss)
        self.log("learning_rate", rate)
        return loss

    def validation_step(self, batch: Batch, index: int) -> None:
        """The loss with the same noise every time, so that it can be compared."""
        generator = torch.Generator(self.device).manual_seed(index)
        loss = flow_loss(self.network, *self._scaled(*batch), Hiding(), generator)
        self.log("val_loss", loss)

    def _scaled(
        self, tokens_BTD: torch.Tensor, condition_BTC: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """A batch as it is stored, as the network takes it: float32, the mel normalised."""
        return (tokens_BTD.float() - self._scale.mean) / self._scale.std, condition_BTC.float()

    def _rate(self) -> float:
        """Warm-up, then half a cosine over the budget."""
        spent = self._budget.share_spent(self.global_step)
        if self.trainer.world_size > 1 and self._settings.max_minutes is not None:
            spent = self.trainer.strategy.broadcast(spent)  # clocks differ, weights must not
        return annealed(self._settings.learning_rate, self.global_step, spent)


@dataclass(frozen=True)
class Fit:
    """What training came to.

    Attributes:
        network: with averaged weights.
        curve: losses over time, steps and seconds, earlier runs included.
    """

    network: MelTransformer
    curve: LearningCurve


@dataclass(frozen=True)
class Plan:
    """What a network is trained by, and where its checkpoints are.

    Attributes:
        settings: the recipe's section.
        scale: what the mel is normalised by.
        bucket_url: where checkpoints are stored.
        checkpoint_key: their key; each takes the place of the one before.
        folder: for files on this machine.
        trackers: where losses are followed as well.
        watchers: what else is done beside the steps.
    """

    settings: GenerationTrainingSettings
    scale: MelScale
    bucket_url: str
    checkpoint_key: str
    folder: Path
    trackers: Sequence[Logger] = ()
    watchers: Sequence[Callback] = ()


def fit(network: MelTransformer, data: Mapping[str, Dataset[Any]], plan: Plan) -> Fit:
    """Train a network, from its last checkpoint if there is one.

    Args:
        network: to be trained.
        data: "train" and, where there are clips for it, "val".
        plan: how.

    Raises:
        StageError: if there is no GPU where one is asked for, or memory does not suffice.
    """
    settings = plan.settings
    on_gpu = _find_gpu(settings)
    budget = Budget(settings)
    curve = LearningCurve(budget, plan.folder / ".curve.json")
    checkpoint = plan.folder / Path(CHECKPOINT_FILE).name
    resume = fetch_checkpoint(plan.bucket_url, plan.checkpoint_key, checkpoint)
    loaders = {name: _loader(part, settings, on_gpu=on_gpu) for name, part in data.items()}
    stored = StoredCheckpoints(plan.bucket_url, plan.checkpoint_key, checkpoint)
    callbacks = [budget, curve, stored, WarmAveraging(), TrainingBar(budget)]
    callbacks += plan.watchers
    module = FlowTraining(network, settings, plan.scale, budget)
    trainer = make_trainer(settings, callbacks, on_gpu=on_gpu, validate="val" in loaders)
    trainer.loggers = list(plan.trackers)
    contents = f"a batch of {settings.batch_size} windows"
    remedy = "raise training.accumulate, or lower training.batch_size or training.window_s"
    with within_memory(contents, f"{remedy} in the recipe"):
        trainer.fit(
            module, loaders["train"], loaders.get("val"), ckpt_path=resume, weights_only=True
        )
    trained = type(network)(network.config)  # one that is not compiled
    trained.load_state_dict(network.cpu().state_dict())
    curve.read()
    return Fit(trained.eval(), curve)


def _loader(
    part: Dataset[Any], settings: GenerationTrainingSettings, *, on_gpu: bool
) -> DataLoader[Any]:
    workers = settings.loaders
    if workers is None:
        workers = GPU_LOADERS if on_gpu else 0
    return DataLoader(
        part,
        settings.batch_size,
        num_workers=workers,
        pin_memory=on_gpu,
        persistent_workers=workers > 0,
    )


def make_trainer(
    settings: GenerationTrainingSettings, callbacks: list[Callback], *, on_gpu: bool, validate: bool
) -> lightning.Trainer:
    """What runs a training: in bf16 on a GPU, in processes of its own for several devices."""
    if on_gpu:
        torch.set_float32_matmul_precision("high")
    return quiet_trainer(
        settings.max_steps,
        callbacks,
        _VAL_BATCHES if validate else 0,
        accelerator=settings.accelerator,
        devices=settings.devices,
        # Processes that this one starts: what is around the training runs once.
        strategy="ddp_spawn" if settings.devices > 1 else "auto",
        precision="bf16-mixed" if on_gpu else "32-true",
    )


def _find_gpu(settings: GenerationTrainingSettings) -> bool:
    if settings.accelerator == "gpu" and not torch.cuda.is_available():
        raise StageError(
            "training.accelerator is gpu, but torch finds none: set it to auto or cpu in the "
            "recipe, or run on a machine with a GPU and its driver"
        )
    on_gpu = settings.accelerator != "cpu" and torch.cuda.is_available()
    if on_gpu and settings.devices > torch.cuda.device_count():
        raise StageError(
            f"training.devices is {settings.devices}, but torch finds {torch.cuda.device_count()} "
            "GPUs: lower it in the recipe"
        )
    return on_gpu
