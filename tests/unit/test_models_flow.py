"""Flow matching: the loss, the sampler, and windows over long videos."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from s2s.models.flow import flow_loss, sample_flow, windows
from s2s.models.network import MelTransformer, NetworkConfig

CONFIG = NetworkConfig(token_dim=6, condition_dim=6, width=16, depth=1, heads=1)


class Oracle(MelTransformer):
    """Knows the clean tokens: they are the condition. Hidden, it predicts zeros."""

    def forward(self, noisy_BTD, time_B, condition_BTC, is_null_B):  # noqa: ARG002
        return torch.where(is_null_B[:, None, None], 0.0, condition_BTC)


@pytest.fixture
def network() -> MelTransformer:
    torch.manual_seed(0)
    network = MelTransformer(CONFIG)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return network.eval()


def test_the_loss_of_perfect_predictions_is_zero():
    clean = torch.randn(4, 8, 6)
    assert flow_loss(Oracle(CONFIG), clean, clean, null_probability=0.0) == 0


def test_hiding_every_condition_costs():
    clean = torch.ones(64, 8, 6)
    loss = flow_loss(Oracle(CONFIG), clean, clean, null_probability=1.0)
    # Squared error 1, weight 1 / (1 - t) between 1 and 20.
    assert 1 < loss < 20


def test_the_same_chance_gives_the_same_loss(network: MelTransformer):
    clean, condition = torch.randn(4, 8, 6), torch.randn(4, 8, 6)
    losses = [
        flow_loss(network, clean, condition, 0.1, torch.Generator().manual_seed(seed)).item()
        for seed in (3, 3, 4)
    ]
    assert losses[0] == losses[1] != losses[2]


@pytest.mark.parametrize("length", [1, 5, 16, 17, 100])
@pytest.mark.parametrize("steps", [1, 4])
def test_the_sampler_ends_at_what_is_predicted(length: int, steps: int):
    target = torch.randn(length, 6)
    drawn = sample_flow(Oracle(CONFIG), target, 16, steps=steps, guidance=1.0)
    torch.testing.assert_close(drawn, target)


def test_guidance_goes_beyond_the_condition():
    target = torch.randn(20, 6)
    drawn = sample_flow(Oracle(CONFIG), target, 16, steps=2, guidance=2.5)
    torch.testing.assert_close(drawn, 2.5 * target)


def test_seeds_repeat_and_differ(network: MelTransformer):
    condition = torch.randn(30, 6)
    first, second, third = (sample_flow(network, condition, 16, seed=s) for s in (7, 7, 8))
    torch.testing.assert_close(first, second, rtol=0, atol=0)
    assert not torch.allclose(first, third, atol=1e-2)


def test_a_long_video_is_the_same_wherever_windows_do_not_reach(network: MelTransformer):
    condition = torch.randn(64, 6)
    changed = condition.clone()
    changed[-1] = 5.0
    before = sample_flow(network, condition, 16, steps=1)
    after = sample_flow(network, changed, 16, steps=1)
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
