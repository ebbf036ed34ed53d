"""The network's shapes, and what it must and must not depend on."""

import pytest
import torch

from s2s.tasks.generation.network.transformer import (
    MelTransformer,
    NetworkConfig,
    rotary_angles,
    rotate,
)

CONFIG = NetworkConfig(
    token_dim=12, streams={"motion": 3, "appearance": 2}, width=16, depth=2, heads=2
)


@pytest.fixture
def network() -> MelTransformer:
    """A small network whose outputs are not all zero, as they are before training."""
    torch.manual_seed(0)
    network = MelTransformer(CONFIG)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return network.eval()


def run(
    network: MelTransformer,
    length: int = 9,
    hidden: tuple[bool, bool] = (False, False),
    **changes: torch.Tensor,
):
    generator = torch.Generator().manual_seed(1)
    inputs = {
        "noisy_BTD": torch.randn(2, length, 12, generator=generator),
        "time_B": torch.tensor([0.2, 0.7]),
        "condition_BTC": torch.randn(2, length, 5, generator=generator),
        "hidden_BS": torch.tensor([hidden, hidden]),
    }
    with torch.inference_mode():
        return network(**(inputs | changes))


def test_any_length_will_do(network: MelTransformer):
    assert run(network, 9).shape == (2, 9, 12)
    assert run(network, 1).shape == (2, 1, 12)


def test_it_starts_by_predicting_the_mean():
    assert not run(MelTransformer(CONFIG)).any()


def test_it_sees_the_condition_and_the_time(network: MelTransformer):
    base = run(network)
    assert not torch.allclose(base, run(network, condition_BTC=torch.zeros(2, 9, 5)))
    assert not torch.allclose(base, run(network, time_B=torch.tensor([0.5, 0.5])))


def test_a_hidden_condition_makes_no_difference(network: MelTransformer):
    hidden = run(network, hidden=(True, True))
    other = run(network, hidden=(True, True), condition_BTC=torch.zeros(2, 9, 5))
    torch.testing.assert_close(hidden, other)
    assert not torch.allclose(hidden, run(network))


def test_each_stream_is_hidden_by_itself_and_has_its_own_null_token(network: MelTransformer):
    condition = torch.randn(2, 9, 5)
    no_motion, other = condition.clone(), condition.clone()
    no_motion[..., :3] = 0
    other[..., 3:] = 0
    hidden = run(network, hidden=(True, False), condition_BTC=condition)
    torch.testing.assert_close(hidden, run(network, hidden=(True, False), condition_BTC=no_motion))
    assert not torch.allclose(hidden, run(network, hidden=(True, False), condition_BTC=other))
    assert not torch.allclose(hidden, run(network, hidden=(False, True), condition_BTC=condition))


def test_clips_of_a_batch_do_not_meet(network: MelTransformer):
    generator = torch.Generator().manual_seed(1)
    noisy = torch.randn(2, 9, 12, generator=generator)
    changed = noisy.clone()
    changed[1] = 0
    first, second = run(network, noisy_BTD=noisy), run(network, noisy_BTD=changed)
    torch.testing.assert_close(first[0], second[0])
    assert not torch.allclose(first[1], second[1])


def test_order_matters(network: MelTransformer):
    generator = torch.Generator().manual_seed(1)
    noisy = torch.randn(2, 9, 12, generator=generator)
    same = torch.zeros(2, 9, 5)
    forward = run(network, noisy_BTD=noisy, condition_BTC=same)
    backward = run(network, noisy_BTD=noisy.flip(1), condition_BTC=same)
    assert not torch.allclose(forward, backward.flip(1), atol=1e-3)


def test_rotated_products_depend_on_the_distance_alone():
    rotation = rotary_angles(20, 8)
    query, key = torch.randn(8), torch.randn(8)
    queries = rotate(query.expand(1, 1, 20, 8), rotation)[0, 0]
    keys = rotate(key.expand(1, 1, 20, 8), rotation)[0, 0]
    products = queries @ keys.T
    torch.testing.assert_close(products[3, 1], products[17, 15], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(queries.norm(dim=-1), query.norm().expand(20))


def test_the_recipes_default_has_the_size_it_should():
    config = NetworkConfig(token_dim=320, streams={"motion": 128, "appearance": 6})
    parameters = sum(part.numel() for part in MelTransformer(config).parameters())
    assert 1_000_000 < parameters < 1_600_000
