"""What separators make small: ratios in dB, the best order, the choice of a voice."""

import numpy as np
import pytest
import torch
from torchmetrics.functional.audio import scale_invariant_signal_distortion_ratio

from s2s.tasks.separation.objective.losses import blind_loss, choice_loss, si_sdr_db, voice_loss


def sounds(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("noise", [0.01, 0.3, 3.0])
def test_our_si_sdr_is_that_of_torchmetrics(noise: float):
    true = sounds(5, 4000)
    found = 0.3 * true + noise * sounds(5, 4000, seed=1)
    wanted = scale_invariant_signal_distortion_ratio(found, true)
    torch.testing.assert_close(si_sdr_db(found, true), wanted, atol=1e-3, rtol=1e-4)


def test_si_sdr_is_that_of_the_definition_and_does_not_mind_loudness():
    true = torch.zeros(2)
    true[0] = 2.0
    found = torch.tensor([3.0, 0.3])  # a tenth of its length is wrong: 20 dB
    assert float(si_sdr_db(found, true)) == pytest.approx(20, abs=1e-3)
    assert float(si_sdr_db(7 * found, true)) == pytest.approx(20, abs=1e-3)


def test_a_voice_that_is_found_is_worth_its_ratio_and_no_more_than_30_db():
    true, mixture = sounds(1, 4000), sounds(1, 4000, seed=2) + sounds(1, 4000)
    wrong = sounds(1, 4000, seed=3)
    wrong -= (wrong * true).sum() / true.square().sum() * true
    wrong *= 0.1 * true.norm() / wrong.norm()
    assert float(voice_loss(true + wrong, true, mixture)) == pytest.approx(-20, abs=0.5)
    assert float(voice_loss(true, true, mixture)) == pytest.approx(-30, abs=0.01)
    # Too quiet is wrong too, though only by half.
    assert float(voice_loss(0.5 * true, true, mixture)) == pytest.approx(0.5 * (-30 - 6.0), abs=0.1)


def test_of_a_silent_voice_what_is_left_counts():
    silence, mixture = torch.zeros(1, 4000), sounds(1, 4000)
    assert float(voice_loss(0.1 * mixture, silence, mixture)) == pytest.approx(-20, abs=0.5)
    assert float(voice_loss(silence, silence, mixture)) == pytest.approx(-30, abs=0.01)
    found = torch.zeros(1, 4000, requires_grad=True)
    voice_loss(found, silence, mixture).sum().backward()
    assert found.grad is not None
    assert torch.isfinite(found.grad).all()


def test_the_best_order_is_found_and_a_voice_too_many_is_to_be_silent():
    voices = sounds(2, 2, 3000)
    mixture = voices.sum(dim=1)
    heard = torch.stack([voices[:, 1], torch.zeros(2, 3000), voices[:, 0]], dim=1)
    loss, order = blind_loss(heard, voices, mixture)
    assert order.tolist() == [[2, 0], [2, 0]]
    assert loss.tolist() == pytest.approx([-30, -30], abs=0.01)
    worse, _ = blind_loss(heard + 0.1 * mixture[:, None], voices, mixture)
    assert (worse > loss).all()


def test_the_choice_is_right_where_each_face_takes_its_own_voice_or_none():
    order, is_heard = torch.tensor([[1, 0]]), torch.tensor([[True, False]])
    sure = torch.full((1, 2, 3), -20.0)
    sure[0, 0, 1] = sure[0, 1, 2] = 20.0
    assert float(choice_loss(sure, order, is_heard)) == pytest.approx(0, abs=1e-5)
    unsure = choice_loss(torch.zeros(1, 2, 3), order, is_heard)
    assert float(unsure) == pytest.approx(np.log(3))
