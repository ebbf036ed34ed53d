"""The loop: whatever is trained, in parts, in several processes, by several losses."""

import csv
import signal
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from small_objectives import (
    AdversarialObjective,
    LoudNeighbour,
    ResNetObjective,
    SmallObjective,
)

from s2s.errors import StageError
from s2s.tasks.common.optimizers import rate_share
from s2s.tasks.contract import Objective, Trained
from training.batches import HeldOutBatches, TrainingBatches, split_batch
from training.callbacks.checkpoints import StoredCheckpoints
from training.trainer import Trainer


def train(objective: Objective, folder: Path) -> Trained:
    return Trainer(f"file://{folder}/bucket", "models/", folder)(objective)


def losses(folder: Path, name: str, column: str = "train_loss") -> list[float]:
    rows = list(csv.DictReader((folder / f"{name}.csv").open()))
    return [float(row[column]) for row in rows if row[column]]


@pytest.fixture
def every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """The curve has every step."""
    monkeypatch.setattr("training.callbacks.curve._EVERY_STEPS", 1)


def test_a_batch_in_parts_is_the_same_batch(tmp_path: Path, every_step: None):
    whole, parts = SmallObjective(n_val=6), SmallObjective(n_val=6, accumulate=4)
    for name, objective in (("whole", whole), ("parts", parts)):
        assert train(objective, tmp_path / name).steps == 10
    for column in ("train_loss", "val_loss"):
        in_parts = losses(tmp_path / "parts", "small", column)
        assert losses(tmp_path / "whole", "small", column) == pytest.approx(in_parts, rel=1e-4)
    for name, value in whole.network.state_dict().items():
        torch.testing.assert_close(value, parts.network.state_dict()[name], atol=1e-4, rtol=1e-4)


def test_it_learns_and_ends_with_averaged_weights(tmp_path: Path):
    objective = SmallObjective(n_val=8, max_steps=300, learning_rate=0.02)
    trained = train(objective, tmp_path)
    assert (trained.steps, trained.stopped_by) == (300, "max_steps")
    found = losses(tmp_path, "small", "val_loss")
    assert len(found) == 3
    assert found[-1] < 0.5 * losses(tmp_path, "small")[0]
    assert not objective.network.training
    assert (tmp_path / "small.png").is_file()


def test_processes_share_one_training(tmp_path: Path):
    curves = []
    for devices in (1, 2):
        objective = SmallObjective(n_val=6, max_steps=20, devices=devices)
        assert train(objective, tmp_path / str(devices)).steps == 20
        folder = tmp_path / str(devices)
        curves.append(losses(folder, "small") + losses(folder, "small", "val_loss"))
        weights = objective.network.state_dict()
    alone = SmallObjective(n_val=6, max_steps=20)
    train(alone, tmp_path / "again")
    assert curves[0] == pytest.approx(curves[1], abs=1e-5)
    for name, value in alone.network.state_dict().items():
        torch.testing.assert_close(value, weights[name], atol=1e-5, rtol=1e-4)


