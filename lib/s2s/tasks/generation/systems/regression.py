"""The model's network, trained alike, but to say the one most likely sound instead of drawing one.

It wins where the picture says all about the sound, and shows what drawing is worth where not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch.utils.data import Dataset

from s2s.layout import model_prefix
from s2s.tasks.contract import Material, Objective
from s2s.tasks.generation.data import MelScale, window_sets
from s2s.tasks.generation.network.directory import (
    CONFIG_FILE,
    WEIGHTS_FILE,
    ModelConfig,
    load_bundle,
    save_bundle,
)
from s2s.tasks.generation.network.transformer import MelTransformer
from s2s.tasks.generation.predictor.predictor import GenerationPredictor
from s2s.tasks.generation.settings import GenerationRecipe, GenerationTrainingSettings

__all__ = ["Regressor", "fetch_regression"]

_NAME = "regression"


class Regressor(MelTransformer):
    """Predicts clean mel from the video alone: the flow's loss becomes a mean squared error.

    Whatever noise and time it is given, it sees none and the path's beginning. So one step of the
    sampler without guidance is its prediction.
    """

    def forward(
        self,
        noisy_BTD: torch.Tensor,
        time_B: torch.Tensor,
        condition_BTC: torch.Tensor,
        hidden_BS: torch.Tensor,
    ) -> torch.Tensor:
        """See `MelTransformer.forward`."""
        nothing = torch.zeros_like(noisy_BTD), torch.zeros_like(time_B)
        return super().forward(*nothing, condition_BTC, hidden_BS)


@dataclass(frozen=True)
class RegressionObjective:
    """What the baseline is trained by; see `s2s.tasks.contract.Objective`."""

    material: Material
    network: Regressor
    scale: MelScale
    name: str = _NAME

    @property
    def settings(self) -> GenerationTrainingSettings:
        """Those of the model: it is trained alike."""
        return cast("GenerationRecipe", self.material.recipe).training

    def datasets(self) -> Mapping[str, Dataset[Any]]:
        """Those of the model."""
        return window_sets(cast("GenerationRecipe", self.material.recipe), self.material.clips)


def fetch_regression(material: Material, model: GenerationPredictor) -> GenerationPredictor:
    """The baseline of a model: the one that is stored beside it, or else a new one, stored there.

    Args:
        material: what the model was trained on, and how.
        model: the model.
    """
    bucket, folder = material.bucket, material.folder / _NAME
    prefix = f"{model_prefix(material.recipe, model.config.version)}{_NAME}/"
    if not bucket.exists(prefix + CONFIG_FILE):
        _train(material, model.config, folder)
        for name in (WEIGHTS_FILE, CONFIG_FILE):  # the config says that all is there
            bucket.upload(folder / name, prefix + name, overwrite=True)
    for name in (WEIGHTS_FILE, CONFIG_FILE):
        bucket.fetch(prefix + name, folder / name)
    network, config = load_bundle(folder)
    regressor = Regressor(config.network)
    regressor.load_state_dict(network.state_dict())
    return GenerationPredictor(regressor.eval(), config)


def _train(material: Material, config: ModelConfig, folder: Path) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(material.recipe.seed)
        network = Regressor(config.network)
    scale = MelScale(config.mel_mean, config.mel_std)
    material.fit(cast("Objective", RegressionObjective(material, network, scale)))
    folder.mkdir(parents=True, exist_ok=True)
    alone = config.model_copy(update={"guidance": 1.0, "sampling_steps": 1, "vocoder": None})
    save_bundle(folder, network, alone)
