"""Training throughput of a size: clips/s, share of the device's peak, memory, compiled or not.

python benchmarks/training_gpu.py --size base            on a GPU
python benchmarks/training_gpu.py --size tiny --steps 3  on a CPU, to see that it runs

One step is a batch of random windows through `training.module.TrainingModule`: the flow's loss, its
two optimizers, mixed precision, clipping and averaged weights, on one device. Operations are
counted by torch's FlopCounterMode on a step that is not timed. The peak is what one large matrix
product reaches on this device in the same run (bf16 on a GPU), and the data sheet's figure where
the device is known.
"""

import argparse
import time
from dataclasses import dataclass
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback
from torch.utils.data import Dataset
from torch.utils.flop_counter import FlopCounterMode

from s2s.spec import TimeSpec
from s2s.tasks.common.chance import Chance
from s2s.tasks.common.optimizers import adamw_and_muon
from s2s.tasks.contract import Objective
from s2s.tasks.generation.network.transformer import MelTransformer, NetworkConfig
from s2s.tasks.generation.objective.flow_loss import Hiding, flow_loss
from s2s.tasks.generation.settings import GenerationTrainingSettings
from training.callbacks.averaging import Averaging
from training.module import TrainingModule
from training.trainer import make_trainer

_SHEET_FLOPS = {"NVIDIA H200": 989e12, "NVIDIA H100 80GB HBM3": 989e12, "NVIDIA A100": 312e12}
"""Dense bf16, by the start of the device's name."""
_APPEARANCE = {"tiny": 96, "small": 96, "base": 768, "large": 1024}
_BATCH = {"tiny": 64, "small": 64, "base": 64, "large": 16}
_WARM_UP_STEPS = 5


