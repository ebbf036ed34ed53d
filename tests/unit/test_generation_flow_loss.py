"""The loss of flow matching, and what is hidden of what is seen."""

import pytest
import torch

from s2s.tasks.common.chance import Chance
from s2s.tasks.generation.objective.flow_loss import Hiding, flow_loss, hide


def oracle(noisy_BTD, time_B, condition_BTC, hidden_BS):
    """Knows the clean tokens: they are the condition. Without motion, it predicts zeros."""
    return torch.where(hidden_BS[:, :1, None], 0.0, condition_BTC)


def echo(noisy_BTD, time_B, condition_BTC, hidden_BS):
    """Says what it was given."""
    return noisy_BTD * time_B[:, None, None] + condition_BTC * hidden_BS[:, :1, None]


def test_the_loss_of_perfect_predictions_is_zero():
    clean = torch.randn(4, 8, 6)
    assert flow_loss(oracle, clean, clean, Hiding(), Chance(0, range(4))) == 0


def test_hiding_every_condition_costs():
    clean = torch.ones(64, 8, 6)
    loss = flow_loss(oracle, clean, clean, Hiding(null=1.0), Chance(0, range(64)))
    # Squared error 1, weight 1 / (1 - t) between 1 and 20.
    assert 1 < loss < 20


def test_a_window_has_the_same_loss_whatever_it_is_in_a_batch_with():
    clean, condition = torch.randn(4, 8, 6), torch.randn(4, 8, 6)
    hiding = Hiding(0.1, 0.1)
    whole = flow_loss(echo, clean, condition, hiding, Chance(3, range(4)))
    parts = [
        flow_loss(echo, clean[part], condition[part], hiding, Chance(3, range(4)[part]))
        for part in (slice(0, 2), slice(2, 4))
    ]
    torch.testing.assert_close(torch.stack(parts).mean(), whole)
    assert flow_loss(echo, clean, condition, hiding, Chance(4, range(4))) != whole


def test_some_windows_are_hidden_and_some_stand_still():
    condition = torch.randn(4000, 5, 6)
    shown, hidden = hide(condition, Hiding(null=0.2, still=0.1), Chance(0, range(4000)))
    is_null, is_still = hidden.all(dim=1), hidden[:, 0] & ~hidden[:, 1]
    assert is_null.float().mean() == pytest.approx(0.2, abs=0.03)
    assert is_still.float().mean() == pytest.approx(0.1, abs=0.03)
    torch.testing.assert_close(shown[~is_still], condition[~is_still])
    assert (shown[is_still] == shown[is_still][:, :1]).all()
    # A still is one of the window's own frames, not always the first.
    same = (shown[is_still][:, :1] == condition[is_still]).all(dim=2)
    assert (same.sum(dim=1) == 1).all()
    assert same.any(dim=0).all()
