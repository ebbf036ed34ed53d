"""Flow matching: the samplers, and windows over long videos."""

from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from s2s.tasks.generation.network.flow import Sampling, Scene, sample_flows, windows
from s2s.tasks.generation.network.transformer import MelTransformer, NetworkConfig

STREAMS = {"motion": 4, "appearance": 2}
CONFIG = NetworkConfig(token_dim=6, streams=STREAMS, width=16, depth=1, heads=1)


class Oracle(MelTransformer):
    """Knows the clean tokens: they are the condition. Without motion, it predicts zeros."""

    def forward(self, noisy_BTD, time_B, condition_BTC, hidden_BS):  # noqa: ARG002
        return torch.where(hidden_BS[:, :1, None], 0.0, condition_BTC)


class Guesser(MelTransformer):
    """Knows the clean tokens if it sees anything at all."""

    def forward(self, noisy_BTD, time_B, condition_BTC, hidden_BS):  # noqa: ARG002
        return torch.where(hidden_BS.all(dim=1)[:, None, None], 0.0, condition_BTC)


class Gaussian(MelTransformer):
    """The exact answer where clean tokens are spread normally: here, with deviation 2."""

    def forward(self, noisy_BTD, time_B, condition_BTC, hidden_BS):  # noqa: ARG002
        time = time_B[:, None, None]
        return noisy_BTD * 4 * time / ((1 - time) ** 2 + 4 * time**2)


def sample(
    network: MelTransformer, condition_TC: torch.Tensor, *, seed: int = 0, **how: Any
) -> torch.Tensor:
    return sample_flows(network, [Scene(condition_TC, seed)], 16, Sampling(**how))[0]


@pytest.fixture
def network() -> MelTransformer:
    torch.manual_seed(0)
    network = MelTransformer(CONFIG)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return network.eval()


@pytest.mark.parametrize("length", [1, 5, 16, 17, 100])
@pytest.mark.parametrize("steps", [1, 4])
@pytest.mark.parametrize("sampler", ["euler", "heun"])
def test_the_sampler_ends_at_what_is_predicted(length: int, steps: int, sampler: str):
    target = torch.randn(length, 6)
    drawn = sample(Oracle(CONFIG), target, steps=steps, guidance=1.0, sampler=sampler)
    torch.testing.assert_close(drawn, target, atol=1e-5, rtol=1e-5)


def test_heun_follows_the_path_more_closely_than_euler_for_the_same_work():
    noise = sample(Gaussian(CONFIG), torch.zeros(16, 6), steps=1000, guidance=1.0)
    errors = {
        sampler: (
            sample(Gaussian(CONFIG), torch.zeros(16, 6), steps=steps, guidance=1.0, sampler=sampler)
            - noise
        )
        .abs()
        .mean()
        for sampler, steps in (("euler", 8), ("heun", 4))
    }
    assert errors["heun"] < errors["euler"] / 2


def test_guidance_goes_beyond_the_condition():
    target = torch.randn(20, 6)
    drawn = sample(Oracle(CONFIG), target, steps=2, guidance=2.5)
    torch.testing.assert_close(drawn, 2.5 * target)


def test_guidance_lasts_to_the_end_for_videos_and_pictures():
    torch.manual_seed(0)
    target = torch.randn(20, 6)
    scenes = [Scene(target), Scene(target, is_still=True)]
    for drawn in sample_flows(Guesser(CONFIG), scenes, 16, Sampling(8, 2.5)):
        torch.testing.assert_close(drawn, 2.5 * target, atol=1e-5, rtol=1e-5)


def test_a_still_is_shown_without_motion():
    target = torch.ones(20, 6)
    scenes = [Scene(target, is_still=True), Scene(target)]
    still, video = sample_flows(Oracle(CONFIG), scenes, 16, Sampling(2, 1.0))
    torch.testing.assert_close(still, torch.zeros(20, 6))
    torch.testing.assert_close(video, target)


def test_seeds_repeat_and_differ(network: MelTransformer):
    condition = torch.randn(30, 6)
    first, second, third = (sample(network, condition, seed=s) for s in (7, 7, 8))
    torch.testing.assert_close(first, second, rtol=0, atol=0)
    assert not torch.allclose(first, third, atol=1e-2)


def test_a_long_video_is_the_same_wherever_windows_do_not_reach(network: MelTransformer):
    condition = torch.randn(64, 6)
    changed = condition.clone()
    changed[-1] = 5.0
    before = sample(network, condition, steps=1)
    after = sample(network, changed, steps=1)
    torch.testing.assert_close(before[:48], after[:48])
    assert not torch.allclose(before[-1], after[-1])


@given(st.integers(1, 500), st.integers(1, 100))
def test_windows_cover_every_token(length: int, size: int):
    size = min(size, length)
    starts = windows(length, size)
    covered = {token for start in starts for token in range(start, start + size)}
    assert covered == set(range(length))
    assert starts == sorted(set(starts))


@given(st.integers(4, 60), st.integers(1, 400))
def test_neighbouring_windows_overlap(size: int, more: int):
    starts = windows(size + more, size)
    assert all(b - a <= size - size // 4 for a, b in pairwise(starts))
