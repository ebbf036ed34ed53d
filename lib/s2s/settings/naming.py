"""Names of objects: they hold exactly the settings that the object's bytes depend on.

The name of what a recipe makes holds a fingerprint, so that it is made again when it would come out
different, and only then. `SHARED` has a row for every setting that all tasks share; a task's own
recipe class continues the table. A setting without a row is an error when the class is made.

A setting that is added later, and whose default makes what was made before, is given that default
as `without`: it leaves no trace in names, and nothing is renamed. Without `without`, a changed
default changes names, as it changes what is made.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

__all__ = [
    "CHECKS",
    "CLIPS",
    "EVALUATION",
    "EXTRACTORS",
    "FEATURES",
    "MODEL",
    "PARTS",
    "SHARED",
    "Kind",
    "Names",
    "names",
    "setting_paths",
]

Kind = Literal["clips", "checks", "extractors", "features", "model", "evaluation"]

CLIPS: Kind = "clips"
"""Cut clips, and failures to cut them."""
CHECKS: Kind = "checks"
"""What validation found of a clip."""
EXTRACTORS: Kind = "extractors"
"""Weights of extractors."""
FEATURES: Kind = "features"
"""Shards."""
MODEL: Kind = "model"
"""A trained model; its data set version and its features are part of its name too."""
EVALUATION: Kind = "evaluation"
"""What `evaluate` measured of a model; it is stored under the model's name."""

PARTS: Mapping[Kind, tuple[Kind, ...]] = {CHECKS: (CLIPS,), MODEL: (FEATURES,)}
"""Kinds whose settings an object of a kind depends on besides its own."""

_ALWAYS = object()


@dataclass(frozen=True)
class Names:
    """One row of the table: which names a setting is part of.

    Attributes:
        kinds: of the objects whose bytes depend on it; none where it only says how work is done.
        without: the value that leaves no trace: what was made before the setting was there.
        only_if: another setting and the value that it must have, for this one to matter.
        unless: another setting and the value with which this one does not matter.
    """

    kinds: tuple[Kind, ...]
    without: Any = _ALWAYS
    only_if: tuple[str, Any] | None = None
    unless: tuple[str, Any] | None = None

    def is_part_of(self, kind: Kind, value: Any, settings: Mapping[str, Any]) -> bool:
        """Whether a setting's value is part of the names of a kind.

        Args:
            kind: of the objects.
            value: the setting's.
            settings: the values of all settings, by path.
        """
        if not {kind, *PARTS.get(kind, ())} & set(self.kinds) or value == self.without:
            return False
        if self.only_if is not None and settings[self.only_if[0]] != self.only_if[1]:
            return False
        return self.unless is None or settings[self.unless[0]] != self.unless[1]


def names(
    *kinds: Kind,
    without: Any = _ALWAYS,
    only_if: tuple[str, Any] | None = None,
    unless: tuple[str, Any] | None = None,
) -> Names:
    """A row of the table, see `Names`."""
    return Names(kinds, without, only_if, unless)


