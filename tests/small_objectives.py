"""Objectives that take a moment to train: what the loop does can be seen, whatever is learned."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.data import Dataset, TensorDataset

from s2s.settings import TrainingSettings
from s2s.tasks.common.chance import Chance, seeded
from s2s.tasks.contract import Learner, Objective


class Numbers(Dataset[Any]):
    """Item n follows from n alone."""

    def __init__(self, count: int, width: int = 3) -> None:
        self.count, self.width = count, width

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        generator = torch.Generator().manual_seed(index)
        seen = torch.randn(self.width, generator=generator)
        return {"seen": seen, "goal": seen.sum()[None]}


class SmallObjective(Objective):
    """Says the sum of numbers that noise is added to, with a network that has dropout."""

    name = "small"
    summary = "It adds."

    def __init__(self, n_val: int = 0, dropout: float = 0.0, **settings: Any) -> None:
        self.settings = TrainingSettings.model_validate(
            {"batch_size": 4, "max_steps": 10, "accelerator": "cpu", **settings}
        )
        self.seed = 5
        with seeded(0):
            self.network: Any = nn.Sequential(
                nn.Linear(3, 16), nn.Dropout(dropout), nn.Tanh(), nn.Linear(16, 1)
            )
        self.data: dict[str, Dataset[Any]] = {
            "train": Numbers(self.settings.max_steps * self.settings.batch_size)
        }
        if n_val:
            self.data["val"] = Numbers(n_val)

    def datasets(self) -> Mapping[str, Dataset[Any]]:
        return self.data

    def optimizers(self) -> Sequence[torch.optim.Optimizer]:
        return [torch.optim.AdamW(self.network.parameters(), lr=self.settings.learning_rate)]

    def loss(self, batch: Any, chance: Chance) -> torch.Tensor:
        noisy = batch["seen"] + 0.3 * chance.normal(3)
        return F.mse_loss(self.network(noisy), batch["goal"])

    def export(self, folder: Path) -> None:
        torch.save(self.network.state_dict(), folder / "small.pt")


class Block(nn.Module):
    """A residual block with batch normalisation, whose counters are integers."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, picture_BCHW: torch.Tensor) -> torch.Tensor:
        return F.relu(picture_BCHW + self.norm(self.convolution(picture_BCHW)))


class ResNetObjective(SmallObjective):
    """Tells pictures apart."""

    name = "resnet"

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        with seeded(0):
            self.network = nn.Sequential(
                nn.Conv2d(1, 4, 3), Block(4), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)
            )
        pictures = torch.randn(40, 1, 8, 8, generator=torch.Generator().manual_seed(0))
        self.data = {"train": TensorDataset(pictures, (pictures.mean(dim=(1, 2, 3)) > 0).long())}
        self.data["val"] = self.data["train"]

    def loss(self, batch: Any, chance: Chance) -> torch.Tensor:  # noqa: ARG002
        pictures, labels = batch
        return F.cross_entropy(self.network(pictures), labels)


class Critic(Learner):
    """Tells what the network says from what is right."""

    def __init__(self, judged: nn.Module) -> None:
        with seeded(1):
            self.network = self.layer = nn.Linear(1, 1)
        self.judged = judged

    def weight(self) -> float:
        return self.layer.weight.item()

    def optimizers(self) -> Sequence[torch.optim.Optimizer]:
        return [torch.optim.SGD(self.network.parameters(), lr=0.1)]

    def loss(self, batch: Any, chance: Chance) -> torch.Tensor:  # noqa: ARG002
        made = self.judged(batch["seen"]).detach()
        return (self.network(made) - self.network(batch["goal"])).mean()


class AdversarialObjective(SmallObjective):
    """Says the sum, and is to please a critic."""

    name = "adversarial"

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.adversary = self.critic = Critic(self.network)

    def loss(self, batch: Any, chance: Chance) -> torch.Tensor:  # noqa: ARG002
        made = self.network(batch["seen"])
        return F.mse_loss(made, batch["goal"]) - 0.1 * self.critic.network(made).mean()

    def validation_loss(self, batch: Any, chance: Chance) -> torch.Tensor:  # noqa: ARG002
        return F.mse_loss(self.network(batch["seen"]), batch["goal"])


class LoudNeighbour(SmallObjective):
    """Two layers, each with a loss of its own; that of the first may be much the larger."""

    name = "neighbours"

    def __init__(self, loudness: float, *, is_apart: bool) -> None:
        super().__init__()
        with seeded(0):
            self.network = nn.ModuleList(nn.Linear(3, 1) for _ in range(2))
        self.loudness, self.is_apart = loudness, is_apart

    def optimizers(self) -> Sequence[torch.optim.Optimizer]:
        return [torch.optim.SGD(self.network.parameters(), lr=0.1)]

    def loss(self, batch: Any, chance: Chance) -> torch.Tensor:  # noqa: ARG002
        losses = [F.mse_loss(layer(batch["seen"]), batch["goal"]) for layer in self.network]
        return self.loudness * losses[0] + losses[1]

    def clip_groups(self) -> Sequence[Sequence[nn.Parameter]]:
        if not self.is_apart:
            return super().clip_groups()
        return [list(layer.parameters()) for layer in self.network]
