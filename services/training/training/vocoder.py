"""The vocoder of a model: made before the model, from the sound of its training clips."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import lightning

from s2s.dataset import DatasetClip
from s2s.errors import StageError
from s2s.settings import Settings
from s2s.stage import shared_bucket
from s2s.tasks.generation.network.istft import IstftConfig, IstftNetwork
from s2s.tasks.generation.network.vocoder import VOCODER_FILE, load_vocoder, save_vocoder
from s2s.tasks.generation.network.vocos import load_vocos
from s2s.workspace import workspace
from training.vocoder_data import CropDataset, gather_sounds
from training.vocoder_loop import VocoderPlan, fit_vocoder

__all__ = ["VOCODER_CHECKPOINT", "make_vocoder"]

VOCODER_CHECKPOINT = "checkpoints/vocoder.ckpt"
_CURVE_FILE = "vocoder.csv"
_VAL_CLIPS = 16
_VAL_BATCHES = 2


def make_vocoder(
    settings: Settings, clips: Mapping[str, Sequence[DatasetClip]], store: tuple[str, Path]
) -> IstftNetwork | None:
    """Make what the recipe asks for, and put its weights into the model's folder.

    A vocoder that an earlier run has finished is taken from the bucket.

    Args:
        settings: the recipe, and where it runs.
        clips: those of each split that can be listened to.
        store: prefix of the model's keys, and its folder on this machine.

    Returns:
        the network; None for Griffin-Lim, which has none.

    Raises:
        ModelError: if a vocoder that was trained elsewhere does not fit.
        StageError: if there is no sound to train on.
    """
    recipe, section = settings.recipe, settings.recipe.training.vocoder
    bucket, (prefix, folder) = shared_bucket(settings.bucket_url), store
    if section.kind == "griffin_lim":
        return None
    if section.kind == "file":
        network = load_vocos(settings.recipe_path.parent / str(section.path), recipe.spec)
        save_vocoder(folder, network)
        return network
    config = IstftConfig(
        spec=recipe.spec, width=section.width, hidden=2 * section.width, depth=section.depth
    )
    if bucket.exists(prefix + VOCODER_FILE):
        bucket.download(prefix + VOCODER_FILE, folder / VOCODER_FILE)
        return load_vocoder(folder, config).network
    lightning.seed_everything(recipe.seed, workers=True, verbose=False)
    network = IstftNetwork(config)
    with workspace(folder / "vocoder") as scratch:
        plan = VocoderPlan(
            settings=section,
            accelerator=recipe.training.accelerator,
            bucket_url=settings.bucket_url,
            checkpoint_key=prefix + VOCODER_CHECKPOINT,
            folder=scratch,
        )
        curve = fit_vocoder(network, _crops(settings, clips, scratch), plan)
    curve.write_csv(folder / _CURVE_FILE)
    # The weights mean that it is whole: a run that is stopped later goes on from them.
    bucket.upload(save_vocoder(folder, network), prefix + VOCODER_FILE, overwrite=True)
    bucket.delete(plan.checkpoint_key)
    return network


def _crops(
    settings: Settings, clips: Mapping[str, Sequence[DatasetClip]], folder: Path
) -> dict[str, CropDataset]:
    recipe, section = settings.recipe, settings.recipe.training.vocoder
    frames = max(1, round(section.crop_s * recipe.spec.mel_rate_hz))
    plans = {"train": (section.max_clips, section.max_steps), "val": (_VAL_CLIPS, _VAL_BATCHES)}
    crops = {}
    for split, (n_clips, n_batches) in plans.items():
        listed = clips.get(split, [])
        chosen = listed[:: max(1, math.ceil(len(listed) / n_clips))]
        if chosen:
            sounds = gather_sounds(
                shared_bucket(settings.bucket_url),
                chosen,
                recipe.spec.sample_rate_hz,
                folder / f"{split}.pcm",
            )
            count = n_batches * section.batch_size
            crops[split] = CropDataset(sounds, recipe.spec, frames, count, recipe.seed)
    if "train" not in crops:
        raise StageError(
            "there is no sound that a vocoder could be trained on: set training.vocoder.kind to "
            "griffin_lim, or add clips to the catalog"
        )
    return crops
