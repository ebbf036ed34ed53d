"""Flow matching: how the network learns, and how a spectrogram is drawn from it.

Lipman et al. 2022, "Flow Matching for Generative Modeling": on the straight path
`x_t = (1 - t) * noise + t * x` the velocity is `x - noise = (x - x_t) / (1 - t)`. The network
predicts x itself; squared errors weigh 1 / (1 - t).

Legend: B batch, T tokens, D values of a token, C condition features.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch

from s2s.models.network import MelTransformer

__all__ = ["flow_loss", "sample_flow", "sample_flows", "windows"]

TIME_MEAN = -0.8
"""Centre of the logits of training times: more noise than not."""
_NEAREST_END = 0.05
_WINDOWS_AT_A_TIME = 8

Predict = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


def flow_loss(
    network: Predict,
    clean_BTD: torch.Tensor,
    condition_BTC: torch.Tensor,
    null_probability: float,
    generator: torch.Generator | None = None,
) -> torch.Tensor:
    """Loss of one batch, a scalar.

    Args:
        network: predicts clean tokens, see `MelTransformer.forward`.
        clean_BTD: normalised mel tokens.
        condition_BTC: visual features.
        null_probability: share of the batch whose condition is hidden.
        generator: source of chance on the tensors' device.
    """
    batch, device = len(clean_BTD), clean_BTD.device
    time_B = torch.sigmoid(TIME_MEAN + torch.randn(batch, generator=generator, device=device))
    noise = torch.randn(clean_BTD.shape, generator=generator, device=device)
    is_null_B = torch.rand(batch, generator=generator, device=device) < null_probability
    time = time_B[:, None, None]
    noisy = (1 - time) * noise + time * clean_BTD
    error = network(noisy, time_B, condition_BTC, is_null_B) - clean_BTD
    weight = 1 / (1 - time).clamp_min(_NEAREST_END)
    return (weight * error.square()).mean()


def windows(length: int, size: int) -> list[int]:
    """Starts of windows of `size` tokens that cover `length` tokens and overlap by a quarter."""
    if length <= size:
        return [0]
    stride = max(1, size - size // 4)
    return [*range(0, length - size, stride), length - size]


@torch.inference_mode()
def sample_flow(
    network: MelTransformer,
    condition_TC: torch.Tensor,
    window: int,
    *,
    seed: int = 0,
    steps: int = 8,
    guidance: float = 2.5,
) -> torch.Tensor:
    """Draw clean tokens for a video of any length.

    Euler steps from noise to sound. In each step every window of the trained length predicts its
    part, and the overlaps are blended, so that all windows follow one path from one noise.
    Guidance after Ho and Salimans 2022, "Classifier-Free Diffusion Guidance", equation 6.

    Args:
        network: the trained network.
        condition_TC: visual features, (T, C).
        window: trained length in tokens.
        seed: another seed, another variation; the same seed, the same result on a CPU.
        steps: Euler steps, at least 1.
        guidance: 1 for none; larger follows the video more closely.

    Returns:
        normalised tokens (T, D).
    """
    return sample_flows(
        network, [condition_TC], window, seeds=[seed], steps=steps, guidance=guidance
    )[0]


@torch.inference_mode()
def sample_flows(
    network: MelTransformer,
    conditions: Sequence[torch.Tensor],
    window: int,
    *,
    seeds: Sequence[int],
    steps: int = 8,
    guidance: float = 2.5,
) -> list[torch.Tensor]:
    """Draw clean tokens for several videos at once: their windows share the network's calls.

    Args:
        network: the trained network.
        conditions: visual features of each video, (T, C); lengths may differ.
        window: see `sample_flow`.
        seeds: of each video.
        steps: see `sample_flow`.
        guidance: see `sample_flow`.

    Returns:
        normalised tokens of each video, (T, D).
    """
    states = []
    for condition_TC, seed in zip(conditions, seeds, strict=True):
        generator = torch.Generator().manual_seed(seed)
        shape = (len(condition_TC), network.config.token_dim)
        states.append(torch.randn(shape, generator=generator).to(condition_TC))
    times = torch.linspace(0, 1, steps + 1).tolist()
    for now, then in pairwise(times):
        cleans = _predict_windows(network, states, conditions, (now, guidance), window)
        states = [
            state + (then - now) / (1 - now) * (clean - state)
            for state, clean in zip(states, cleans, strict=True)
        ]
    return states


def _predict_windows(
    network: MelTransformer,
    states: Sequence[torch.Tensor],
    conditions: Sequence[torch.Tensor],
    time_and_guidance: tuple[float, float],
    window: int,
) -> list[torch.Tensor]:
    """Clean tokens by every window, blended where they overlap."""
    totals = [torch.zeros_like(state) for state in states]
    weights = [torch.zeros_like(state[:, :1]) for state in states]
    by_size: dict[int, list[tuple[int, slice]]] = defaultdict(list)
    for video, state in enumerate(states):
        size = min(window, len(state))
        by_size[size] += [
            (video, slice(start, start + size)) for start in windows(len(state), size)
        ]
    for size, places in by_size.items():
        ramp = torch.minimum(torch.arange(1, size + 1), torch.arange(size, 0, -1))
        ramp = ramp.clamp_max(max(1, size // 4)).to(states[0])[:, None]
        for i in range(0, len(places), _WINDOWS_AT_A_TIME):
            group = places[i : i + _WINDOWS_AT_A_TIME]
            noisy = torch.stack([states[video][part] for video, part in group])
            seen = torch.stack([conditions[video][part] for video, part in group])
            cleans = _guided(network, noisy, seen, *time_and_guidance)
            for (video, part), clean in zip(group, cleans, strict=True):
                totals[video][part] += ramp * clean
                weights[video][part] += ramp
    return [total / weight for total, weight in zip(totals, weights, strict=True)]


def _guided(
    network: MelTransformer,
    state_BTD: torch.Tensor,
    condition_BTC: torch.Tensor,
    time: float,
    guidance: float,
) -> torch.Tensor:
    batch = len(state_BTD)
    times = torch.full((2 * batch,), time, device=state_BTD.device)
    is_null = torch.arange(2 * batch, device=state_BTD.device) >= batch
    with_video, without = network(
        state_BTD.repeat(2, 1, 1), times, condition_BTC.repeat(2, 1, 1), is_null
    ).chunk(2)
    return without + guidance * (with_video - without)
