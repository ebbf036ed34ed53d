"""Training: a model of the newest data set version, with its figures."""

import fcntl
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

from s2s.dataset import DatasetVersion, latest_version, read_version
from s2s.errors import StageError
from s2s.features.stored import StoredClip, fetch_clips
from s2s.layout import extractors_key, model_config_key, model_prefix
from s2s.logs import console
from s2s.media import MediaLimits
from s2s.model_directory import CONFIG_FILE
from s2s.reasons import Reason, Status
from s2s.records import Outcome
from s2s.settings import Settings
from s2s.stage import StageReport, finish, shared_bucket
from s2s.stage.node import Node, find_node, is_other_node
from s2s.storage import Bucket
from s2s.tasks.contract import Material, Objective
from s2s.tasks.loading import load_task
from s2s.tasks.values import EXTRACTOR_WEIGHTS_FILE
from training.callbacks.wandb_key import find_wandb_key
from training.card import METRICS_FILE, write_card
from training.nodes import Nodes, joined

__all__ = ["have_model", "run"]

STAGE = "training"


def run(settings: Settings) -> StageReport:
    """Train, measure and export a model to `models/`, unless it is there already.

    On several nodes, the first one measures and stores; the others take part in the training, and
    then wait for it.

    Raises:
        VersionError: if there is no data set version, or it is damaged.
        SettingsError: if this machine is not told which of several nodes it is.
        StageError: if features are missing, there is nothing to train on, there is no GPU where
            the recipe asks for one, or another node cannot be reached or ends.
        ModelError: if features do not fit the recipe.
        BucketUnavailableError: if the bucket does not answer or is full.
    """
    started = time.monotonic()
    bucket, recipe = shared_bucket(settings.bucket_url), settings.recipe
    bucket.check()
    version = read_version(bucket, recipe, latest_version(bucket, recipe))
    outputs = {"version": version.name, "model": model_prefix(recipe, version.name)}
    node = _place(settings, version)
    if node.is_first:
        bucket.prepare()
    with joined(node, _plan(settings, version)) as nodes:
        outcome, metrics = have_model(settings, version, nodes)
        if nodes.is_first:
            if metrics.get("note"):
                console.print(metrics["note"], markup=False, highlight=False)
            return finish(settings, STAGE, [outcome], started, outputs | _summary(metrics))
        nodes.wait_for_first()
    return StageReport(
        stage=STAGE,
        recipe=recipe.name,
        counts={"ok": 1},
        seconds=round(time.monotonic() - started, 3),
        bytes_written=0,
        outputs=outputs,
    )


def _place(settings: Settings, version: DatasetVersion) -> Node:
    """Which of the recipe's nodes this machine is; where the model is there, none is met."""
    recipe = settings.recipe
    if shared_bucket(settings.bucket_url).exists(model_config_key(recipe, version.name)):
        return Node(rank=int(is_other_node()))
    if recipe.training.nodes > 1:
        import_module("training.trainer")  # slow: once they have met, the others would wait for it
    return find_node(recipe.training.nodes)


def _plan(settings: Settings, version: DatasetVersion) -> str:
    """What nodes have to have in common."""
    training = settings.recipe.training.model_dump_json()
    return f"{model_prefix(settings.recipe, version.name)} {training}"


def have_model(
    settings: Settings, version: DatasetVersion, nodes: Nodes | None = None
) -> tuple[Outcome, dict[str, Any]]:
    """Train, measure and export the recipe's model of a version, unless it is there already.

    Args:
        settings: the recipe, and where it runs.
        version: the data set version.
        nodes: the machines that train; None for this one alone.

    Returns:
        what became of it, and what its `metrics.json` says.

    Raises:
        StageError: as `run`; ModelError, BucketUnavailableError too.
    """
    bucket, recipe = shared_bucket(settings.bucket_url), settings.recipe
    prefix = model_prefix(recipe, version.name)
    done = Outcome(clip_id=version.name, status=Status.SKIPPED, reason=Reason.ALREADY_DONE)
    if bucket.exists(model_config_key(recipe, version.name)):
        return done, json.loads(bucket.read(prefix + METRICS_FILE))
    from training.trainer import find_gpu  # noqa: PLC0415 - Lightning is slow to import

    nodes = nodes or Nodes()
    find_gpu(recipe.training)
    folder = settings.work_dir / STAGE
    if nodes.is_first:
        find_wandb_key(settings)
    else:
        folder /= f"node{nodes.node.rank}"  # nodes may share a disk
    with _alone(folder / prefix) as model_dir:
        clips = fetch_clips(bucket, recipe, version, folder)
        metrics = _make_model(settings, version, clips, model_dir, nodes)
        if not nodes.is_first:
            return Outcome(clip_id=version.name, status=Status.OK), metrics
        return _upload(bucket, model_dir, prefix, version.name), metrics


