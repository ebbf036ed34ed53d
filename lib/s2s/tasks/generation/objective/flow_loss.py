"""The loss of flow matching.

Lipman et al. 2022, "Flow Matching for Generative Modeling": on the straight path
`x_t = (1 - t) * noise + t * x` the velocity is `x - noise = (x - x_t) / (1 - t)`. The network
predicts x itself; squared errors weigh 1 / (1 - t).

Legend: B batch, T tokens, D values of a token, C condition features, S streams.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from s2s.tasks.common.chance import Chance
from s2s.tasks.generation.processor import STREAMS

__all__ = ["Hiding", "flow_loss", "hide"]

_TIME_MEAN = -0.8
"""Centre of the logits of training times: more noise than not."""
_NEAREST_END = 0.05
_MOTION = STREAMS.index("motion")

Predict = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Hiding:
    """How much of the visual features is hidden in training.

    Attributes:
        null: share of windows that show nothing at all, for guidance.
        still: share of windows that are still pictures: no motion, and one frame all the time.
    """

    null: float = 0.0
    still: float = 0.0


def flow_loss(
    network: Predict,
    clean_BTD: torch.Tensor,
    condition_BTC: torch.Tensor,
    hiding: Hiding,
    chance: Chance,
) -> torch.Tensor:
    """Loss of one batch, a scalar.

    Args:
        network: predicts clean tokens, see `MelTransformer.forward`.
        clean_BTD: normalised mel tokens.
        condition_BTC: visual features.
        hiding: how much of them is hidden.
        chance: random numbers for each window, on the tensors' device.
    """
    time_B = torch.sigmoid(_TIME_MEAN + chance.normal())
    noise = chance.normal(*clean_BTD.shape[1:])
    condition_BTC, hidden_BS = hide(condition_BTC, hiding, chance)
    time = time_B[:, None, None]
    noisy = (1 - time) * noise + time * clean_BTD
    error = network(noisy, time_B, condition_BTC, hidden_BS) - clean_BTD
    weight = 1 / (1 - time).clamp_min(_NEAREST_END)
    return (weight * error.square()).mean()


def hide(
    condition_BTC: torch.Tensor, hiding: Hiding, chance: Chance
) -> tuple[torch.Tensor, torch.Tensor]:
    """Hide visual features of some windows of a batch.

    Returns:
        the condition, in which stills show one of their frames all the time, and which streams
        are hidden, bool (B, S).
    """
    batch, length, _ = condition_BTC.shape
    drawn_B = chance.uniform()
    is_null_B = drawn_B < hiding.null
    is_still_B = ~is_null_B & (drawn_B < hiding.null + hiding.still)
    frame_B = chance.integers(length)
    numbers_B = torch.arange(batch, device=condition_BTC.device)
    frame_BTC = condition_BTC[numbers_B, frame_B][:, None]
    shown_BTC = torch.where(is_still_B[:, None, None], frame_BTC, condition_BTC)
    hidden_BS = is_null_B[:, None].repeat(1, len(STREAMS))
    hidden_BS[:, _MOTION] |= is_still_B
    return shown_BTC, hidden_BS
