"""What a separator costs: parameters, and multiplications for a second of sound."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from s2s.tasks.separation.network.config import SeparatorConfig

__all__ = ["Cost", "cost_of"]

_FACES = 2


@dataclass(frozen=True)
class Cost:
    """Of one network, for a second of a mixture with two faces.

    Attributes:
        parameters: all of its weights.
        macs: multiplications and additions, in matrix products and convolutions.
        lip_parameters: those of its visual front end, which is part of the former.
        lip_macs: of its visual front end, for both faces.
    """

    parameters: int
    macs: int
    lip_parameters: int
    lip_macs: int

    def __str__(self) -> str:
        return (
            f"{self.parameters / 1e6:.2f} M parameters and {self.macs / 1e9:.3f} G MACs for a "
            f"second with {_FACES} faces; {(self.parameters - self.lip_parameters) / 1e6:.2f} M "
            f"and {(self.macs - self.lip_macs) / 1e9:.3f} G of these without the lip encoder"
        )


def cost_of(network: nn.Module, config: SeparatorConfig) -> Cost:
    """Count what a network costs; its weights are left as they are.

    The mesh that lip streams are made from is no part of it: its network was trained elsewhere.
    """
    lips = getattr(network, "lips", None)
    mixture = torch.zeros(1, config.sample_rate_hz)
    streams = torch.zeros(1, _FACES, config.fps, config.lips)
    seen = torch.ones(1, _FACES, config.fps, dtype=torch.bool)
    was_training = network.training
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        network.eval()(mixture, streams, seen)
    network.train(was_training)
    # The counter lists modules by the path of their names.
    listed = {name: sum(of.values()) for name, of in counter.get_flop_counts().items()}
    lip_flops = next((n for name, n in listed.items() if name.endswith(".lips")), 0)
    return Cost(
        parameters=_parameters(network),
        macs=counter.get_total_flops() // 2,
        lip_parameters=_parameters(lips) if lips is not None else 0,
        lip_macs=lip_flops // 2,
    )


def _parameters(network: nn.Module) -> int:
    return sum(part.numel() for part in network.parameters())