def _summary(metrics: dict[str, Any]) -> dict[str, Any]:
    """The part of a model's metrics that the stage's report, and so `dvc metrics`, has."""
    names = ("split", "n_clips", "systems", "training")
    return {name: metrics[name] for name in names if name in metrics}


def _make_model(
    settings: Settings,
    version: DatasetVersion,
    clips: Mapping[str, Sequence[StoredClip]],
    folder: Path,
    nodes: Nodes,
) -> dict[str, Any]:
    """Train and measure; every file of the model is in the folder then.

    Nodes beside the first one train only: they get nothing.
    """
    if not clips.get("train"):
        raise StageError(
            f"{version.name} has no clip with features to train on: see the failures of "
            "feature_extraction with './s2s status RECIPE', or add clips to the catalog"
        )
    from training.callbacks.tracking import Tracking  # noqa: PLC0415 - Lightning is slow to import
    from training.evaluation.after_training import measure_model  # noqa: PLC0415
    from training.material import make_material  # noqa: PLC0415
    from training.trainer import Trainer  # noqa: PLC0415

    recipe, prefix = settings.recipe, model_prefix(settings.recipe, version.name)
    task, tracking = load_task(recipe.task), Tracking(settings, prefix) if nodes.is_first else None
    trainer = Trainer(settings.bucket_url, prefix, folder, tracking, nodes)
    material = make_material(settings, version, clips, folder, trainer)
    last = _train(task.objectives(material), material, prefix, nodes)
    if tracking is None:
        return {}
    for suffix, name in ((".csv", "metrics.csv"), (".png", "learning_curve.png")):
        (folder / f"{last.name}{suffix}").replace(folder / name)
    if material.bucket.exists(extractors_key(recipe)):
        material.bucket.fetch(extractors_key(recipe), folder / EXTRACTOR_WEIGHTS_FILE)
    predictor = task.load(folder, MediaLimits())
    metrics = measure_model(task, material, predictor, recipe.training.held_out_clips)
    metrics["training"] = _facts(material, last, prefix)
    (folder / METRICS_FILE).write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
    write_card(folder / "README.md", recipe, version, metrics, last.summary)
    tracking.finish(metrics, folder)
    return metrics


def _train(
    objectives: Iterator[Objective], material: Material, prefix: str, nodes: Nodes
) -> Objective:
    """Train and export every objective; the last one, whose model it is.

    What was exported before that is stored at once: a run that is stopped later goes on from there.
    """
    objective = next(objectives)
    while True:
        trained = json.dumps(asdict(material.fit(objective)))
        objective.export(material.folder)
        following = next(objectives, None)
        if following is not None and nodes.is_first:
            _upload_files(material.bucket, material.folder, prefix)
        if nodes.is_first:
            key = f"{prefix}checkpoints/{objective.name}.json"
            material.bucket.write(key, trained.encode(), overwrite=True)
        if following is None:
            return objective
        objective = following


def _facts(material: Material, last: Objective, prefix: str) -> dict[str, Any]:
    """Facts of the model's training, by objective where there are several."""
    keys = [key for key in material.bucket.keys(f"{prefix}checkpoints/") if key.endswith(".json")]
    found = {Path(key).stem: json.loads(material.bucket.read(key)) for key in keys}
    trained = material.clips["train"]
    facts = {
        "n_train": len(trained),
        "n_train_sources": len({clip.listed.source_id for clip in trained}),
        **found[last.name],
        "parameters": sum(part.numel() for part in last.network.parameters()),
    }
    if len(found) > 1:
        facts["objectives"] = found
    if any(of["stopped_by"] == "max_minutes" for of in found.values()):
        facts["stopped_by"] = "max_minutes"
    return facts


def _upload(bucket: Bucket, folder: Path, prefix: str, name: str) -> Outcome:
    """Store the model's files, the config last and create-only: it makes the model exist."""
    size = _upload_files(bucket, folder, prefix)
    info = bucket.upload(folder / CONFIG_FILE, prefix + CONFIG_FILE)
    for key in list(bucket.keys(f"{prefix}checkpoints/")):
        bucket.delete(key)
    return Outcome(
        clip_id=name, status=Status.OK, key=info.key, crc32c=info.crc32c, size=size + info.size
    )


def _upload_files(bucket: Bucket, folder: Path, prefix: str) -> int:
    """Store what is whole of a model, without its config; their bytes."""
    paths = [
        path
        for path in sorted(folder.iterdir())
        if path.is_file() and path.name != CONFIG_FILE and not path.name.startswith(".")
    ]
    return sum(bucket.upload(path, prefix + path.name, overwrite=True).size for path in paths)


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
