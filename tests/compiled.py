"""How much of a network is compiled, in what training calls."""

from collections.abc import Callable

import pytest
import torch
from torch import nn


def compiled_share(
    network: nn.Module, work: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> float:
    """The share of parameters that are in what was compiled and is called in the work.

    Graphs are traced as they are for a GPU, and run as they are.
    """
    ran: set[int] = set()
    compiling = nn.Module.compile

    def noting(part: nn.Module, *_: object, **__: object) -> None:
        compiling(part, backend="eager")
        traced = part._compiled_call_impl
        assert traced is not None

        def call(*given: object, **named: object) -> object:
            ran.update(id(parameter) for parameter in part.parameters())
            return traced(*given, **named)

        monkeypatch.setattr(part, "_compiled_call_impl", call)

    with monkeypatch.context() as patch:
        patch.setattr(nn.Module, "compile", noting)
        network.compile()
    torch._dynamo.reset()
    work()
    every = list(network.parameters())
    return sum(p.numel() for p in every if id(p) in ran) / sum(p.numel() for p in every)