def setting_paths(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Every setting of a section and of the sections in it, such as `validation.checks.min_fps`."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from setting_paths(kind, f"{prefix}{name}.")
        else:
            yield prefix + name


SHARED: Mapping[str, Names] = {
    # The recipe's name is the first part of every key.
    "name": names(),
    "task": names(FEATURES),
    "licence": names(),
    "seed": names(MODEL),
    # Rates and lengths.
    "spec.fps": names(CLIPS, FEATURES),
    "spec.sample_rate_hz": names(CLIPS, FEATURES),
    "spec.duration_s": names(CLIPS, MODEL),
    "spec.mel_per_frame": names(FEATURES),
    "spec.n_mels": names(FEATURES),
    # Sources are named for themselves, and clips for their span of a source.
    "collection.catalog": names(),
    "collection.format": names(),
    "collection.columns.source_id": names(),
    "collection.columns.start_s": names(),
    "collection.columns.end_s": names(),
    "collection.columns.duration_s": names(),
    "collection.columns.labels": names(),
    "collection.columns.split": names(),
    "collection.columns.face_x": names(),
    "collection.columns.face_y": names(),
    "collection.label_separator": names(),
    "collection.time_unit": names(),
    "collection.label_table": names(),
    "collection.labels": names(),
    "collection.splits": names(),
    "collection.split_names": names(),
    "collection.sample_per_label": names(),
    "collection.limit": names(),
    "collection.source_url": names(),
    "collection.fetch": names(),
    "collection.section_margin_s": names(),
    "collection.max_height_px": names(),
    "collection.codec": names(),
    "collection.sessions": names(),
    "collection.workers": names(),
    "collection.timeout_s": names(),
    "collection.max_source_bytes": names(),
    "collection.max_bytes_per_s": names(),
    "collection.max_download_s": names(),
    "collection.min_bytes_per_s": names(),
    "collection.private_addresses": names(),
    "collection.sleep_s": names(),
    "collection.cookies_file": names(),
    "collection.proxy": names(),
    "collection.stop_after_blocks": names(),
    # What decides whether a clip can be cut is part of the name of its failure.
    "preprocessing.video": names(CLIPS),
    "preprocessing.no_audio": names(CLIPS),
    "preprocessing.hdr": names(CLIPS),
    "preprocessing.more_wav_hz": names(CLIPS),
    "preprocessing.poster": names(CLIPS),
    "preprocessing.short_side_px": names(CLIPS),
    "preprocessing.crf": names(CLIPS),
    "preprocessing.preset": names(CLIPS),
    "preprocessing.min_duration_s": names(CLIPS),
    # Versions are numbered, and say themselves what is in them.
    "validation.train": names(),
    "validation.val": names(),
    "validation.test": names(),
    "validation.folds": names(),
    "validation.keep_catalog_split": names(),
    "validation.min_loudness_dbfs": names(CHECKS),
    "validation.known_labels": names(),
    "validation.checks.max_clipped_share": names(CHECKS),
    "validation.checks.min_fps": names(CHECKS),
    "validation.checks.min_side_px": names(CHECKS),
    "validation.checks.min_brightness": names(CHECKS),
    "validation.checks.min_motion": names(CHECKS),
    "validation.checks.max_av_offset_s": names(CHECKS),
    "validation.fix": names(),
    "validation.remote_mode": names(),
    "validation.git_remote": names(),
    "feature_extraction.clips_per_shard": names(),
    "feature_extraction.jpegs": names(FEATURES, without=""),
    # How a machine is used names nothing, so that a training goes on on another.
    "training.batch_size": names(MODEL),
    "training.accumulate": names(),
    "training.max_steps": names(MODEL),
    "training.max_minutes": names(MODEL),
    "training.keep": names(MODEL, without="last"),
    "training.patience": names(MODEL, without=None),
    "training.learning_rate": names(MODEL),
    "training.held_out_clips": names(),
    "training.accelerator": names(),
    "training.devices": names(),
    "training.nodes": names(),
    "training.loaders": names(),
    "training.compile": names(),
    "training.precision": names(MODEL, without="auto"),
    "tracking.trackers": names(),
    "tracking.sample_every": names(),
    "tracking.sample_clips": names(),
    "tracking.sample_s": names(),
    "evaluation.clips": names(EVALUATION),
    "evaluation.intervals": names(EVALUATION),
    "evaluation.examples": names(EVALUATION),
    "evaluation.worst": names(EVALUATION),
    "evaluation.groups": names(EVALUATION),
    "evaluation.targets": names(EVALUATION),
    # Each training of a comparison is named as the recipe that it follows.
    "comparison.approaches": names(),
    "comparison.seeds": names(),
    "serving.max_upload_bytes": names(),
    "serving.max_duration_s": names(),
    "serving.note": names(),
    "serving.show_clips": names(),
}
