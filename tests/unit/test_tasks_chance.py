"""Chance of a training: of each example by itself."""

import torch

from s2s.tasks.common.chance import Chance, seeded


def test_an_example_gets_the_same_numbers_however_batches_are_split():
    whole = Chance(3, range(4, 8))
    first, second = Chance(3, range(4, 6)), Chance(3, range(6, 8))
    for name, arguments in (("normal", (5, 2)), ("uniform", ()), ("integers", (9, 3))):
        drawn = getattr(whole, name)(*arguments)
        parts = [getattr(part, name)(*arguments) for part in (first, second)]
        torch.testing.assert_close(torch.cat(parts), drawn, rtol=0, atol=0)
        assert drawn.shape == (4, *arguments[1 if name == "integers" else 0 :])


def test_examples_and_seeds_have_numbers_of_their_own():
    numbers = torch.cat([Chance(seed, range(500)).normal(8) for seed in (0, 1)])
    assert len(numbers.flatten().unique()) > 7990
    assert abs(numbers.mean()) < 0.05
    assert abs(numbers.std() - 1) < 0.05
    assert abs(torch.corrcoef(numbers[:, 0].view(2, -1))[0, 1]) < 0.2


def test_within_a_seed_nothing_outside_is_drawn():
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    with seeded(7):
        inside = torch.rand(3)
    torch.testing.assert_close(torch.rand(3), expected, rtol=0, atol=0)
    torch.manual_seed(7)
    torch.testing.assert_close(torch.rand(3), inside, rtol=0, atol=0)
