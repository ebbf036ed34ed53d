"""Training: a model of the newest data set version, with its figures."""

import fcntl
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning

from s2s.dataset import DatasetClip, DatasetVersion, latest_version, read_version
from s2s.errors import StageError
from s2s.features.stored import StoredClip, fetch_clips
from s2s.layout import extractors_key, model_config_key, model_prefix
from s2s.reasons import Reason, Status
from s2s.records import Outcome
from s2s.settings import Settings
from s2s.stage import StageReport, finish, shared_bucket
from s2s.storage import Bucket
from s2s.tasks.contract import EXTRACTOR_WEIGHTS_FILE
from s2s.tasks.generation.data import MelScale, measure_mel, window_sets
from s2s.tasks.generation.network.directory import CONFIG_FILE, ModelConfig, save_bundle
from s2s.tasks.generation.network.istft import IstftVocoder
from s2s.tasks.generation.network.transformer import MelTransformer, NetworkConfig
from s2s.tasks.generation.predictor.predictor import GenerationPredictor
from s2s.tasks.generation.processor import STREAMS
from s2s.tasks.generation.settings import GenerationRecipe
from s2s.tasks.loading import load_task
from training.evaluation.after_training import measure_model
from training.evaluation.material import make_material
from training.export import METRICS_FILE, write_card, write_curve, write_metrics
from training.fit import CHECKPOINT_FILE, Fit, Plan, fit
from training.tracking import Tracking
from training.vocoder import make_vocoder

__all__ = ["run"]

STAGE = "training"


def run(settings: Settings) -> StageReport:
    """Train, measure and export a model to `models/`, unless it is there already.

    Raises:
        VersionError: if there is no data set version, or it is damaged.
        StageError: if features are missing, or there is nothing to train on.
        ModelError: if features do not fit the recipe.
        BucketUnavailableError: if the bucket does not answer or is full.
    """
    started = time.monotonic()
    bucket, recipe = shared_bucket(settings.bucket_url), settings.recipe
    bucket.check()
    bucket.prepare()
    version = read_version(bucket, recipe, latest_version(bucket, recipe))
    key = model_config_key(recipe, version.name)
    outputs: dict[str, Any] = {"version": version.name, "model": model_prefix(recipe, version.name)}
    done = Outcome(clip_id=version.name, status=Status.SKIPPED, reason=Reason.ALREADY_DONE)
    if bucket.exists(key):
        metrics = json.loads(bucket.read(model_prefix(recipe, version.name) + METRICS_FILE))
        return finish(settings, STAGE, [done], started, outputs | _summary(metrics))
    folder = settings.work_dir / STAGE
    with _alone(folder / model_prefix(recipe, version.name)) as model_dir:
        clips = fetch_clips(bucket, recipe, version, folder)
        metrics = _make_model(settings, version, clips, model_dir)
        outcome = _upload(bucket, model_dir, recipe, version)
    return finish(settings, STAGE, [outcome], started, outputs | _summary(metrics))


def _summary(metrics: dict[str, Any]) -> dict[str, Any]:
    """What the stage's report, and so `dvc metrics`, says of a model."""
    names = ("split", "n_clips", "systems", "training")
    return {name: metrics[name] for name in names if name in metrics}


