"""The optimizer of hidden matrices, beside torch's own."""

import copy
from typing import Any

import torch

from s2s.tasks.common.muon import BatchedMuon

RATE = 0.01
HOW: Any = {"lr": RATE, "weight_decay": 0.1, "adjust_lr_fn": "match_rms_adamw"}
SIZES = ((24, 8), (8, 24), (24, 8), (8, 8), (4, 16))
"""Tall and wide ones of one size are taken together."""


def drawn(seed: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(size, generator=generator) for size in SIZES]


def test_it_takes_the_steps_that_torchs_own_takes():
    ours = [torch.nn.Parameter(values) for values in drawn(0)]
    theirs = copy.deepcopy(ours)
    frozen = torch.nn.Parameter(torch.ones(24, 8))  # has no gradient
    batched = BatchedMuon([*ours, frozen], **HOW)
    reference = torch.optim.Muon(theirs, **HOW)
    for step in range(1, 6):
        for one, other, gradient in zip(ours, theirs, drawn(step), strict=True):
            one.grad, other.grad = gradient.clone(), gradient.clone()
        batched.step()
        reference.step()

    for one, other, before in zip(ours, theirs, drawn(0), strict=True):
        assert (other - before).abs().max() > RATE, "they have moved"
        # Both reckon with 8 bits of each number.
        assert (one - other).abs().max() < 0.02 * (other - before).abs().max()
    assert torch.equal(frozen, torch.ones(24, 8))
    states = zip(batched.state.values(), reference.state.values(), strict=True)
    assert all(torch.equal(a["momentum_buffer"], b["momentum_buffer"]) for a, b in states)


def test_a_checkpoint_of_one_goes_on_in_the_other():
    ours = [torch.nn.Parameter(values) for values in drawn(0)]
    reference = torch.optim.Muon(ours, **HOW)
    for one, gradient in zip(ours, drawn(1), strict=True):
        one.grad = gradient
    reference.step()
    batched = BatchedMuon(ours, **HOW)
    batched.load_state_dict(reference.state_dict())
    assert batched.state_dict()["param_groups"] == reference.state_dict()["param_groups"]
    assert batched.state[ours[0]]["momentum_buffer"].abs().max() > 0
