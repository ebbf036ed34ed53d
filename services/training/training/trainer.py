"""The trainer of any objective: from its last checkpoint, on the devices of the recipe."""

import logging
import signal
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import lightning
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.strategies import DDPStrategy, Strategy

from s2s.errors import StageError
from s2s.logs import console
from s2s.settings import TrainingSettings
from s2s.storage.bucket import crc32c_of_file
from s2s.tasks.common.muon import is_quick_in_bfloat16
from s2s.tasks.contract import Objective, Trained
from training.batch_norm import SharedBatchNorm
from training.callbacks.averaging import Averaging
from training.callbacks.checkpoints import StoredCheckpoints, fetch_checkpoint, told_of_checkpoint
from training.callbacks.curve import LearningCurve
from training.callbacks.interruption import StopsAtStep
from training.callbacks.progress import Budget, TrainingBar
from training.callbacks.selection import Selection, is_wanted
from training.callbacks.tracking import Tracking
from training.module import TrainingModule
from training.nodes import Nodes
from training.nodes.strategy import NodesStrategy

__all__ = ["Trainer", "find_gpu", "make_trainer"]

log = logging.getLogger(__name__)

_VAL_EVERY_STEPS = 100
_FULL = ("can't allocate memory", "killed by signal: Killed", "insufficient shared memory")
"""How torch tells that the machine's memory is full: its own, or of a process that reads."""


