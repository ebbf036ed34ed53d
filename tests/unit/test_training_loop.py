"""The loop: in parts, in several processes, compiled; what comes out is the same network."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import Dataset, TensorDataset

from s2s.errors import StageError
from s2s.tasks.generation.data import MelScale
from s2s.tasks.generation.network.transformer import MelTransformer, NetworkConfig
from s2s.tasks.generation.settings import GenerationTrainingSettings
from training.callbacks import Budget, LearningCurve
from training.fit import Batch, FlowTraining, Plan, fit, make_trainer

CONFIG = NetworkConfig(
    token_dim=4, streams={"motion": 2, "appearance": 1}, width=16, depth=1, heads=1
)
TINY = {"width": 16, "depth": 1, "heads": 1, "batch_size": 4, "accelerator": "cpu"}
SCALE = MelScale(0.0, 1.0)


def windows(count: int) -> dict[str, Dataset[Any]]:
    """Mel that follows from what is seen, in float16 as it is stored."""
    generator = torch.Generator().manual_seed(0)
    seen = torch.randn(count, 10, 3, generator=generator)
    mel = seen @ torch.randn(3, 4, generator=generator)
    return {"train": TensorDataset(mel.half(), seen.half())}


def train(folder: Path, **settings: object) -> tuple[MelTransformer, dict[str, list[float]]]:
    torch.manual_seed(0)
    checked = GenerationTrainingSettings.model_validate({**TINY, **settings})
    data = windows(checked.max_steps * checked.batch_size * checked.devices)
    plan = Plan(checked, SCALE, f"file://{folder}/bucket", "none.ckpt", folder)
    result = fit(MelTransformer(CONFIG), data, plan)
    assert result.curve.steps == checked.max_steps
    losses = [row["train_loss"] for row in result.curve.rows if "train_loss" in row]
    return result.network, {"losses": losses}


def plain_loss(network: Any, clean: torch.Tensor, seen: torch.Tensor, *_: object) -> torch.Tensor:
    """Without chance, so that trainings can be compared."""
    nothing = torch.zeros(len(clean)), seen, torch.zeros(len(clean), 2, dtype=torch.bool)
    return (network(torch.zeros_like(clean), *nothing) - clean).square().mean()


def test_a_batch_in_parts_is_the_same_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("training.fit.flow_loss", plain_loss)
    whole, curve = train(tmp_path / "whole", max_steps=10)
    parts, curve_in_parts = train(tmp_path / "parts", max_steps=10, accumulate=4)
    assert curve["losses"] == pytest.approx(curve_in_parts["losses"], rel=1e-3)
    assert curve["losses"][-1] < curve["losses"][0]
    for name, value in whole.state_dict().items():
        torch.testing.assert_close(value, parts.state_dict()[name], atol=1e-2, rtol=1e-2)


def test_time_ends_a_training(tmp_path: Path):
    torch.manual_seed(0)
    settings = GenerationTrainingSettings.model_validate(
        {**TINY, "max_steps": 10**6, "max_minutes": 0.03}
    )
    plan = Plan(settings, SCALE, f"file://{tmp_path}/bucket", "none.ckpt", tmp_path)
    result = fit(MelTransformer(CONFIG), windows(10**4), plan)
    assert 0 < result.curve.steps < 10**4 / 4
    assert result.curve.rows[-1]["learning_rate"] < settings.learning_rate


def fill_gpu(*_: object) -> torch.Tensor:
    raise torch.OutOfMemoryError("CUDA out of memory")


def fill_machine(*_: object) -> torch.Tensor:
    return torch.empty(1 << 50)


@pytest.mark.parametrize(("fill", "place"), [(fill_gpu, "GPU"), (fill_machine, "machine")])
def test_too_little_memory_is_told_with_the_remedy(
    fill: Callable[..., torch.Tensor], place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("training.fit.flow_loss", fill)
    with pytest.raises(
        StageError, match=rf"{place}'s memory .* batch of 4 windows: raise training\.accumulate"
    ):
        train(tmp_path, max_steps=1)


def test_other_errors_are_not_taken_for_too_little_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def fail(*_: object) -> torch.Tensor:
        raise RuntimeError("shapes do not fit")

    monkeypatch.setattr("training.fit.flow_loss", fail)
    with pytest.raises(RuntimeError, match="shapes"):
        train(tmp_path, max_steps=1)


class Compared(FlowTraining):
    """In each step, processes compare what they have."""

    def on_train_batch_end(self, outputs: Any, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002
        """Windows are different, weights are not."""
        seen = self.all_gather(batch[1].float().sum())
        assert seen[0] != seen[1]
        for parameter in self.network.parameters():
            first, second = self.all_gather(parameter.detach())
            torch.testing.assert_close(first, second, rtol=0, atol=0)


def test_processes_share_one_training(tmp_path: Path):
    settings = GenerationTrainingSettings.model_validate(
        {**TINY, "max_steps": 4, "devices": 2, "max_minutes": 5}
    )
    budget = Budget(settings)
    module = Compared(MelTransformer(CONFIG), settings, SCALE, budget)
    before = {name: value.clone() for name, value in module.network.state_dict().items()}
    curve = LearningCurve(budget, tmp_path / "curve.json")
    trainer = make_trainer(settings, [budget, curve], on_gpu=False, validate=False)
    loader = torch.utils.data.DataLoader(windows(32)["train"], 4)
    trainer.fit(module, loader)
    changed = [
        name for name, value in module.network.state_dict().items() if (value != before[name]).any()
    ]
    assert "blocks.0.attention.read.weight" in changed
    curve.read()  # the other processes are gone
    assert curve.steps == settings.max_steps
    assert [row["step"] for row in curve.rows] == [1]
