"""A separator's objective: mixtures of clips, and how far the found voices are from the true ones.

Legend: B batch, S faces, N samples.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Dataset

from s2s.media import write_wav
from s2s.model_directory import ModelDescription, save_model
from s2s.tasks.common.chance import Chance, seeded
from s2s.tasks.common.optimizers import adamw_and_muon
from s2s.tasks.contract import MODEL, Material, Objective
from s2s.tasks.separation.data import (
    Mixer,
    MixtureDataset,
    Talkers,
    measure_lips,
    validation_plans,
)
from s2s.tasks.separation.data.held_out import noise_folder
from s2s.tasks.separation.data.noise import NoiseSource
from s2s.tasks.separation.network import SeparatorConfig, make_separator, shape_of
from s2s.tasks.separation.network.audio_only import AudioOnly
from s2s.tasks.separation.network.audio_visual import AudioVisual
from s2s.tasks.separation.network.cost import cost_of
from s2s.tasks.separation.network.directory import TASK, ModelConfig
from s2s.tasks.separation.network.looking_to_listen import LookingToListen
from s2s.tasks.separation.network.spectrum import compressed
from s2s.tasks.separation.objective.losses import blind_loss, choice_loss, voice_loss
from s2s.tasks.separation.processor import ProcessorConfig
from s2s.tasks.separation.settings import SeparationRecipe

__all__ = ["MIXTURES_FILE", "SeparationObjective", "make_objective"]

MIXTURES_FILE = "mixtures.val.json"
"""In the model directory: what the mixtures of validation are made of."""
_VAL_BATCHES = 8
_BLIND_WEIGHT = 0.5
_CHOICE_WEIGHT = 3.0
"""dB that a nat is worth."""
_BLOCKS: Mapping[type[torch.nn.Module], tuple[str, ...]] = {
    AudioVisual: ("sound.blocks", "lips.blocks", "voice", "refine"),
    AudioOnly: ("blocks",),
}
_SUMMARY = """\
One speaker's voice out of a mixture, chosen by the speaker's face ({kind}). {cost}. Faces are found
and followed by networks of others, which are not counted.

