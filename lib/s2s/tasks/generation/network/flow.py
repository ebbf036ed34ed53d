"""Sampling of spectrograms by flow matching: from noise along the path that a network has learned.

Lipman et al. 2022, "Flow Matching for Generative Modeling": on the straight path
`x_t = (1 - t) * noise + t * x` the velocity is `x - noise = (x - x_t) / (1 - t)`. The network
predicts x itself.

Legend: B batch, T tokens, D values of a token, C condition features, S streams.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch

from s2s.tasks.generation.network.transformer import MelTransformer
from s2s.tasks.generation.processor import STREAMS

__all__ = ["Sampling", "Scene", "sample_flows", "windows"]

_WINDOWS_AT_A_TIME = 8
_SHIFT = 3.0
"""How much closer Euler's steps are where the path begins. What happens in a sound, and when, is
settled there: with even steps, sounds for still pictures have few onsets."""
_MOTION = STREAMS.index("motion")


@dataclass(frozen=True)
class Scene:
    """A video or picture that a sound is sampled for.

    Attributes:
        condition_TC: visual features, (T, C).
        seed: another seed, another variation; the same seed, the same result on a CPU.
        is_still: whether it is a still picture: then a lack of motion does not mean silence.
    """

    condition_TC: torch.Tensor
    seed: int = 0
    is_still: bool = False


@dataclass(frozen=True)
class Sampling:
    """Settings of the sampler.

    Attributes:
        steps: at least 1.
        guidance: 1 for none; larger follows video or picture more closely. After Ho and Salimans
            2022, "Classifier-Free Diffusion Guidance", equation 6.
        sampler: Euler's method, or Heun's, which calls the network twice in all steps but the
            last.
    """

    steps: int = 8
    guidance: float = 2.5
    sampler: Literal["euler", "heun"] = "euler"


def windows(length: int, size: int) -> list[int]:
    """Starts of windows of `size` tokens that cover `length` tokens and overlap by a quarter."""
    if length <= size:
        return [0]
    stride = max(1, size - size // 4)
    return [*range(0, length - size, stride), length - size]


@torch.inference_mode()
def sample_flows(
    network: MelTransformer,
    scenes: Sequence[Scene],
    window: int,
    sampling: Sampling,
    on_step: Callable[[float], None] = lambda _: None,
) -> list[torch.Tensor]:
    """Sample clean tokens for videos of any length; their windows share the network's calls.

    In each step every window of the trained length predicts its part, and the overlaps are
    blended, so that all windows of a video follow one path from one noise.

    Args:
        network: the trained network.
        scenes: videos and pictures to sample sound for; on the network's device.
        window: trained length in tokens.
        sampling: number of steps, guidance and sampler.
        on_step: called after each step with the share of the steps that are done, 0..1.

    Returns:
        normalised tokens of each scene, (T, D).
    """

    def velocities(states: list[torch.Tensor], time: float) -> list[torch.Tensor]:
        cleans = _predict_windows(network, states, scenes, (time, sampling.guidance), window)
        return [(clean - state) / (1 - time) for state, clean in zip(states, cleans, strict=True)]

    states = [_noise(scene, network.config.token_dim) for scene in scenes]
    steps = list(pairwise(_times(sampling)))
    for n_done, (now, then) in enumerate(steps, start=1):
        speeds = velocities(states, now)
        ends = _moved(states, speeds, then - now)
        if sampling.sampler == "heun" and then < 1:
            pairs = zip(speeds, velocities(ends, then), strict=True)
            ends = _moved(states, [(first + last) / 2 for first, last in pairs], then - now)
        states = ends
        on_step(n_done / len(steps))
    return states


def _times(sampling: Sampling) -> list[float]:
    """Where on the path the steps begin and end, 0..1.

    Euler's are shifted, after Esser et al. 2024, "Scaling Rectified Flow Transformers for
    High-Resolution Image Synthesis", equation 23. Heun's are even: its last step is one of Euler's,
    and must not be long.
    """
    even = torch.linspace(0, 1, sampling.steps + 1)
    shift = _SHIFT if sampling.sampler == "euler" else 1.0
    return (even / (even + shift * (1 - even))).tolist()


def _noise(scene: Scene, token_dim: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(scene.seed)
    noise = torch.randn(len(scene.condition_TC), token_dim, generator=generator)
    return noise.to(scene.condition_TC)


def _moved(
    states: Sequence[torch.Tensor], speeds: Sequence[torch.Tensor], step: float
) -> list[torch.Tensor]:
    return [state + step * speed for state, speed in zip(states, speeds, strict=True)]


def _predict_windows(
    network: MelTransformer,
    states: Sequence[torch.Tensor],
    scenes: Sequence[Scene],
    time_and_guidance: tuple[float, float],
    window: int,
) -> list[torch.Tensor]:
    """Predict the clean tokens of every window, and blend them where windows overlap."""
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
            seen = torch.stack([scenes[video].condition_TC[part] for video, part in group])
            is_still = torch.tensor([scenes[video].is_still for video, _ in group])
            cleans = _guided(network, (noisy, seen, is_still), *time_and_guidance)
            for (video, part), clean in zip(group, cleans, strict=True):
                totals[video][part] += ramp * clean
                weights[video][part] += ramp
    return [total / weight for total, weight in zip(totals, weights, strict=True)]


def _guided(
    network: MelTransformer,
    inputs: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
    time: float,
    guidance: float,
) -> torch.Tensor:
    """Predict clean tokens with classifier-free guidance."""
    state_BTD, condition_BTC, is_still_B = inputs
    batch, device = len(state_BTD), state_BTD.device
    copies = 1 if guidance == 1 else 2
    hidden_BS = torch.zeros(copies * batch, len(STREAMS), dtype=torch.bool, device=device)
    hidden_BS[:batch, _MOTION] = is_still_B.to(device)
    hidden_BS[batch:] = True
    times = torch.full((copies * batch,), time, device=device)
    with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
        cleans = network(
            state_BTD.repeat(copies, 1, 1), times, condition_BTC.repeat(copies, 1, 1), hidden_BS
        ).to(state_BTD)
    if copies == 1:
        return cleans
    with_video, without = cleans.chunk(2)
    return without + guidance * (with_video - without)
