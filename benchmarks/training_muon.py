"""A step of Muon on the matrices of a sound model: torch's own, and ours.

python benchmarks/training_muon.py --size tiny

Ours takes all matrices of one size at a time. Both take their steps in turn, in this one process;
the medians and their ratio are printed.
"""

import argparse
import copy
import statistics
import time
from typing import Any

import torch

from s2s.tasks.common.muon import BatchedMuon
from s2s.tasks.generation.network.transformer import MelTransformer, NetworkConfig
from s2s.tasks.generation.settings import GenerationTrainingSettings

_HOW: Any = {"lr": 0.02, "weight_decay": 0.01, "adjust_lr_fn": "match_rms_adamw"}


def main() -> None:
    """Compare the two."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=("tiny", "small", "base", "large"), default="tiny")
    parser.add_argument("--steps", type=int, default=50)
    given = parser.parse_args()
    training = GenerationTrainingSettings(size=given.size)
    config = NetworkConfig(
        token_dim=320,
        streams={"motion": 128, "appearance": 96},
        width=training.width,
        depth=training.depth,
        heads=training.heads,
    )
    device = "cuda" if torch.cuda.is_available() else "cpu"
    blocks = MelTransformer(config).blocks.to(device)
    matrices = [part for part in blocks.parameters() if part.ndim == 2]
    copies = [copy.deepcopy(part) for part in matrices]
    for part in (*matrices, *copies):
        part.grad = torch.randn_like(part)
    steppers = {
        "torch.optim.Muon": torch.optim.Muon(copies, **_HOW),
        "BatchedMuon": BatchedMuon(matrices, **_HOW),
    }
    taken: dict[str, list[float]] = {name: [] for name in steppers}
    for _ in range(given.steps):
        for name, stepper in steppers.items():
            started = time.perf_counter()
            stepper.step()
            if device == "cuda":
                torch.cuda.synchronize()
            taken[name].append(time.perf_counter() - started)
    theirs, ours = (1000 * statistics.median(seconds) for seconds in taken.values())
    print(
        f"{given.size}, {len(matrices)} matrices, {device}: {theirs:.1f} ms and {ours:.1f} ms "
        f"a step, {theirs / ours:.2f} times"
    )


if __name__ == "__main__":
    main()