In the figures below, voices are compared with those that were mixed: `mixture` is what was heard,
`oracle_mask` what a mask could reach that knows the voices. `audio_only` puts what sound alone
finds into the best order, which nobody knows."""


class SeparationObjective(Objective):
    """How far each face's voice is from the true one, in dB.

    Args:
        material: what is trained on.
        config: of the model.
        network: to be trained.
    """

    memory_remedy = "raise training.accumulate, or lower training.batch_size or training.window_s"

    def __init__(self, material: Material, config: ModelConfig, network: torch.nn.Module) -> None:
        recipe = material.recipe
        assert isinstance(recipe, SeparationRecipe)  # noqa: S101 - for the type checker
        self.name = MODEL
        self.settings = recipe.training
        self.seed = recipe.seed
        self.network = network
        self.config = config
        self.summary = _SUMMARY.format(
            kind=config.network.kind.replace("_", " "), cost=cost_of(network, config.network)
        )
        self._recipe = recipe
        self._material = material
        self._noise = NoiseSource(
            noise_folder(recipe, material.recipe_folder), recipe.spec.sample_rate_hz
        )
        if recipe.training.mixing.noise:
            self._noise.check()

    def datasets(self) -> Mapping[str, Dataset[Any]]:
        """Mixtures of training clips, each new; for validation, always the same ones."""
        training, clips = self.settings, self._material.clips
        count = training.max_steps * training.batch_size
        sets: dict[str, Dataset[Any]] = {"train": self._mixtures("train", count)}
        if held_out := clips.get("val"):
            count = min(len(held_out), _VAL_BATCHES * training.batch_size)
            sets["val"] = self._mixtures("val", count)
        return sets

    def optimizers(self) -> Sequence[torch.optim.Optimizer]:
        """AdamW, and Muon for the blocks' matrices; Adam for the network of 2018."""
        rate = self.settings.learning_rate
        if isinstance(self.network, LookingToListen):  # section 4.3
            return [torch.optim.Adam(self.network.parameters(), rate)]
        names = [
            name
            for name in _BLOCKS[type(self.network)]
            if name != "refine" or self.config.network.refine
        ]
        return adamw_and_muon(self.network, rate, blocks=names)

    def loss(self, batch: Any, chance: Chance) -> torch.Tensor:  # noqa: ARG002 - none is needed
        """The loss of mixtures, with that of the parts that lead to the voices."""
        return self._losses(batch)[0]

    def validation_loss(self, batch: Any, chance: Chance) -> torch.Tensor:  # noqa: ARG002
        """The loss of the voices alone."""
        return self._losses(batch)[1]

    def export(self, folder: Path) -> None:
        """Write weights, config, and what the mixtures of validation are made of."""
        validation = self.datasets().get("val")
        plans = validation_plans(validation) if isinstance(validation, MixtureDataset) else []
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps([plan.model_dump(mode="json") for plan in plans], indent=1) + "\n"
        (folder / MIXTURES_FILE).write_text(text, encoding="utf-8")
        description = ModelDescription(
            task=TASK,
            recipe=self._recipe.name,
            version=self._material.version.name,
            spec=self._recipe.spec,
            config=self.config.model_dump(mode="json"),
        )
        save_model(folder, self.network, description)

    def show(self, folder: Path) -> Sequence[Path]:
        """The sounds of some mixtures, and what is found in them."""
        sets = self.datasets()
        mixtures = sets.get("val", sets["train"])
        paths: list[Path] = []
        was_training = self.network.training
        self.network.eval()
        for n in range(min(self._recipe.tracking.sample_clips, len(mixtures))):  # pyright: ignore[reportArgumentType]
            example = mixtures[n]
            device = next(self.network.parameters()).device
            given = [example[name][None].to(device) for name in ("mixture", "lips", "seen")]
            with torch.no_grad():
                found_SN = self.network(*given)[0].float().cpu().numpy()
            sounds = {"mixture": example["mixture"].numpy()}
            sounds |= {f"face-{m + 1}": found_N for m, found_N in enumerate(found_SN)}
            for name, samples_N in sounds.items():
                path = folder / f"{n + 1}-{name}.wav"
                write_wav(path, samples_N, self._recipe.spec.sample_rate_hz)
                paths.append(path)
        self.network.train(was_training)
        return paths

    def _mixtures(self, split: str, count: int) -> MixtureDataset:
        recipe = self._recipe
        return MixtureDataset(
            mixer=Mixer(Talkers(self._material.clips[split]), recipe.spec, self._noise),
            settings=recipe.training.mixing,
            window=recipe.spec.frames(recipe.training.window_s),
            batch_size=recipe.training.batch_size,
            count=count,
            seed=recipe.seed,
            new_lips=split == "train" and recipe.feature_extraction.faces == "simulated",
        )

    def _losses(self, batch: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """What is learned from, and what is compared: scalars, in dB or as the paper has it."""
        if isinstance(self.network, LookingToListen):
            loss = _paper_loss(self.network, batch)
            return loss, loss
        mixture_BN, voices_BSN = batch["mixture"], batch["voices"]
        if isinstance(self.network, AudioOnly):
            loss_B, _ = blind_loss(self.network.voices(mixture_BN), voices_BSN, mixture_BN)
            return loss_B.mean(), loss_B.mean()
        separate: Callable[..., Any] = self.network.separate  # pyright: ignore[reportAssignmentType]
        found = separate(mixture_BN, batch["lips"], batch["seen"])
        blind_B, order_BS = blind_loss(found.heard_BKN, voices_BSN, mixture_BN)
        own_B = voice_loss(found.voices_BSN, voices_BSN, mixture_BN[:, None]).mean(dim=1)
        choice_B = choice_loss(found.choice_BSK.float(), order_BS, batch["heard"])
        total_B = own_B + _BLIND_WEIGHT * blind_B + _CHOICE_WEIGHT * choice_B
        return total_B.mean(), own_B.mean()


def make_objective(material: Material) -> SeparationObjective:
    """The objective of a recipe's model.

    Raises:
        SettingsError: if the folder that noise is to be cut from cannot be read.
    """
    recipe = material.recipe
    assert isinstance(recipe, SeparationRecipe)  # noqa: S101 - for the type checker
    training, processor = recipe.training, ProcessorConfig.of(recipe)
    network_config = SeparatorConfig(
        kind=training.model,
        sample_rate_hz=recipe.spec.sample_rate_hz,
        fps=recipe.spec.fps,
        lips=processor.lips,
        speakers=training.mixing.max_speakers,
        refine=training.refine,
        shape=shape_of(training.model, training.size),
    )
    with seeded(recipe.seed):
        network = make_separator(network_config)
    looking = network.lips if isinstance(network, AudioVisual) else network
    if not isinstance(looking, AudioOnly):
        scale = [torch.from_numpy(values) for values in measure_lips(material.clips["train"])]
        looking.set_scale(*scale)  # pyright: ignore[reportCallIssue]
    config = ModelConfig(
        network=network_config,
        processor=processor.model_dump(mode="json"),
        window_s=training.window_s,
    )
    return SeparationObjective(material, config, network)


def _paper_loss(network: LookingToListen, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Squared error of compressed spectrograms (Ephrat et al. 2018, section 4.2)."""
    mixture_BTF = network.spectrum.analyse(batch["mixture"])
    found = network.masked(mixture_BTF, batch["lips"], batch["seen"])
    wanted = network.spectrum.analyse(batch["voices"])
    return (compressed(found) - compressed(wanted)).square().mean()
