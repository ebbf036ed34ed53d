"""The optimizer of hidden matrices, beside torch's own."""

import copy
from typing import Any

import pytest
import torch

from s2s.settings import TrainingSettings
from s2s.tasks.common.muon import BatchedMuon
from s2s.tasks.common.optimizers import adamw_and_muon
from training.trainer import _is_bfloat16

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


@pytest.mark.parametrize(
    ("capability", "precision"),
    [("AVX512", torch.bfloat16), ("AVX2", torch.float32), ("DEFAULT", torch.float32)],
)
def test_a_processor_without_bfloat16_reckons_in_float32(
    capability: str, precision: torch.dtype, monkeypatch: pytest.MonkeyPatch
):
    """It takes 14 times as long where each product has to be put together."""
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    part = torch.nn.Parameter(torch.zeros(24, 8))
    part.grad = drawn(1)[0]
    BatchedMuon([part], **HOW, momentum=0).step()
    moved = part.detach() / -(HOW["lr"] * 0.2 * 24**0.5)
    kept = torch.isclose(moved, moved.to(torch.bfloat16).float(), rtol=1e-5)
    assert bool(kept.all()) == (precision == torch.bfloat16)
    assert torch.linalg.svdvals(moved).sub(1).abs().max() < 0.35, "near orthogonal"


@pytest.mark.parametrize(("capability", "is_torchs"), [("AVX512", True), ("AVX2", False)])
def test_large_matrices_are_reckoned_in_what_the_processor_is_quick_with(
    capability: str, *, is_torchs: bool, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    network = torch.nn.ModuleDict(
        {"blocks": torch.nn.Linear(512, 512), "last": torch.nn.Linear(9, 9)}
    )
    _, muon = adamw_and_muon(network, RATE)
    assert (type(muon) is torch.optim.Muon) == is_torchs


@pytest.mark.parametrize(
    ("precision", "capability", "is_told"),
    [("bfloat16", "AVX2", True), ("bfloat16", "AVX512", False), ("auto", "AVX2", False)],
)
def test_a_precision_that_the_processor_is_slow_with_is_told(
    precision: Any,
    capability: str,
    *,
    is_told: bool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    settings = TrainingSettings(precision=precision)
    assert _is_bfloat16(settings, on_gpu=False) == (precision == "bfloat16")
    assert ("set it to auto or float32" in caplog.text) == is_told
