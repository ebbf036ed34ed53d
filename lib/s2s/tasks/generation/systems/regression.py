"""The model's network, trained alike, but to say the one most likely sound instead of drawing one.

It wins where the picture says all about the sound, and shows what drawing is worth where not.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import lightning
import torch

from s2s.features.stored import StoredClip
from s2s.layout import model_prefix
from s2s.settings import Settings
from s2s.stage import shared_bucket
from s2s.tasks.generation.data import MelScale, window_sets
from s2s.tasks.generation.network.directory import (
    CONFIG_FILE,
    ModelConfig,
    load_bundle,
    save_bundle,
)
from s2s.tasks.generation.network.transformer import MelTransformer
from training.evaluation.files import fetch_folder, store_folder
from training.fit import Plan, fit

__all__ = ["Regressor", "fetch_regression"]

_FOLDER = "regression/"


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


def fetch_regression(
    settings: Settings,
    config: ModelConfig,
    clips: Mapping[str, Sequence[StoredClip]],
    folder: Path,
) -> tuple[Regressor, ModelConfig]:
    """The baseline of a model: the one that is stored beside it, or else a new one, stored there.

    Args:
        settings: which recipe, and where.
        config: the model's.
        clips: what it was trained on.
        folder: for files on this machine.
    """
    bucket, recipe = shared_bucket(settings.bucket_url), settings.recipe
    prefix = model_prefix(recipe, config.version) + _FOLDER
    if not bucket.exists(prefix + CONFIG_FILE):
        lightning.seed_everything(recipe.seed, workers=True, verbose=False)
        scale = MelScale(config.mel_mean, config.mel_std)
        checkpoint = f"{prefix}checkpoints/last.ckpt"
        plan = Plan(recipe.training, scale, settings.bucket_url, checkpoint, folder / "training")
        trained = fit(Regressor(config.network), window_sets(recipe, clips), plan)
        alone = config.model_copy(update={"guidance": 1.0, "sampling_steps": 1})
        save_bundle(folder / _FOLDER, trained.network, alone)
        store_folder(bucket, folder / _FOLDER, prefix)
        bucket.delete(checkpoint)
    network, stored = load_bundle(fetch_folder(bucket, prefix, folder / _FOLDER))
    regressor = Regressor(stored.network)
    regressor.load_state_dict(network.state_dict())
    return regressor.eval(), stored
