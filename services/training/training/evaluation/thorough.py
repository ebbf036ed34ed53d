"""The command `evaluate`: every figure of every system, with intervals, and answers to look at.

It writes, beside the model and named for its own settings:

evaluation.json        figures by group and system, differences, paired tests, targets, and a row
                       for each clip
files/*                what the task keeps for people and their programs
examples/*             what its page shows of some clips
answers.safetensors    answers that are kept, so that the model is not asked again
"""

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from s2s.dataset import DatasetVersion, read_version, version_names
from s2s.errors import SettingsError, StageError, what_is_meant
from s2s.features.stored import fetch_clips
from s2s.layout import evaluation_prefix, model_config_key, model_prefix
from s2s.media import MediaLimits
from s2s.settings import Recipe, Settings
from s2s.stage import no_model, shared_bucket
from s2s.storage import Bucket
from s2s.tasks.contract import AnswerFiles, Example, Material
from s2s.tasks.loading import load_task
from s2s.workspace import workspace
from training.card import METRICS_FILE
from training.evaluation.content import choose_examples, clip_rows, described, with_intervals
from training.evaluation.kept import kept_answers
from training.evaluation.measured import measure
from training.material import fetch_material

__all__ = ["EVALUATION_FILE", "evaluate_model"]

EVALUATION_FILE = "evaluation.json"
_FOLDERS = ("examples", "files")


def evaluate_model(settings: Settings, program: Path | None = None) -> dict[str, Any]:
    """Measure the recipe's model on the newest data set version, and store the evaluation.

    Args:
        settings: which recipe, and where.
        program: folder of a program of others whose figures are wanted too; the task knows which.

    Returns:
        what `evaluation.json` says.

    Raises:
        SettingsError: if a target names a figure or a system that there is not.
        StageError: if there is nothing to measure it on.
        VersionError: if the data set version is damaged.
        ModelError: if there is no model yet, or it or features do not fit the recipe.
        BucketUnavailableError: if the bucket does not answer or is full.
    """
    bucket, recipe = shared_bucket(settings.bucket_url), settings.recipe
    version = _newest_with_model(bucket, recipe)
    bucket.prepare()
    task = load_task(recipe.task)
    _check_targets(recipe, "figure", [figure.name for figure in task.figures])
    with workspace(settings.work_dir / "evaluation") as folder:
        clips = fetch_clips(bucket, recipe, version, settings.work_dir / "training")
        material = fetch_material(settings, version, clips, folder / "model")
        predictor = task.load(material.folder, MediaLimits())
        systems = task.make_systems(material, predictor, thorough=True)
        _check_targets(recipe, "system", systems)
        judge = task.make_judge(material, predictor, thorough=True)
        files = task.make_files(material, folder / "answers")
        with kept_answers(material, systems) as known:
            found = measure(material, known, judge, recipe.evaluation.clips, files)
        if not found.rows:
            raise StageError(f"{version.name}: {found.note} Add sources to the catalog.")
        examples = choose_examples(found.rows, task.figures, recipe.evaluation)
        content = {
            "recipe": recipe.name,
            "version": version.name,
            "model": model_prefix(recipe, version.name),
            "seed": recipe.seed,
            **described(found, task.figures),
            **with_intervals(found, task.figures, recipe.evaluation, recipe.seed),
            "training": _training_facts(material),
            "clips": clip_rows(found, judge),
            "examples": [{"clip_id": one.listed.clip_id, "why": why} for one, why in examples],
            "by_others": files.measure(program) if files else None,
        }
        shown = [one for one, _ in examples]
        _store(material, content, _written(files, shown, folder / "output"))
    return content


def _check_targets(recipe: Recipe, what: str, known: Collection[str]) -> None:
    """Refuse targets of a figure or system that there is not: they would never be measured."""
    for target in recipe.evaluation.targets:
        named = (target.figure,) if what == "figure" else (target.system, target.of)
        for name in named:
            if name is not None and name not in known:
                raise SettingsError(
                    f"recipe {recipe.name}: evaluation.targets: there is no {what} {name!r}; "
                    f"{what_is_meant(name, known)}"
                )


def _newest_with_model(bucket: Bucket, recipe: Recipe) -> DatasetVersion:
    """The newest data set version; there has to be a model of it.

    Raises:
        ModelError: if there is none, or no version at all.
    """
    name = next(reversed(version_names(bucket, recipe)), "")
    if not name or not bucket.exists(model_config_key(recipe, name)):
        raise no_model(bucket, recipe, name)
    return read_version(bucket, recipe, name)


def _training_facts(material: Material) -> dict[str, Any]:
    """Steps and seconds of the model's training, from its metrics; empty without."""
    path = material.folder / METRICS_FILE
    return json.loads(path.read_bytes()).get("training", {}) if path.exists() else {}


def _written(files: AnswerFiles | None, examples: Sequence[Example], folder: Path) -> Path:
    """A folder with all that is kept beside `evaluation.json`."""
    for part in _FOLDERS:
        (folder / part).mkdir(parents=True)
    if files is not None:
        files.keep(folder / "files")
        for example in examples:
            files.show(example, folder / "examples")
    return folder


def _store(material: Material, content: dict[str, Any], folder: Path) -> None:
    """Upload the files, and `evaluation.json` last: if it is there, all is."""
    prefix = evaluation_prefix(material.recipe, material.version.name)
    paths = {part: sorted((folder / part).iterdir()) for part in _FOLDERS}
    content["files"] = [path.name for path in paths["files"]]
    for part, found in paths.items():
        for path in found:
            material.bucket.upload(path, f"{prefix}{part}/{path.name}", overwrite=True)
    text = json.dumps(content, indent=1) + "\n"
    material.bucket.write(prefix + EVALUATION_FILE, text.encode(), overwrite=True)
