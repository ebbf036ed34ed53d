"""What is made small."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Dataset

from s2s.model_directory import WEIGHTS_FILE, ModelDescription, save_weights, write_description
from s2s.tasks.common.chance import Chance, seeded
from s2s.tasks.contract import MODEL, Material, Objective
from s2s.tasks.tone.data import ToneDataset
from s2s.tasks.tone.network import ToneNetwork
from s2s.tasks.tone.settings import TaskRecipe

__all__ = ["ToneObjective", "objectives"]


class ToneObjective(Objective):
    """Squared error of the loudness."""

    name = MODEL
    memory_remedy = "lower training.batch_size"
    summary = "Says how loud a video is from how much moves in it."

    def __init__(self, material: Material) -> None:
        assert isinstance(material.recipe, TaskRecipe)
        self._material = material
        self.settings = material.recipe.training
        self.seed = material.recipe.seed
        with seeded(self.seed):
            self.network = ToneNetwork()

    def datasets(self) -> Mapping[str, Dataset[Any]]:
        """Stretches of clips."""
        counts = {"train": self.settings.max_steps * self.settings.batch_size, "val": 16}
        clips = self._material.clips
        return {
            split: ToneDataset(clips[split], count, self.seed)
            for split, count in counts.items()
            if clips.get(split)
        }

    def optimizers(self) -> Sequence[torch.optim.Optimizer]:
        """Adam."""
        return [torch.optim.Adam(self.network.parameters(), self.settings.learning_rate)]

    def loss(self, batch: Any, chance: Chance) -> torch.Tensor:
        """Mean squared error, over 10 dB."""
        seen_BT3, loudness_BT = batch
        return (self.network(seen_BT3) - loudness_BT / 10).square().mean()

    def export(self, folder: Path) -> None:
        """Write weights and config."""
        recipe = self._material.recipe
        assert isinstance(recipe, TaskRecipe)
        save_weights(folder / WEIGHTS_FILE, self.network)
        config = {"side_px": recipe.feature_extraction.side_px}
        description = ModelDescription(
            task="tone",
            recipe=recipe.name,
            version=self._material.version.name,
            spec=recipe.spec,
            config=config,
        )
        write_description(folder, description)


def objectives(material: Material) -> Iterator[Objective]:
    """The one objective."""
    yield ToneObjective(material)
