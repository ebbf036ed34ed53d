"""Every training of a comparison, done or found done, and what its model answers."""

import csv
import io
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from rich.rule import Rule

from s2s.dataset import DatasetVersion
from s2s.errors import ModelError, SettingsError, StageError
from s2s.features.stored import StoredClip, fetch_clips
from s2s.layout import model_config_key, model_prefix
from s2s.logs import console
from s2s.media import MediaLimits
from s2s.settings import Settings
from s2s.stage import shared_bucket
from s2s.tasks.loading import load_task
from s2s.workspace import workspace
from training.comparison.approaches import Run
from training.evaluation.content import clip_rows
from training.evaluation.kept import kept_answers
from training.evaluation.measured import Measurement, measure
from training.material import fetch_material, make_material
from training.stage import have_model

__all__ = ["Answered", "Failed", "train_and_measure"]

log = logging.getLogger(__name__)

Curve = list[tuple[int, float]]


@dataclass(frozen=True)
class Answered:
    """One training, and how its model and what is beside it did on the held-out clips.

    Attributes:
        run: the training.
        measurement: the scores of every system on every clip.
        rows: what is kept of them as JSON, a row for each clip.
        training: what `metrics.json` says of the training.
        curve: step and validation loss; step and training loss where nothing was validated.
    """

    run: Run
    measurement: Measurement
    rows: Sequence[Mapping[str, Any]]
    training: Mapping[str, Any]
    curve: Curve


@dataclass(frozen=True)
class Failed:
    """One training that could not be done.

    Attributes:
        run: the training.
        reason: why, in words.
    """

    run: Run
    reason: str


def train_and_measure(
    settings: Settings, version: DatasetVersion, runs: Sequence[Run]
) -> tuple[list[Answered], list[Failed]]:
    """Do every training that is not done yet, and have every model answer what it did not yet.

    An approach that cannot be trained is noted, and the others go on.

    Args:
        settings: of the recipe whose approaches are compared.
        version: what is trained and measured on.
        runs: the trainings.

    Raises:
        StageError: if features are missing.
        ModelError: if an approach cannot be trained at all, as its weights are not there or fit no
            network of its.
        BucketUnavailableError: if the bucket does not answer or is full.
    """
    clips = fetch_clips(
        shared_bucket(settings.bucket_url), settings.recipe, version, settings.work_dir / "training"
    )
    _check_approaches(version, clips, runs)
    failed: list[Failed] = []
    trained: list[tuple[Run, Mapping[str, Any]]] = []
    for n, run in enumerate(runs, start=1):
        title = f"{n} of {len(runs)}: {run.approach}, seed {run.seed}"
        console.print(Rule(title, align="left", style="dim"))
        try:
            outcome, metrics = have_model(run.settings, version)
        except (ModelError, StageError, SettingsError) as error:
            log.warning("%s: %s", title, error)
            failed.append(Failed(run, str(error)))
            continue
        console.print(f"trained already: {run.approach}" if outcome.reason else "trained")
        trained.append((run, metrics["training"]))
    answered = [_answered(run, version, clips, facts) for run, facts in trained]
    return answered, failed


def _check_approaches(
    version: DatasetVersion, clips: Mapping[str, Sequence[StoredClip]], runs: Sequence[Run]
) -> None:
    """Make what every approach trains first: before hours of work for the others.

    Raises:
        ModelError: if it cannot be made; it names the approach.
    """
    first: dict[str, Run] = {}
    for run in runs if clips.get("train") else ():
        bucket = shared_bucket(run.settings.bucket_url)
        if not bucket.exists(model_config_key(run.recipe, version.name)):
            first.setdefault(run.approach, run)
    for run in first.values():
        with workspace(run.settings.work_dir / "comparison") as folder:
            material = make_material(run.settings, version, clips, folder)
            try:
                next(load_task(run.recipe.task).objectives(material))
            except ModelError as error:
                raise ModelError(f"approach {run.approach}: {error}") from error


def _answered(
    run: Run,
    version: DatasetVersion,
    clips: Mapping[str, Sequence[StoredClip]],
    facts: Mapping[str, Any],
) -> Answered:
    settings, recipe = run.settings, run.recipe
    bucket, prefix = shared_bucket(settings.bucket_url), model_prefix(recipe, version.name)
    with workspace(settings.work_dir / "evaluation") as folder:
        task, material = load_task(recipe.task), fetch_material(settings, version, clips, folder)
        predictor = task.load(folder, MediaLimits())
        systems = task.make_systems(material, predictor, thorough=True)
        judge = task.make_judge(material, predictor, thorough=True)
        with kept_answers(material, systems, partial(_tell, run)) as known:
            measurement = measure(material, known, judge, recipe.evaluation.clips)
    if not measurement.rows:
        raise StageError(f"{version.name}: {measurement.note} Add sources to the catalog.")
    text = bucket.read(prefix + "metrics.csv").decode()
    return Answered(run, measurement, clip_rows(measurement, judge), facts, _curve(text))


def _tell(run: Run, n_stored: int) -> None:
    """Say what is done with a model: what it answered is not asked again."""
    name = f"{run.approach}, seed {run.seed}"
    console.print(f"reading {n_stored} answers of {name}" if n_stored else f"asking {name}")


def _curve(text: str) -> Curve:
    rows = list(csv.DictReader(io.StringIO(text)))
    name = "val_loss" if any(row["val_loss"] for row in rows) else "train_loss"
    return [(int(row["step"]), float(row[name])) for row in rows if row[name]]