def test_time_is_a_cap_that_is_told_and_that_the_learning_rate_does_not_follow(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    objective = SmallObjective(max_steps=10**6, max_minutes=0.02)
    trained = train(objective, tmp_path)
    assert trained.stopped_by == "max_minutes"
    assert 0 < trained.steps < 10**6
    assert "stopped after" in caplog.text
    last = losses(tmp_path, "small", "learning_rate")[-1]
    step = int(list(csv.DictReader((tmp_path / "small.csv").open()))[-1]["step"])
    assert last == pytest.approx(1e-3 * rate_share(step - 1, 10**6))


def test_weights_cannot_be_compared_without_validation_clips(tmp_path: Path):
    with pytest.raises(StageError, match=r"training\.patience compare weights on the val split"):
        train(SmallObjective(patience=3), tmp_path)


def test_the_learning_rate_follows_the_steps():
    shares = [rate_share(step, 1000) for step in range(1000)]
    assert shares[0] < 0.05
    assert max(shares) == pytest.approx(1, abs=0.01)
    assert shares[40:] == sorted(shares[40:], reverse=True)
    assert 0 < shares[-1] < 0.02


def test_batch_normalisation_is_averaged_with_its_counters(tmp_path: Path):
    objective = ResNetObjective(max_steps=10)
    train(objective, tmp_path)
    state = objective.network.state_dict()
    assert state["1.norm.num_batches_tracked"] == 10
    assert state["1.norm.running_var"].isfinite().all()
    assert not objective.network[1].norm.training


def test_an_adversary_takes_its_steps_first_and_each_reaches_its_own_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    objective = AdversarialObjective(max_steps=3, n_val=2)
    order: list[tuple[str, float]] = []
    for learner, name in ((objective, "network"), (objective.critic, "critic")):
        loss: Any = learner.loss

        def noted(batch: Any, chance: Any, loss: Any = loss, name: str = name) -> torch.Tensor:
            order.append((name, objective.critic.weight()))
            return loss(batch, chance)

        monkeypatch.setattr(learner, "loss", noted)
    before = objective.network[0].weight.clone()
    train(objective, tmp_path)
    assert [name for name, _ in order] == 3 * ["critic", "network"]
    critic = [weight for _, weight in order]
    assert critic[0] != critic[1] == critic[2] != critic[3]
    assert not torch.equal(objective.network[0].weight, before)


def quiet_layer(loudness: float, folder: Path, *, is_apart: bool) -> torch.Tensor:
    """Weights of a layer that was trained beside another with a loss of that size."""
    objective = LoudNeighbour(loudness, is_apart=is_apart)
    train(objective, folder / f"{loudness}")
    return objective.network[1].weight


def test_what_is_clipped_apart_is_not_slowed_down_by_a_large_loss_beside_it(tmp_path: Path):
    apart = [quiet_layer(loudness, tmp_path / "apart", is_apart=True) for loudness in (1, 1e4)]
    torch.testing.assert_close(*apart)
    as_one = [quiet_layer(loudness, tmp_path / "one", is_apart=False) for loudness in (1, 1e4)]
    assert (as_one[0] - as_one[1]).abs().max() > 0.01


def fill_gpu(*_: object) -> torch.Tensor:
    raise torch.OutOfMemoryError("CUDA out of memory")


def fill_machine(*_: object) -> torch.Tensor:
    return torch.empty(1 << 50)


def fill_reader(*_: object) -> torch.Tensor:
    raise RuntimeError("DataLoader worker (pid 1) is killed by signal: Killed. ")


@pytest.mark.parametrize(
    ("fill", "place"), [(fill_gpu, "GPU"), (fill_machine, "machine"), (fill_reader, "machine")]
)
def test_too_little_memory_is_told_with_the_remedy(
    fill: Callable[..., torch.Tensor], place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    objective = SmallObjective()
    monkeypatch.setattr(objective, "loss", fill)
    with pytest.raises(
        StageError, match=rf"{place}'s memory .* batch of 4 examples of small: raise training\.acc"
    ):
        train(objective, tmp_path)


def test_other_errors_are_not_taken_for_too_little_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def fail(*_: object) -> torch.Tensor:
        raise RuntimeError("shapes do not fit")

    objective = SmallObjective()
    monkeypatch.setattr(objective, "loss", fail)
    with pytest.raises(RuntimeError, match="shapes"):
        train(objective, tmp_path)


def test_without_a_gpu_none_can_be_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(StageError, match="set it to auto or cpu"):
        train(SmallObjective(accelerator="gpu"), tmp_path)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_passes(
    stop: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    class OwnError(KeyboardInterrupt):
        pass

    def on_signal(*_: object) -> None:
        raise OwnError

    def interrupt(*args: Any) -> torch.Tensor:
        signal.raise_signal(stop)
        return loss(*args)

    objective = SmallObjective()
    loss = objective.loss
    monkeypatch.setattr(objective, "loss", interrupt)
    before = signal.signal(stop, on_signal)
    try:
        with pytest.raises(OwnError):
            train(objective, tmp_path)
        assert signal.getsignal(stop) is on_signal
    finally:
        signal.signal(stop, before)


def test_examples_follow_from_the_step_alone():
    whole = TrainingBatches(6, 5)
    assert list(whole)[2] == [12, 13, 14, 15, 16, 17]
    later = TrainingBatches(6, 5, first_step=3)
    assert list(later) == list(whole)[3:]
    assert len(later) == 5
    shares = [list(TrainingBatches(6, 5, rank=rank, world_size=2)) for rank in (0, 1)]
    assert [first + second for first, second in zip(*shares, strict=True)] == list(whole)


def test_held_out_examples_are_taken_once():
    assert list(HeldOutBatches(4, 6)) == [[0, 1, 2, 3], [4, 5]]
    shares = [list(HeldOutBatches(4, 5, rank, 2)) for rank in (0, 1)]
    assert shares == [[[0, 2], [4]], [[1, 3], [0]]]


def test_a_batch_is_split_however_it_is_nested():
    batch = {"a": torch.arange(4), "b": [torch.arange(8).view(4, 2), (torch.ones(4),)]}
    first, second = split_batch(batch, 2)
    assert first["a"].tolist() == [0, 1]
    assert second["b"][0].tolist() == [[4, 5], [6, 7]]
    assert second["b"][1][0].shape == (2,)
    with pytest.raises(TypeError, match="str"):
        split_batch("names", 2)


class Writing:
    """A trainer that writes so slowly that it can be seen, on a clock of its own."""

    max_steps, enable_validation, val_check_batch, world_size = 10**9, False, 100, 1
    is_global_zero = True

    def __init__(self, seconds: float) -> None:
        self.global_step, self.now_s, self._seconds = 0, 0.0, seconds
        self.stored_s: list[float] = []

    def save_checkpoint(self, path: Path, **_: object) -> None:
        self.stored_s.append(self.now_s)
        self.now_s += self._seconds
        path.write_bytes(b"weights")


@pytest.mark.parametrize(("writing_s", "interval_s"), [(0.1, 60), (4.0, 200)])
def test_checkpoints_take_little_of_the_time(tmp_path: Path, writing_s: float, interval_s: float):
    trainer = Writing(writing_s)
    stored = StoredCheckpoints(
        f"file://{tmp_path}/bucket", "last.ckpt", tmp_path / "ckpt", lambda: trainer.now_s
    )
    for step in range(1, 2001):
        trainer.global_step, trainer.now_s = step, trainer.now_s + 1.0
        stored.on_train_batch_end(trainer)  # pyright: ignore[reportArgumentType]
    assert trainer.stored_s[0] == 60
    steps = [
        later - sooner
        for sooner, later in zip(trainer.stored_s, trainer.stored_s[1:], strict=False)
    ]
    assert steps == pytest.approx([interval_s] * len(steps), abs=2)
    assert writing_s * len(trainer.stored_s) / trainer.now_s <= 0.02


def test_no_checkpoint_is_taken_where_one_could_not_go_on_alike(tmp_path: Path):
    def is_due(**changes: object) -> bool:
        stored = StoredCheckpoints("file://b", "key", tmp_path, iter([0.0, 99.0]).__next__)
        plain = {"max_steps": 200, "enable_validation": True, "val_check_batch": 100}
        trainer = SimpleNamespace(world_size=1, global_step=50, **plain)
        for name, value in changes.items():
            setattr(trainer, name, value)
        return stored._is_due(trainer)  # pyright: ignore[reportArgumentType]

    assert is_due()
    assert not is_due(global_step=100)
    assert is_due(global_step=100, enable_validation=False)
    assert not is_due(global_step=200, enable_validation=False)
