"""Where every object lives in the bucket: the only place that builds a key.

catalogs/<recipe>.jsonl                                clips that a recipe selects from its catalog
catalogs/<recipe>/labels_vN.json                       their labels' ids
raw_data/<source_id>.<ext>                             sources as downloaded, shared by all recipes
raw_data/<source_id>_<start ms>_<end ms>.<ext>         sections of sources
processed_data/<recipe>-<fp>/<clip_id>.mp4|.wav        clips, cut
datasets/<recipe>/<dataset_vN>.json|.bundle            versions; split manifests beside them
datasets/<recipe>/checks-<fp>-3/<clip_id>.json         what was found of clips that are usable
quarantine/<recipe>/<clip_id>.mp4|.wav                 clips that validation has put aside
features/<recipe>/<dataset_vN>-<fp>/<name>.safetensors   shards of what was new in a version
features/<recipe>/extractors-<fp>.safetensors          weights of extractors that have any
models/<recipe>/<dataset_vN>-<fp>/                     trained models
models/<recipe>/comparisons/<dataset_vN>.json          approaches, compared
models/<recipe>/weights/<sha256>.safetensors           weights from elsewhere, converted once
dvc_store/                                             DVC's remote
recipes/<recipe>-<checksum>.yaml                       recipes as machines elsewhere were given them
serving/results/<job_id>/<name>                        what serving made for its users; expires
<stage prefix>/_failed/<name>.json                     failures, beside the outputs
"""

import re

from s2s.settings import CHECKS, CLIPS, EVALUATION, EXTRACTORS, FEATURES, MODEL, Recipe

__all__ = [
    "FAILED",
    "catalog_key",
    "checkpoint_key",
    "checks_prefix",
    "comparison_key",
    "converted_weights_key",
    "dataset_bundle_key",
    "dataset_index_key",
    "dataset_manifest_key",
    "dataset_prefix",
    "dvc_prefix",
    "evaluation_prefix",
    "extractors_key",
    "failure_key",
    "feature_shards_pattern",
    "features_prefix",
    "features_root",
    "folder_name",
    "held_out_prefix",
    "imports_prefix",
    "label_of_folder",
    "labels_prefix",
    "manifest_key",
    "model_config_key",
    "model_prefix",
    "processed_prefix",
    "quarantine_prefix",
    "raw_prefix",
    "recipe_copy_key",
    "report_key",
    "result_key",
    "source_paths_key",
]

FAILED = "_failed/"
_NOT_IN_FOLDERS = re.compile(r"[/\\%\x00-\x1f\x7f]|^[.-]")
_ESCAPED = re.compile(r"%([0-9A-F]{2})")
_MAX_FOLDER_BYTES = 200
_SHOWN = 40


def catalog_key(recipe: Recipe) -> str:
    """The clips that the recipe selects from its catalog, and the rows that are no clip."""
    return f"catalogs/{recipe.name}.jsonl"


def source_paths_key(recipe: Recipe) -> str:
    """Files that were imported for a recipe's clips, by clip id, as they were called."""
    return f"catalogs/{recipe.name}/source_paths.json"


def labels_prefix(recipe: Recipe) -> str:
    """Versions of the labels' ids; `labels_vN.json` under it."""
    return f"catalogs/{recipe.name}/labels_v"


def imports_prefix(recipe: Recipe) -> str:
    """Failures of files that were to be taken over from elsewhere."""
    return f"catalogs/{recipe.name}/imports/"


def raw_prefix() -> str:
    """Sources and sections of them, shared by all recipes; s2s.catalog knows their names."""
    return "raw_data/"


def processed_prefix(recipe: Recipe) -> str:
    """Cut clips; `<clip_id>.mp4` and `<clip_id>.wav` under it."""
    return f"processed_data/{recipe.name}-{recipe.fingerprint(CLIPS)}/"


def dataset_prefix(recipe: Recipe) -> str:
    """Data set versions of a recipe."""
    return f"datasets/{recipe.name}/"


def dataset_index_key(recipe: Recipe, version: str) -> str:
    """The object that makes a version exist; written last."""
    return f"{dataset_prefix(recipe)}{version}.json"


def dataset_manifest_key(recipe: Recipe, version: str, split: str, kind: str = "csv") -> str:
    """One split's list of clips, as `csv` or, with the same rows, `parquet`."""
    return f"{dataset_prefix(recipe)}{version}/{split}.{kind}"


def dataset_bundle_key(recipe: Recipe, version: str) -> str:
    """The data set repository at a version's tag, as a git bundle."""
    return f"{dataset_prefix(recipe)}{version}.bundle"


