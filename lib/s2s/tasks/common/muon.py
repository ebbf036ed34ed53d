"""Muon, for many small matrices.

Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks": the momentum of a
matrix is made orthogonal, by Newton and Schulz's iteration, before it is a step. Its length is that
of Liu et al. 2025, "Muon is Scalable for LLM Training", equation 4.

Legend: N matrices, R rows, C columns.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

import torch

__all__ = ["BatchedMuon", "is_quick_in_bfloat16"]

_RMS = 0.2
"""Of a step over the learning rate, as AdamW's are."""


class BatchedMuon(torch.optim.Muon):
    """Takes the steps of torch's own, all matrices of one size at a time: many are small.

    In float32 where bfloat16, which is all that torch's own knows, is slow.

    Its arguments and its state are those of torch's own, of whose kinds of steps it knows one: by
    Nesterov's momentum, of the length `match_rms_adamw`.
    """

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take a step."""
        with torch.enable_grad():
            loss = None if closure is None else closure()
        for group in self.param_groups:
            parts: list[torch.Tensor] = []
            grads: list[torch.Tensor] = []
            momenta: list[torch.Tensor] = []
            self._init_group(group, parts, grads, momenta)
            by_size: Mapping[tuple[int, ...], list[int]] = defaultdict(list)
            for place, part in enumerate(parts):
                by_size[tuple(sorted(part.shape))].append(place)
            for places in by_size.values():
                chosen = ([of[n] for n in places] for of in (parts, grads, momenta))
                _move(*chosen, group=group)
        return loss


def _move(
    parts: list[torch.Tensor],
    grads: list[torch.Tensor],
    momenta: list[torch.Tensor],
    group: Mapping[str, Any],
) -> None:
    """Move matrices of one size, whichever side is the longer, by their gradients."""
    updates = [
        grad.lerp(momentum.lerp_(grad, 1 - group["momentum"]), group["momentum"])
        for grad, momentum in zip(grads, momenta, strict=True)
    ]
    is_tall = [part.shape[0] > part.shape[1] for part in parts]
    wide = [update.T if tall else update for update, tall in zip(updates, is_tall, strict=True)]
    steps = _orthogonal(torch.stack(wide), group).to(parts[0].dtype)
    moves = [step.T if tall else step for step, tall in zip(steps, is_tall, strict=True)]
    rate = group["lr"] * _RMS * math.sqrt(max(parts[0].shape))
    for part, move in zip(parts, moves, strict=True):
        part.mul_(1 - group["lr"] * group["weight_decay"]).add_(move, alpha=-rate)


def _orthogonal(matrices_NRC: torch.Tensor, group: Mapping[str, Any]) -> torch.Tensor:
    """Near orthogonal matrices: singular values near one, the same singular vectors."""
    first, second, third = group["ns_coefficients"]
    found_NRC = matrices_NRC.to(_precision(matrices_NRC.device))
    length_N11 = found_NRC.flatten(1).norm(dim=1)[:, None, None]
    found_NRC /= length_N11.clamp(min=group["eps"])
    for _ in range(group["ns_steps"]):
        gram_NRR = torch.bmm(found_NRC, found_NRC.mT)
        change_NRR = torch.baddbmm(gram_NRR, gram_NRR, gram_NRR, beta=second, alpha=third)
        found_NRC = torch.baddbmm(found_NRC, change_NRR, found_NRC, beta=first)
    return found_NRC


def _precision(device: torch.device) -> torch.dtype:
    """Bfloat16, as of torch's own, but on CPUs that have to take it apart."""
    return torch.bfloat16 if is_quick_in_bfloat16(device) else torch.float32


def is_quick_in_bfloat16(device: torch.device) -> bool:
    """Whether products of matrices are; CPUs without AVX-512 take them apart, 14 times slower."""
    return device.type != "cpu" or torch.backends.cpu.get_cpu_capability() == "AVX512"
