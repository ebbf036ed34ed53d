"""Optimizers that tasks share, and the schedule of every training.

Hidden matrices are trained by Muon (Jordan et al. 2024, "Muon: An optimizer for hidden layers in
neural networks"), which needs about half the steps that AdamW does here; everything else by AdamW
(Loshchilov and Hutter 2017, "Decoupled Weight Decay Regularization").
"""

import math
from collections.abc import Sequence

import torch
from torch import nn

from s2s.tasks.common.muon import BatchedMuon, is_quick_in_bfloat16

__all__ = ["adamw_and_muon", "rate_share"]

_MUON_FACTOR = 4.0
"""Muon's learning rate over AdamW's."""
_WEIGHT_DECAY = 0.01
_LENGTH = "match_rms_adamw"
_SMALL = 2**17
"""Values of a matrix up to which it is quicker to take several at a time."""
_WARM_UP_STEPS = 30
_FINAL_SHARE = 0.01


def adamw_and_muon(
    network: nn.Module,
    rate: float,
    first_beta: float = 0.9,
    *,
    fused: bool = False,
    blocks: Sequence[str] = ("blocks",),
) -> list[torch.optim.Optimizer]:
    """AdamW, and Muon for the matrices of the network's blocks.

    Args:
        network: what is trained.
        rate: AdamW's learning rate at its peak.
        first_beta: how long AdamW remembers gradients.
        fused: AdamW takes its step in one call.
        blocks: names of the parts of the network whose matrices Muon trains.
    """
    parts = [part for name in blocks for part in network.get_submodule(name).parameters()]
    matrices = [part for part in parts if part.ndim == 2]
    chosen = set(matrices)
    rest = [part for part in network.parameters() if part not in chosen]
    are_small = all(part.numel() <= _SMALL for part in matrices)
    are_quick = all(is_quick_in_bfloat16(part.device) for part in matrices)
    muon = torch.optim.Muon if are_quick and not are_small else BatchedMuon
    return [
        torch.optim.AdamW(
            rest,
            lr=rate,
            betas=(first_beta, 0.98),
            weight_decay=_WEIGHT_DECAY,
            fused=fused or None,
        ),
        muon(matrices, lr=_MUON_FACTOR * rate, weight_decay=_WEIGHT_DECAY, adjust_lr_fn=_LENGTH),
    ]


def rate_share(step: int, max_steps: int) -> float:
    """Share of the peak learning rate, 0..1: warm-up, then half a cosine over the steps.

    Args:
        step: optimizer steps that are done.
        max_steps: all that there will be. Time has no part in it: what a training comes to does
            not depend on how busy the machine is.
    """
    cosine = 0.5 + 0.5 * math.cos(math.pi * min(1.0, step / max_steps))
    warm = min(1.0, (step + 1) / _WARM_UP_STEPS)
    return warm * (_FINAL_SHARE + (1 - _FINAL_SHARE) * cosine)