def checks_prefix(recipe: Recipe) -> str:
    """Results of validation's checks of usable clips; `<clip_id>.json` under it.

    The number behind the fingerprint is that of what is measured: with another, clips are checked
    again.
    """
    return f"{dataset_prefix(recipe)}checks-{recipe.fingerprint(CHECKS)}-3/"


def quarantine_prefix(recipe: Recipe) -> str:
    """Cut clips that validation has put aside, under their names."""
    return f"quarantine/{recipe.name}/"


def dvc_prefix() -> str:
    """DVC's remote, shared by all recipes."""
    return "dvc_store/"


def features_root(recipe: Recipe) -> str:
    """Features of all versions and settings."""
    return f"features/{recipe.name}/"


def features_prefix(recipe: Recipe, version: str) -> str:
    """Shards of the clips that were new in a data set version."""
    return f"{features_root(recipe)}{version}-{recipe.fingerprint(FEATURES)}/"


def feature_shards_pattern(recipe: Recipe) -> re.Pattern[str]:
    """Pattern of the keys of shards, of any version with the recipe's settings."""
    fingerprint = recipe.fingerprint(FEATURES)
    root = re.escape(features_root(recipe))
    return re.compile(rf"{root}[^/]+-{fingerprint}/[^/]+\.safetensors")


def extractors_key(recipe: Recipe) -> str:
    """Weights of the extractors that made a recipe's features."""
    return f"{features_root(recipe)}extractors-{recipe.fingerprint(EXTRACTORS)}.safetensors"


def model_prefix(recipe: Recipe, version: str) -> str:
    """The model that the recipe makes of a data set version."""
    return f"models/{recipe.name}/{version}-{recipe.fingerprint(MODEL)}/"


def model_config_key(recipe: Recipe, version: str) -> str:
    """The model's configuration: written last, so it means that the model is there."""
    return f"{model_prefix(recipe, version)}config.json"


def checkpoint_key(recipe: Recipe, version: str, objective: str) -> str:
    """The checkpoint of one of the model's objectives."""
    return f"{model_prefix(recipe, version)}checkpoints/{objective}.ckpt"


def evaluation_prefix(recipe: Recipe, version: str) -> str:
    """Results of `evaluate` for the model."""
    return f"{model_prefix(recipe, version)}evaluation-{recipe.fingerprint(EVALUATION)}/"


def comparison_key(recipe: Recipe, version: str) -> str:
    """What the last comparison of the recipe's approaches came to."""
    return f"models/{recipe.name}/comparisons/{version}.json"


def converted_weights_key(recipe: Recipe, checksum: str) -> str:
    """Weights from elsewhere as safetensors, by the SHA-256 of the file that they were in."""
    return f"models/{recipe.name}/weights/{checksum}.safetensors"


def held_out_prefix(recipe: Recipe, version: str) -> str:
    """Answers of the served model for held-out clips; `<clip_id>.mp4` or `.json` under it."""
    return f"{model_prefix(recipe, version)}held_out/"


def failure_key(prefix: str, name: str) -> str:
    """The failure of one clip or source under a stage's prefix."""
    return f"{prefix}{FAILED}{name}.json"


def manifest_key(recipe: Recipe, stage: str) -> str:
    """The last manifest of a stage; only a view, rebuilt from the bucket by every run."""
    return f"manifests/{recipe.name}/{stage}.jsonl"


def report_key(recipe: Recipe, stage: str) -> str:
    """The last report of a stage."""
    return f"manifests/{recipe.name}/{stage}.json"


def recipe_copy_key(recipe: Recipe, checksum: str) -> str:
    """A recipe as a machine elsewhere was given it."""
    return f"recipes/{recipe.name}-{checksum}.yaml"


def result_key(job_id: str, name: str) -> str:
    """A file that serving made of an upload."""
    return f"serving/results/{job_id}/{name}"


def folder_name(label: str) -> str:
    """Name a folder for a label: as it is, but for what could leave the folder above.

    Args:
        label: any text, such as `playing guitar/banjo`, which becomes `playing guitar%2Fbanjo`.

    Raises:
        ValueError: if the label is empty, or too long for a name.
    """
    name = _NOT_IN_FOLDERS.sub(lambda match: f"%{ord(match[0]):02X}", label)
    size = len(name.encode())
    if not size:
        raise ValueError("an empty label cannot name a folder")
    if size > _MAX_FOLDER_BYTES:
        shown = label if len(label) <= _SHOWN else f"{label[:_SHOWN]}…"
        raise ValueError(
            f"label {shown!r} takes {size} bytes as a folder's name, at most {_MAX_FOLDER_BYTES} "
            "fit: shorten it"
        )
    return name


def label_of_folder(name: str) -> str:
    """The label that a folder is named for."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), name)
