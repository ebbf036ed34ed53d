"""A vocoder trained on the sample world against Griffin-Lim, on clips of held-out sources.

    ./s2s sample   (or ./s2s demo; whatever has left a data set version in the bucket)
    python benchmarks/vocoder.py --bucket file://.s2s/bucket --steps 1000

One thread, CPU seconds: on an idle core no less than those on the clock. Both sides get the same
mel of real sound, clip by clip in turn; onsets are told apart by the recipe's groups of labels. A
second table is of a whole answer: a `tiny` network's 8 steps for 10 s, then either vocoder.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
import torch
from measuring import ROOT

from s2s.dataset import DatasetVersion, latest_version, read_version
from s2s.settings import TrainingSettings
from s2s.spec import TimeSpec
from s2s.storage import Bucket, open_bucket
from s2s.tasks.common.mel import LogMel
from s2s.tasks.generation.metrics.onsets import OnsetScore, find_onsets, score_onsets
from s2s.tasks.generation.metrics.spectra import mel_distance, stft_distance
from s2s.tasks.generation.network.directory import ModelConfig
from s2s.tasks.generation.network.istft import IstftConfig, IstftNetwork, IstftVocoder
from s2s.tasks.generation.network.transformer import MelTransformer, NetworkConfig
from s2s.tasks.generation.network.vocoder import GriffinLim, Vocoder, load_vocoder, save_vocoder
from s2s.tasks.generation.objective.vocoder import VocoderObjective
from s2s.tasks.generation.objective.vocoder_data import CropDataset, Sounds, gather_sounds
from s2s.tasks.generation.predictor.predictor import GenerationPredictor
from s2s.tasks.generation.processor import open_processor
from s2s.tasks.generation.settings import GenerationRecipe, VocoderSettings
from s2s.tasks.recipes import load_recipe
from training.trainer import Trainer

TEN_SECONDS = 250
RUNS = 7


def train(network: IstftNetwork, sounds: Sounds, settings: VocoderSettings) -> str:
    """Train in place; what it took."""
    spec = network.config.spec
    frames = round(settings.crop_s * spec.mel_rate_hz)
    crops = CropDataset(sounds, spec, frames, settings.max_steps * settings.batch_size, seed=0)
    budget = TrainingSettings(
        accelerator="cpu", **settings.model_dump(include=set(TrainingSettings.model_fields))
    )
    started = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(f"file://{folder}/bucket", "", Path(folder))
        trained = trainer(VocoderObjective(network, settings, budget, {"train": crops}))
    return f"{trained.steps} steps in {time.process_time() - started:.0f} CPU s"


def compare(
    sounds: Sounds, groups: list[str], spec: TimeSpec, vocoders: dict[str, Vocoder]
) -> None:
    """Print how fast and how good each is; the first is what the others are compared with."""
    log_mel = LogMel(spec)
    seconds: dict[str, list[float]] = {name: [] for name in vocoders}
    apart: dict[str, list[tuple[float, float]]] = {name: [] for name in vocoders}
    onsets: dict[tuple[str, str], OnsetScore] = defaultdict(OnsetScore)
    for clip, group in enumerate(groups):
        length = sounds.bounds[clip + 1] - sounds.bounds[clip]
        real_N = sounds.read(clip, 0, length // spec.hop * spec.hop)
        mel_MK = log_mel.of_samples(torch.from_numpy(real_N))
        heard_s = find_onsets(real_N, spec.sample_rate_hz)
        for name, vocoder in vocoders.items():
            started = time.process_time()
            made_N = vocoder(mel_MK).numpy()
            taken_s = time.process_time() - started
            seconds[name].append(taken_s * TEN_SECONDS * spec.mel_per_frame / len(mel_MK))
            again_MK = log_mel.of_samples(torch.from_numpy(made_N))
            mel_l1 = mel_distance(mel_MK.numpy(), again_MK.numpy())
            apart[name].append((stft_distance(real_N, made_N, spec.sample_rate_hz), mel_l1))
            onsets[name, group] += score_onsets(heard_s, find_onsets(made_N, spec.sample_rate_hz))
    first_s = statistics.median(next(iter(seconds.values())))
    print(f"{len(groups)} held-out clips | CPU s for 10 s | faster | onset F1 | STFT | mel L1")
    for name in vocoders:
        median_s = statistics.median(seconds[name])
        stft, mel = np.mean(apart[name], axis=0)
        f1 = " ".join(f"{group} {onsets[name, group].f1:.3f}" for group in sorted(set(groups)))
        speed = f"{median_s:.4f} | {first_s / median_s:.1f}x"
        print(f"{name} | {speed} | {f1} | {stft:.3f} | {mel:.3f}")


def time_answers(recipe: GenerationRecipe, vocoders: dict[str, Vocoder]) -> None:
    """Print how long 10 s take from features to sound."""
    dims = open_processor(recipe.spec, recipe.feature_extraction).dims
    network = MelTransformer(NetworkConfig(token_dim=recipe.spec.token_dim, streams=dims))
    config = ModelConfig(
        recipe=recipe.name,
        version="none",
        spec=recipe.spec,
        features=recipe.feature_extraction,
        network=network.config,
        mel_mean=-8.0,
        mel_std=2.0,
        window_frames=recipe.spec.frames(recipe.training.window_s),
    )
    condition_TC = np.zeros((TEN_SECONDS, sum(dims.values())), np.float32)
    predictor = GenerationPredictor(network.eval(), config)
    times_s = [_timed(lambda: predictor.mel(condition_TC, steps=8)) for _ in range(RUNS)]
    generator_s = statistics.median(times_s)
    mel_MK = predictor.mel(condition_TC, steps=8)
    print("CPU s for 10 s | generator | vocoder | together")
    for name, vocoder in vocoders.items():
        vocoder_s = statistics.median(_timed(lambda v=vocoder: v(mel_MK)) for _ in range(RUNS))
        print(f"{name} | {generator_s:.3f} | {vocoder_s:.3f} | {generator_s + vocoder_s:.3f}")


def _timed(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _hear(bucket: Bucket, recipe: GenerationRecipe, version: DatasetVersion, folder: Path) -> dict:
    rate_hz = recipe.spec.sample_rate_hz
    return {
        split: gather_sounds(bucket, version.split(split), rate_hz, folder / split)
        for split in ("train", "test")
    }


def main() -> None:
    """Train, or load what an earlier run has kept, and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bucket", default=f"file://{ROOT / '.s2s' / 'bucket'}")
    recipes = ROOT / "recipes"
    parser.add_argument("--recipe", type=Path, default=recipes / "silent_to_sound.sample.yaml")
    parser.add_argument("--steps", type=int, default=1000, help="of training")
    parser.add_argument("--clips", type=int, help="held-out clips, at most; all by default")
    parser.add_argument("--keep", type=Path, help="folder for the trained weights")
    args = parser.parse_args()
    recipe, bucket = cast("GenerationRecipe", load_recipe(args.recipe)), open_bucket(args.bucket)
    version = read_version(bucket, recipe, latest_version(bucket, recipe))
    settings = VocoderSettings(kind="istft", max_steps=args.steps)
    config = IstftConfig(spec=recipe.spec, width=settings.width, depth=settings.depth)
    with tempfile.TemporaryDirectory() as folder:
        sounds = _hear(bucket, recipe, version, Path(folder))
        if args.keep and args.keep.is_dir():
            network = load_vocoder(args.keep, config).network
        else:
            torch.manual_seed(0)
            network = IstftNetwork(config)
            print(train(network, sounds["train"], settings), file=sys.stderr)
            if args.keep:
                args.keep.mkdir(parents=True)
                save_vocoder(args.keep, network)
        vocoders = {"Griffin-Lim": GriffinLim(recipe.spec), "ISTFT": IstftVocoder(network)}
        torch.set_num_threads(1)
        groups = [str(recipe.evaluation.group_of(clip.labels)) for clip in version.split("test")]
        compare(sounds["test"], groups[: args.clips], recipe.spec, vocoders)
    time_answers(recipe, vocoders)


if __name__ == "__main__":
    main()
