"""What every training here shares: optimizers, learning rate, trainer, where it goes on from.

Hidden matrices are trained by Muon (Jordan et al. 2024), which needs about half the steps that
AdamW does here; everything else by AdamW.
"""

import logging
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback
from torch import nn

from s2s.errors import ObjectNotFoundError, StageError
from s2s.stage import shared_bucket

__all__ = [
    "CLIP_NORM",
    "GPU_LOADERS",
    "MUON_FACTOR",
    "annealed",
    "fetch_checkpoint",
    "optimizers_of",
    "quiet_trainer",
    "set_rate",
    "within_memory",
]

log = logging.getLogger(__name__)

CLIP_NORM = 1.0
"""Gradients are no longer than this."""
MUON_FACTOR = 4.0
"""Muon's learning rate over AdamW's."""
GPU_LOADERS = 8
"""Processes that read for a GPU, unless the recipe says how many."""
_WARM_UP_STEPS = 30
_FINAL_RATE = 0.01
_WEIGHT_DECAY = 0.01
_VAL_EVERY_STEPS = 100


def optimizers_of(
    network: nn.Module, rate: float, first_beta: float, *, fused: bool = False
) -> list[torch.optim.Optimizer]:
    """AdamW, and Muon for the matrices of the network's `blocks`.

    Args:
        network: what is trained.
        rate: AdamW's learning rate at its peak.
        first_beta: how long AdamW remembers gradients.
        fused: AdamW takes its step in one call.
    """
    matrices = [part for part in network.get_submodule("blocks").parameters() if part.ndim == 2]
    chosen = set(matrices)
    rest = [part for part in network.parameters() if part not in chosen]
    return [
        torch.optim.AdamW(
            rest,
            lr=rate,
            betas=(first_beta, 0.98),
            weight_decay=_WEIGHT_DECAY,
            fused=fused or None,
        ),
        torch.optim.Muon(
            matrices,
            lr=MUON_FACTOR * rate,
            weight_decay=_WEIGHT_DECAY,
            adjust_lr_fn="match_rms_adamw",
        ),
    ]


def annealed(peak: float, step: int, share_spent: float) -> float:
    """The learning rate: warm-up, then half a cosine over the budget.

    Args:
        peak: the highest.
        step: optimizer steps that are done.
        share_spent: share of the budget that is spent, 0..1.
    """
    cosine = 0.5 + 0.5 * math.cos(math.pi * share_spent)
    warm = min(1.0, (step + 1) / _WARM_UP_STEPS)
    return peak * warm * (_FINAL_RATE + (1 - _FINAL_RATE) * cosine)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Train on with another learning rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def quiet_trainer(
    max_steps: int, callbacks: list[Callback], val_batches: int | None, **devices: Any
) -> lightning.Trainer:
    """Lightning's loop alone: files, bars and checkpoints are the callbacks'.

    Args:
        max_steps: optimizer steps, at most.
        callbacks: what is done beside the steps.
        val_batches: batches of each validation; None for all, 0 for no validation.
        devices: what else `lightning.Trainer` is to know: where it runs, and how precisely.
    """
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)  # tips, and what we know
    warnings.filterwarnings("ignore", module="lightning.pytorch")
    return lightning.Trainer(
        max_steps=max_steps,
        callbacks=callbacks,
        val_check_interval=min(_VAL_EVERY_STEPS, max_steps),
        limit_val_batches=val_batches,
        num_sanity_val_steps=0,
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=False,
        **devices,
    )


def fetch_checkpoint(bucket_url: str, key: str, path: Path) -> Path | None:
    """Fetch what `StoredCheckpoints` has stored; None if there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        shared_bucket(bucket_url).download(key, path)
    except ObjectNotFoundError:
        return None
    log.warning("going on from the checkpoint %s", key)
    return path


@contextmanager
def within_memory(contents: str, remedy: str) -> Iterator[None]:
    """Say what to change where memory, a GPU's or the machine's, does not suffice.

    Args:
        contents: what it does not hold.
        remedy: what to do about it.

    Raises:
        StageError: instead of the error by which torch tells it.
    """
    try:
        yield
    except RuntimeError as error:
        # Of a GPU's memory torch tells by a class of its own, of the machine's by a message.
        on_gpu = isinstance(error, torch.OutOfMemoryError)
        if not on_gpu and "can't allocate memory" not in str(error):
            raise
        place = "the GPU's" if on_gpu else "this machine's"
        raise StageError(f"{place} memory does not hold {contents}: {remedy}") from error
