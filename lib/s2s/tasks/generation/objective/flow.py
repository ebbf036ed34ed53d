"""The model's objective: flow matching."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Dataset

from s2s.media import write_wav
from s2s.tasks.common.chance import Chance, seeded
from s2s.tasks.common.optimizers import adamw_and_muon
from s2s.tasks.common.weights import describe_weights
from s2s.tasks.contract import MODEL, Material, Objective
from s2s.tasks.generation.data import condition_of, measure_mel, mel_of, window_sets
from s2s.tasks.generation.network.directory import ModelConfig, save_bundle
from s2s.tasks.generation.network.istft import IstftConfig
from s2s.tasks.generation.network.transformer import MelTransformer, NetworkConfig
from s2s.tasks.generation.objective.flow_loss import Hiding, flow_loss
from s2s.tasks.generation.objective.pictures import draw_mels
from s2s.tasks.generation.processor import STREAMS
from s2s.tasks.generation.settings import GenerationFeatureSettings, GenerationRecipe

__all__ = ["FlowObjective", "make_flow_objective"]

_SUMMARY = """\
Sound for silent videos. A flow-matching transformer draws a log-mel spectrogram that follows the
motion and colours of a video; {vocoder} makes sound of it.

In the figures below, `real` is the clips' own sound, `real_mel` the same through the vocoder: the
most that the model can reach. `random_clip` is the sound of some training clip. The class is what
a classifier hears that was trained on the real sound of the training clips."""


class FlowObjective(Objective):
    """Flow matching of mel tokens, conditioned on visual features.

    Args:
        material: what is trained on.
        config: of the model.
        network: to be trained.
        name: names its checkpoint and its curve.
    """

    memory_remedy = "raise training.accumulate, or lower training.batch_size or training.window_s"

    def __init__(
        self,
        material: Material,
        config: ModelConfig,
        network: MelTransformer,
        name: str = MODEL,
    ) -> None:
        recipe = material.recipe
        assert isinstance(recipe, GenerationRecipe)  # noqa: S101 - for the type checker
        self.name = name
        self.settings = recipe.training
        self.seed = recipe.seed
        self.network = self._transformer = network
        self.config = config
        vocoder = "Griffin-Lim" if config.vocoder is None else "a network after Vocos"
        self.summary = _SUMMARY.format(vocoder=vocoder) + _describe_extractors(config.features)
        self._recipe = recipe
        self._clips = material.clips
        self._hiding = Hiding(recipe.training.null_probability, recipe.training.still_probability)

    def datasets(self) -> Mapping[str, Dataset[Any]]:
        """Random windows of clips."""
        return window_sets(self._recipe, self._clips)

    def optimizers(self) -> Sequence[torch.optim.Optimizer]:
        """AdamW, and Muon for the blocks' matrices."""
        return adamw_and_muon(self.network, self.settings.learning_rate, fused=True)

    def loss(self, batch: Any, chance: Chance) -> torch.Tensor:
        """The flow's loss of windows, with part of the visual features hidden."""
        return flow_loss(self.network, *self._scaled(*batch), self._hiding, chance)

    def validation_loss(self, batch: Any, chance: Chance) -> torch.Tensor:
        """The flow's loss with nothing hidden."""
        return flow_loss(self.network, *self._scaled(*batch), Hiding(), chance)

    def export(self, folder: Path) -> None:
        """Write weights and config."""
        save_bundle(folder, self._transformer, self.config)

    def show(self, folder: Path) -> Sequence[Path]:
        """A sound and a pair of spectrograms for some clips."""
        from s2s.tasks.generation.predictor.predictor import (  # noqa: PLC0415 - what is not trained by
            Draw,
            GenerationPredictor,
        )

        predictor = GenerationPredictor(self._transformer, self.config)
        tracking, spec, paths = self._recipe.tracking, self.config.spec, []
        for clip in (self._clips.get("val") or self._clips["train"])[: tracking.sample_clips]:
            condition_TC = condition_of(clip)[: spec.frames(tracking.sample_s)]
            mel_MB = predictor.mels([Draw(condition_TC)])[0]
            wav, picture = folder / f"{clip.clip_id}.wav", folder / f"{clip.clip_id}.png"
            write_wav(wav, predictor.vocode(mel_MB), spec.sample_rate_hz)
            real_MB = mel_of(clip)[: len(mel_MB)]
            draw_mels(picture, {"real": real_MB, "generated": mel_MB.cpu().numpy()}, spec)
            paths += [wav, picture]
        return paths

    def _scaled(
        self, tokens_BTD: torch.Tensor, condition_BTC: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """A batch as it is stored, as the network takes it: float32, the mel normalised."""
        config = self.config
        return (tokens_BTD.float() - config.mel_mean) / config.mel_std, condition_BTC.float()


def _describe_extractors(features: GenerationFeatureSettings) -> str:
    """The sources of the feature extractors' weights, for the model card; empty without any."""
    used = {
        "what is seen": (features.semantic, features.semantic_weights, "none"),
        "what moves": (features.motion, features.motion_weights, "differences"),
    }
    told = [
        describe_weights(f"The network that tells {what}", network, source)
        for what, (network, source, without) in used.items()
        if network != without and source != "random"
    ]
    return "\n\n" + " ".join(told) if told else ""


def make_flow_objective(material: Material, vocoder: IstftConfig | None) -> FlowObjective:
    """The objective of a recipe's model.

    Args:
        material: what is trained on; `train` has clips.
        vocoder: shape of the model's vocoder; None for Griffin-Lim.
    """
    recipe = material.recipe
    assert isinstance(recipe, GenerationRecipe)  # noqa: S101 - for the type checker
    training, clips = recipe.training, material.clips["train"]
    scale = measure_mel(clips)
    config = ModelConfig(
        recipe=recipe.name,
        version=material.version.name,
        spec=recipe.spec,
        features=recipe.feature_extraction,
        network=NetworkConfig(
            token_dim=recipe.spec.token_dim,
            streams={name: clips[0].shape(name)[1] for name in STREAMS},
            width=training.width,
            depth=training.depth,
            heads=training.heads,
        ),
        mel_mean=scale.mean,
        mel_std=scale.std,
        window_frames=recipe.spec.frames(training.window_s),
        guidance=training.guidance,
        sampler=training.sampler,
        sampling_steps=training.sampling_steps,
        vocoder=vocoder,
    )
    with seeded(recipe.seed):
        network = MelTransformer(config.network)
    return FlowObjective(material, config, network)