def _make_model(
    settings: Settings, version: DatasetVersion, clips: dict[str, list[StoredClip]], folder: Path
) -> dict[str, Any]:
    """Train and measure; every file of the model is in the folder then."""
    recipe, bucket = settings.recipe, shared_bucket(settings.bucket_url)
    if not clips.get("train"):
        raise StageError(
            f"{version.name} has no clip with features to train on: see the failures of "
            "feature_extraction with './s2s status RECIPE', or add clips to the catalog"
        )
    prefix = model_prefix(recipe, version.name)
    vocoder = make_vocoder(settings, _listed(version, clips), (prefix, folder))
    lightning.seed_everything(recipe.seed, workers=True, verbose=False)
    scale = measure_mel(clips["train"])
    config = _config(recipe, version.name, scale, _dims(clips["train"][0]))
    if vocoder is not None:
        config = config.model_copy(update={"vocoder": vocoder.config})
    network = MelTransformer(config.network)
    tracking = Tracking(settings, prefix)
    watchers = tracking.watchers(config, clips.get("val") or clips["train"])
    store = (settings.bucket_url, prefix + CHECKPOINT_FILE, folder)
    plan = Plan(recipe.training, scale, *store, tracking.loggers, watchers)
    result = fit(network, window_sets(recipe, clips), plan)
    predictor = GenerationPredictor(
        result.network, config, vocoder=None if vocoder is None else IstftVocoder(vocoder)
    )
    material = make_material(settings, version, clips, folder)
    metrics = measure_model(
        load_task(recipe.task), material, predictor, recipe.training.held_out_clips
    )
    metrics["training"] = _training_facts(result, version, clips)
    _write(folder, recipe, config, result, metrics)
    if recipe.feature_extraction.needs_weights:
        bucket.download(extractors_key(recipe), folder / EXTRACTOR_WEIGHTS_FILE)
    tracking.finish(metrics, folder)
    return metrics


def _write(
    folder: Path,
    recipe: GenerationRecipe,
    config: ModelConfig,
    result: Fit,
    metrics: dict[str, Any],
) -> None:
    write_metrics(folder / METRICS_FILE, metrics)
    write_curve(folder / "learning_curve.png", result.curve)
    result.curve.write_csv(folder / "metrics.csv")
    write_card(folder / "README.md", recipe, config, metrics)
    save_bundle(folder, result.network, config)


def _listed(
    version: DatasetVersion, clips: Mapping[str, list[StoredClip]]
) -> dict[str, list[DatasetClip]]:
    """Clips of each split that have features, as they are listed."""
    stored = {split: {clip.clip_id for clip in of_split} for split, of_split in clips.items()}
    return {
        split: [clip for clip in version.split(split) if clip.clip_id in clip_ids]
        for split, clip_ids in stored.items()
    }


def _dims(clip: StoredClip) -> dict[str, int]:
    """Features of each stream."""
    return {name: clip.shape(name)[1] for name in STREAMS}


def _config(
    recipe: GenerationRecipe, version: str, scale: MelScale, dims: Mapping[str, int]
) -> ModelConfig:
    training = recipe.training
    return ModelConfig(
        recipe=recipe.name,
        version=version,
        spec=recipe.spec,
        features=recipe.feature_extraction,
        network=NetworkConfig(
            token_dim=recipe.spec.token_dim,
            streams={name: dims[name] for name in STREAMS},
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
    )


def _training_facts(
    result: Fit, version: DatasetVersion, clips: dict[str, list[StoredClip]]
) -> dict[str, Any]:
    trained = {clip.clip_id for clip in clips["train"]}
    sources = {clip.source_id for clip in version.split("train") if clip.clip_id in trained}
    return {
        "n_train": len(trained),
        "n_train_sources": len(sources),
        "steps": result.curve.steps,
        "seconds": round(result.curve.seconds, 1),
        "parameters": sum(part.numel() for part in result.network.parameters()),
    }


def _upload(
    bucket: Bucket, folder: Path, recipe: GenerationRecipe, version: DatasetVersion
) -> Outcome:
    """Store the model's files, the config last and create-only: it makes the model exist."""
    prefix = model_prefix(recipe, version.name)
    files = [path for path in sorted(folder.iterdir()) if path.is_file()]
    size = 0
    for path in files:
        if path.name != CONFIG_FILE and path.suffix != ".ckpt" and not path.name.startswith("."):
            size += bucket.upload(path, prefix + path.name, overwrite=True).size
    info = bucket.upload(folder / CONFIG_FILE, prefix + CONFIG_FILE)
    bucket.delete(prefix + CHECKPOINT_FILE)
    return Outcome(
        clip_id=version.name,
        status=Status.OK,
        key=info.key,
        crc32c=info.crc32c,
        size=size + info.size,
    )


@contextmanager
def _alone(folder: Path) -> Iterator[Path]:
    """Make the model's folder on this machine and keep other runs out of it.

    Raises:
        StageError: if another run is in it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StageError(
                f"{folder}: another run is training this model: wait for it, or stop it first"
            ) from error
        yield folder
