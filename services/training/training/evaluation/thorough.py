"""The command `evaluate`: every figure of every system, with intervals, and sounds to listen to.

It writes, beside the model and named for its own settings:

evaluation.json        figures by group and system, targets, and a row for each clip
examples/<clip_id>.*   videos and sounds that its page shows
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import track

from s2s.dataset import DatasetVersion, latest_version, read_version
from s2s.errors import StageError
from s2s.features.stored import StoredClip, fetch_clips
from s2s.layout import evaluation_prefix, model_config_key, model_prefix
from s2s.logs import console
from s2s.settings import Settings
from s2s.stage import shared_bucket
from s2s.tasks.common.mel import LogMel
from s2s.tasks.generation.data import condition_of, frames_of, mel_of
from s2s.tasks.generation.metrics.av_benchmark import run_av_benchmark
from s2s.tasks.generation.metrics.scores import Judge
from s2s.tasks.generation.metrics.sync import SyncProbe
from s2s.tasks.generation.predictor.predictor import GenerationPredictor
from s2s.tasks.generation.settings import GenerationRecipe
from s2s.tasks.generation.systems.compared import Library, Shown, System, all_systems
from s2s.tasks.generation.systems.regression import fetch_regression
from training.evaluation.files import fetch_folder, store_folder
from training.evaluation.held_out import HeldOut, choose_held_out, fit_classifier
from training.evaluation.stored_sounds import EXAMPLE_SYSTEMS, TakeFiles
from training.evaluation.summary import Measured, choose_examples, summarize

__all__ = ["EVALUATION_FILE", "evaluate_model"]

EVALUATION_FILE = "evaluation.json"
BENCHMARKED_SYSTEMS = ("real_mel", "model", "regression", "nearest", "random_clip")
_PROBED_CLIPS = 500


def evaluate_model(settings: Settings, av_benchmark: Path | None = None) -> dict[str, Any]:
    """Measure the recipe's model on the newest data set version, and store what came out.

    Args:
        settings: which recipe, and where.
        av_benchmark: a checkout of av-benchmark, where its figures are wanted too.

    Returns:
        what `evaluation.json` says.

    Raises:
        StageError: if there is no model yet, or nothing to measure it on.
        VersionError: if there is no data set version, or it is damaged.
        ModelError: if the model or features do not fit the recipe.
        BucketUnavailableError: if the bucket does not answer or is full.
    """
    bucket, recipe = shared_bucket(settings.bucket_url), settings.recipe
    bucket.check()
    version = read_version(bucket, recipe, latest_version(bucket, recipe))
    prefix = evaluation_prefix(recipe, version.name)
    folder = settings.work_dir / "evaluation"
    output, takes = folder / prefix, TakeFiles(folder / "takes", bucket, recipe.spec.sample_rate_hz)
    for path in (output, takes.folder):
        shutil.rmtree(path, ignore_errors=True)  # of an earlier run
        path.mkdir(parents=True)
    clips = fetch_clips(bucket, recipe, version, settings.work_dir / "training")
    held_out = choose_held_out(version, clips, recipe.evaluation.clips)
    if not held_out.clips:
        raise StageError(f"{version.name}: {held_out.note} Add sources to the catalog.")
    systems = _systems(settings, version, clips, folder)
    judge = _judge(recipe, version, clips["train"])
    rows = _measure(recipe, held_out, systems, (judge, takes, Library(bucket, recipe, version, [])))
    content = _content(recipe, version, held_out, rows)
    content["examples"] = choose_examples(rows, recipe.evaluation)
    content["external"] = _external(takes, rows, av_benchmark)
    listed = {row.shown.listed.clip_id: row.shown.listed for row in rows}
    for example in content["examples"]:
        takes.copy_example(listed[example["clip_id"]], output / "examples")
    (output / EVALUATION_FILE).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    store_folder(bucket, output, prefix)
    return content


def _systems(
    settings: Settings,
    version: DatasetVersion,
    clips: Mapping[str, Sequence[StoredClip]],
    folder: Path,
) -> Mapping[str, System]:
    bucket, recipe = shared_bucket(settings.bucket_url), settings.recipe
    prefix = model_prefix(recipe, version.name)
    if not bucket.exists(model_config_key(recipe, version.name)):
        raise StageError(f"there is no model of {version.name} yet: run './s2s training RECIPE'")
    local = folder / prefix
    predictor = GenerationPredictor.load(fetch_folder(bucket, prefix, local))
    console.print("Training the regression that the model is compared with, unless it is there")
    regression = GenerationPredictor(*fetch_regression(settings, predictor.config, clips, local))
    library = Library(bucket, recipe, version, clips["train"])
    return all_systems(predictor, regression, library, recipe.seed, recipe.evaluation.takes)


def _judge(
    recipe: GenerationRecipe, version: DatasetVersion, trained: Sequence[StoredClip]
) -> Judge:
    """Who hears classes and offsets; both are trained on the training clips' real sound."""
    console.print("Training the judges: a classifier of sound, a probe of synchrony")
    classifier = fit_classifier(version, trained, recipe.spec.mel_rate_hz, recipe.seed)
    shown = [
        (condition_of(clip), mel_of(clip).reshape(frames_of(clip), -1))
        for clip in trained[:_PROBED_CLIPS]
    ]
    is_long = any(SyncProbe.is_long_enough(len(condition)) for condition, _ in shown)
    probe = SyncProbe(shown, recipe.seed) if is_long else None
    return Judge(LogMel(recipe.spec), classifier, probe)


def _measure(
    recipe: GenerationRecipe,
    held_out: HeldOut,
    systems: Mapping[str, System],
    by: tuple[Judge, TakeFiles, Library],
) -> list[Measured]:
    judge, files, library = by
    rows = []
    clips = track(held_out.clips, "measuring clips", console=console)
    for index, (listed, stored) in enumerate(clips):
        shown = Shown.of(index, listed, stored, library.sound(listed))
        real, scores = judge.listen(shown.real_N), {}
        for name, system in systems.items():
            take = system(shown)
            scores[name] = judge.score(real, take, listed.labels, condition_of(stored))
            if name in {*EXAMPLE_SYSTEMS, *BENCHMARKED_SYSTEMS}:
                files.write(name, listed, take.samples_N)
        rows.append(Measured(shown, recipe.evaluation.group_of(listed.labels), scores))
    return rows


def _content(
    recipe: GenerationRecipe, version: DatasetVersion, held_out: HeldOut, rows: Sequence[Measured]
) -> dict[str, Any]:
    return {
        "recipe": recipe.name,
        "version": version.name,
        "model": model_prefix(recipe, version.name),
        "seed": recipe.seed,
        "split": held_out.split,
        "note": held_out.note,
        **summarize(rows, recipe.evaluation, recipe.seed),
    }


def _external(takes: TakeFiles, rows: Sequence[Measured], program: Path | None) -> dict[str, Any]:
    """Figures by networks that others have trained, or why there are none."""
    if program is None:
        return {"note": "not computed: no av-benchmark was named", "systems": {}}
    lengths_s = {len(row.shown.real_N) for row in rows}
    takes.fetch_videos(row.shown.listed for row in rows)
    duration_s = float(np.median(list(lengths_s))) / takes.sample_rate_hz
    figures = run_av_benchmark(program, takes.folder, list(BENCHMARKED_SYSTEMS), duration_s)
    return {"note": f"computed by av-benchmark on {len(rows)} clips", "systems": figures}