class _RandomWindows(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """As windows of shards are: float16."""

    def __init__(self, tokens: tuple[int, int], seen: tuple[int, int], count: int) -> None:
        self._window = torch.randn(tokens).half(), torch.randn(seen).half()
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        return self._window


class _FlowObjective(Objective):
    """The model's, on random windows: see `s2s.tasks.generation.objective.flow`."""

    name = "benchmark"
    seed = 0

    def __init__(
        self,
        network: MelTransformer,
        settings: GenerationTrainingSettings,
        data: Dataset[Any],
    ) -> None:
        self.network = network
        self.settings = settings
        self._data = data

    def datasets(self) -> dict[str, Dataset[Any]]:
        return {"train": self._data}

    def optimizers(self) -> list[torch.optim.Optimizer]:
        return adamw_and_muon(self.network, self.settings.learning_rate, fused=True)

    def loss(self, batch: Any, chance: Chance) -> torch.Tensor:
        tokens_BTD, seen_BTC = batch
        return flow_loss(
            self.network, tokens_BTD.float(), seen_BTC.float(), Hiding(0.1, 0.1), chance
        )

    def export(self, folder: Any) -> None:
        """Nothing: it is random."""


class _Stopwatch(Callback):
    """Seconds from the end of the warm-up on, the device's work included."""

    def __init__(self, warm_up: int) -> None:
        self._warm_up = warm_up
        self._started_s = 0.0
        self.seconds = 0.0

    def on_train_batch_end(self, trainer: lightning.Trainer, *_args: Any, **_kwargs: Any) -> None:
        """Start after the warm-up; every later step moves the end."""
        if trainer.global_step == self._warm_up:
            self._started_s = _synchronised_s()
        if trainer.global_step == trainer.max_steps:
            self.seconds = _synchronised_s() - self._started_s


@dataclass(frozen=True)
class _Task:
    size: str
    batch: int
    window_s: float
    steps: int

    @property
    def spec(self) -> TimeSpec:
        """44.1 kHz and 128 bands for what is meant for a GPU."""
        if self.size in {"tiny", "small"}:
            return TimeSpec()
        return TimeSpec(sample_rate_hz=44_100, n_mels=128)

    @property
    def frames(self) -> int:
        """Tokens in a window."""
        return self.spec.frames(self.window_s)

    def network(self, settings: GenerationTrainingSettings) -> MelTransformer:
        """One of that size."""
        config = NetworkConfig(
            token_dim=self.spec.token_dim,
            streams={"motion": 128, "appearance": _APPEARANCE[self.size]},
            width=settings.width,
            depth=settings.depth,
            heads=settings.heads,
        )
        return MelTransformer(config)


def _synchronised_s() -> float:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.monotonic()


def _flops(task: _Task, settings: GenerationTrainingSettings) -> int:
    """Operations of one step's passes forward and back; those of optimizers are left out."""
    network = task.network(settings)
    mel = torch.randn(task.batch, task.frames, task.spec.token_dim)
    seen = torch.randn(task.batch, task.frames, network.config.condition_dim)
    hidden = torch.zeros(task.batch, 2, dtype=torch.bool)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    inputs = [part.to(device) for part in (mel, torch.zeros(task.batch), seen, hidden)]
    with FlopCounterMode(display=False) as counter:
        network.to(device)(*inputs).square().mean().backward()
    return counter.get_total_flops()


def _matmul_flops() -> float:
    """Operations a second that one large product reaches, in the precision of training."""
    device, side, dtype = "cpu", 1024, torch.float32
    if torch.cuda.is_available():
        device, side, dtype = "cuda", 8192, torch.bfloat16
    left, right = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    best = 0.0
    for _ in range(10):
        started = _synchronised_s()
        torch.mm(left, right)
        best = max(best, 2 * side**3 / (_synchronised_s() - started))
    return best


def _time(task: _Task, settings: GenerationTrainingSettings) -> float:
    """Seconds of a step."""
    windows = _RandomWindows(
        (task.frames, task.spec.token_dim),
        (task.frames, 128 + _APPEARANCE[task.size]),
        settings.max_steps * task.batch,
    )
    watch = _Stopwatch(settings.max_steps - task.steps)
    module = TrainingModule(_FlowObjective(task.network(settings), settings, windows))
    trainer = make_trainer(module, [Averaging(module.network), watch])
    trainer.fit(module)
    return watch.seconds / task.steps


def main() -> None:
    """Measure one size, or compare compiled with not."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", choices=list(_APPEARANCE), default="base")
    parser.add_argument("--batch", type=int)
    parser.add_argument("--window", type=float, default=8.0, help="seconds")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--compile", choices=["off", "on", "both"])
    args = parser.parse_args()
    on_gpu = torch.cuda.is_available()
    task = _Task(args.size, args.batch or _BATCH[args.size], args.window, args.steps)
    which = args.compile or ("both" if on_gpu else "off")
    name = torch.cuda.get_device_name() if on_gpu else "CPU"
    reached = _matmul_flops()
    sheet = next((peak for start, peak in _SHEET_FLOPS.items() if name.startswith(start)), None)
    print(f"{name}: one large product reaches {reached / 1e12:.3g} TFLOP/s")
    for is_compiled in {"off": [False], "on": [True], "both": [False, True]}[which]:
        settings = GenerationTrainingSettings.model_validate(
            {
                "size": task.size,
                "batch_size": task.batch,
                "window_s": task.window_s,
                "max_steps": task.steps + _WARM_UP_STEPS,
                "compile": is_compiled,
            }
        )
        if on_gpu:
            torch.cuda.reset_peak_memory_stats()
        step_s = _time(task, settings)
        flops = _flops(task, settings) / step_s
        line = [
            f"{task.size}, {task.batch} windows of {task.window_s:g} s, compile {is_compiled}",
            f"{task.batch / step_s:.1f} clips/s",
            f"{1000 * step_s:.1f} ms a step",
            f"{flops / 1e12:.3g} TFLOP/s",
            f"{100 * flops / reached:.0f} % of the product",
        ]
        line += [f"{100 * flops / sheet:.0f} % of the data sheet"] if sheet else []
        line += [f"{torch.cuda.max_memory_allocated() / 2**30:.1f} GiB"] if on_gpu else []
        print(" | ".join(line))


if __name__ == "__main__":
    main()
