"""The model's network, trained alike, but to say the one most likely sound instead of drawing one.

It wins where the picture says all about the sound, and shows what drawing is worth where not.
"""

from pathlib import Path

import torch

from s2s.layout import checkpoint_key, model_prefix
from s2s.tasks.common.chance import seeded
from s2s.tasks.contract import Material
from s2s.tasks.generation.network.directory import (
    CONFIG_FILE,
    WEIGHTS_FILE,
    ModelConfig,
    load_bundle,
)
from s2s.tasks.generation.network.transformer import MelTransformer
from s2s.tasks.generation.objective.flow import FlowObjective
from s2s.tasks.generation.predictor.predictor import GenerationPredictor

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
        bucket.delete(checkpoint_key(material.recipe, model.config.version, _NAME))
    for name in (WEIGHTS_FILE, CONFIG_FILE):
        bucket.fetch(prefix + name, folder / name)
    network, config = load_bundle(folder)
    regressor = Regressor(config.network)
    regressor.load_state_dict(network.state_dict())
    return GenerationPredictor(regressor.eval(), config)


def _train(material: Material, config: ModelConfig, folder: Path) -> None:
    alone = config.model_copy(update={"guidance": 1.0, "sampling_steps": 1, "vocoder": None})
    with seeded(material.recipe.seed):
        network = Regressor(config.network)
    objective = FlowObjective(material, alone, network, _NAME)
    material.fit(objective)
    objective.export(folder)