@dataclass(frozen=True)
class Trainer:
    """Trains objectives of one model: `Material.fit` is one.

    Attributes:
        bucket_url: where checkpoints are stored.
        prefix: of the model's keys; checkpoints are `<prefix>checkpoints/<objective>.ckpt`.
        folder: the model directory on this machine; every curve is left there, as
            `<objective>.csv` and `<objective>.png`.
        tracking: where losses are followed as well.
        nodes: the machines that train; by default this one alone, whatever the recipe says.
    """

    bucket_url: str
    prefix: str
    folder: Path
    tracking: Tracking | None = None
    nodes: Nodes = field(default_factory=Nodes)

    def checkpoint_key(self, objective: Objective) -> str:
        """Where an objective's checkpoint is."""
        return f"{self.prefix}checkpoints/{objective.name}.ckpt"

    def __call__(self, objective: Objective) -> Trained:
        """Train an objective's network in place, from its last checkpoint if there is one.

        Raises:
            StageError: if there is no GPU where one is asked for, memory does not suffice, or
                weights are to be compared and nothing is validated.
            KeyboardInterrupt: if it is stopped, by Ctrl-C or SIGTERM.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        key, path = self.checkpoint_key(objective), self.folder / f".{objective.name}.ckpt"
        budget, averaging = Budget(objective.settings), Averaging(objective.network)
        curve = LearningCurve(budget, self.folder / f".{objective.name}.json")
        callbacks: list[Callback] = [budget, averaging, curve]
        if is_wanted(objective.settings):
            last = self.folder / f"{objective.name}.last.safetensors"
            callbacks += [Selection(objective.settings, averaging, budget, last)]
        checkpoints = StoredCheckpoints(self.bucket_url, key, path)
        callbacks += [checkpoints, StopsAtStep(checkpoints)]
        callbacks += [TrainingBar(budget, objective.name)]
        loggers = self.tracking.start(objective) if self.tracking else []
        if self.tracking:
            callbacks += self.tracking.samples(objective, averaging)
        module = TrainingModule(objective)
        if is_wanted(objective.settings) and not module.is_validated:
            raise StageError(
                "training.keep and training.patience compare weights on the val split, which has "
                "no clips: give validation.val a share, or remove the two settings"
            )
        trainer = make_trainer(module, callbacks, self.nodes)
        trainer.loggers = loggers
        objective.network.train()
        try:
            self._fit(trainer, module, fetch_checkpoint(self.bucket_url, key, path))
        except KeyboardInterrupt:
            if self.nodes.is_first:
                told = told_of_checkpoint(path)
                console.print(f"training {objective.name}: {told}", highlight=False)
            raise
        path.unlink(missing_ok=True)
        objective.network.cpu().eval()
        curve.read()
        curve.write(self.folder / f"{objective.name}.csv")
        curve.draw(self.folder / f"{objective.name}.png")
        return self._trained(objective, budget, curve)

    def _fit(
        self, trainer: lightning.Trainer, module: TrainingModule, checkpoint: Path | None
    ) -> None:
        objective = module.objective
        found = "no checkpoint" if checkpoint is None else crc32c_of_file(checkpoint)

        def stop() -> None:
            launcher = trainer.strategy.launcher
            if launcher is not None:
                # They may wait for a node that is gone, and who stops this one may not stop them.
                launcher.kill(signal.SIGKILL)

        with (
            _within_memory(objective),
            _interruptible(stop),
            self.nodes.training(f"{objective.name}: {found}", stop),
        ):
            trainer.fit(module, ckpt_path=checkpoint, weights_only=True)

    def _trained(self, objective: Objective, budget: Budget, curve: LearningCurve) -> Trained:
        found = Trained(
            steps=curve.steps,
            seconds=round(curve.seconds, 1),
            stopped_by=curve.stopped_by,
            best_step=curve.best_step,
            peak_bytes=curve.peak_bytes,
        )
        if found.stopped_by == "max_minutes":
            log.warning(
                "%s: stopped after %s of %s steps by its max_minutes: what it is worth depends on "
                "this machine",
                objective.name,
                found.steps,
                budget.max_steps,
            )
        elif found.stopped_by == "patience":
            console.print(
                f"training {objective.name}: stopped after step {found.steps} of "
                f"{budget.max_steps} by its patience: best was step {found.best_step}",
                highlight=False,
            )
        return found


def make_trainer(
    module: TrainingModule, callbacks: list[Callback], nodes: Nodes | None = None
) -> lightning.Trainer:
    """Lightning's loop alone: files, bars and checkpoints are the callbacks'.

    In bfloat16 on a GPU, unless told; in processes of its own for several devices or nodes.

    Raises:
        StageError: if there is no GPU where one is asked for, or less than asked for.
    """
    settings = module.objective.settings
    on_gpu = find_gpu(settings)
    is_bfloat16 = _is_bfloat16(settings, on_gpu=on_gpu)
    if on_gpu:
        torch.set_float32_matmul_precision("high")
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)  # tips, and what we know
    warnings.filterwarnings(
        "ignore", r".*isinstance\(treespec, LeafSpec\)"
    )  # is Lightning's affair
    warnings.filterwarnings("ignore", ".*does not have many workers")  # shards are mapped
    nodes = nodes or Nodes()
    is_shared = settings.devices * nodes.node.count > 1
    return lightning.Trainer(
        max_steps=settings.max_steps,
        callbacks=callbacks,
        val_check_interval=min(_VAL_EVERY_STEPS, settings.max_steps),
        limit_val_batches=1.0 if module.is_validated else 0,
        num_sanity_val_steps=0,
        log_every_n_steps=min(50, settings.max_steps),
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=False,
        use_distributed_sampler=False,  # ours knows about steps
        accelerator="gpu" if on_gpu else "cpu",
        devices=settings.devices,
        num_nodes=nodes.node.count,
        strategy=_strategy(module, nodes) if is_shared else "auto",
        sync_batchnorm=on_gpu and is_shared,
        plugins=[SharedBatchNorm()] if is_shared and not on_gpu else [],
        precision="bf16-mixed" if is_bfloat16 else "32-true",
    )


def _is_bfloat16(settings: TrainingSettings, *, on_gpu: bool) -> bool:
    """Whether products of matrices are in bfloat16; that this CPU is slow with it is told."""
    if settings.precision == "auto":
        return on_gpu
    is_bfloat16 = settings.precision == "bfloat16"
    if is_bfloat16 and not on_gpu and not is_quick_in_bfloat16(torch.device("cpu")):
        log.warning(
            "training.precision is bfloat16, which this CPU, without AVX-512, takes many times as "
            "long for: set it to auto or float32"
        )
    return is_bfloat16


def _strategy(module: TrainingModule, nodes: Nodes) -> Strategy:
    """Processes that this one starts: what is around the training runs once on a machine."""
    has_unused = module.adversary is not None
    if nodes.node.count == 1:
        return DDPStrategy(start_method="spawn", find_unused_parameters=has_unused)
    return NodesStrategy(nodes.node, nodes.fits + 1, find_unused_parameters=has_unused)


def find_gpu(settings: TrainingSettings) -> bool:
    """Whether a training runs on GPUs.

    Raises:
        StageError: if there is no GPU where one is asked for, or less than asked for.
    """
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


@contextmanager
def _interruptible(stop: Callable[[], None]) -> Iterator[None]:
    """Let an interruption pass: Lightning ends the process, and ignores further ones.

    Args:
        stop: ends other processes of the training.

    Raises:
        KeyboardInterrupt: as it was.
    """
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit as error:
        interruption = error.__context__
        if not isinstance(interruption, KeyboardInterrupt):
            raise
        stop()
        raise interruption from None
    finally:
        signal.signal(signal.SIGINT, handler)


@contextmanager
def _within_memory(objective: Objective) -> Iterator[None]:
    """Say what to change where memory, a GPU's or the machine's, does not suffice.

    Raises:
        StageError: instead of the error by which torch tells it.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        # Of a GPU's memory torch tells by a class of its own, of the machine's by a message.
        on_gpu = isinstance(error, torch.OutOfMemoryError)
        is_full = isinstance(error, MemoryError) or any(text in str(error) for text in _FULL)
        if not on_gpu and not is_full:
            raise
        place = "the GPU's" if on_gpu else "this machine's"
        raise StageError(
            f"{place} memory does not hold a batch of {objective.settings.batch_size} examples of "
            f"{objective.name}: {objective.memory_remedy} in the recipe"
        ) from error
