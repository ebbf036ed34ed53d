"""What a data set version holds: usable clips, each with its split and its checksums."""

from collections.abc import Iterable, Mapping, Sequence

from s2s.dataset import SPLITS, DatasetClip, DatasetVersion
from s2s.layout import processed_prefix
from s2s.records import ClipRecord
from s2s.settings import Recipe
from s2s.storage import Bucket
from validation.checks import read_checks
from validation.split import (
    assign_splits,
    empty_splits,
    held_out_sources,
    shares_left,
    shares_of,
    source_labels,
)

__all__ = ["arrange", "count_sources", "remarks"]

_FILES = {"key", "size", "crc32c", "sha256", "wav_key", "wav_size", "wav_crc32c", "wav_sha256"}


def arrange(
    bucket: Bucket,
    recipe: Recipe,
    clips: Iterable[ClipRecord],
    newest: DatasetVersion | None,
    just_checked: Iterable[str],
) -> dict[str, tuple[DatasetClip, ...]]:
    """Split clips, and look up the checksums of their files.

    Args:
        bucket: where the checks are.
        recipe: what to split by.
        clips: usable clips.
        newest: the version whose clips keep their splits.
        just_checked: ids of clips whose checks are new.
    """
    records = sorted(clips, key=lambda clip: clip.clip_id)
    before = [clip for split in SPLITS for clip in newest.split(split)] if newest else []
    splits = _splits(recipe, records, {clip.source_id: clip.split for clip in before})
    # Objects are written once, so what a version says of a file stays true: no need to read a
    # hundred thousand checks again.
    prefix, new = processed_prefix(recipe), set(just_checked)
    files = {
        clip.clip_id: clip.model_dump(include=_FILES)
        for clip in before
        if clip.key.startswith(prefix) and clip.clip_id not in new
    }
    missing = [record.clip_id for record in records if record.clip_id not in files]
    files |= {
        clip_id: check.model_dump(include=_FILES)
        for clip_id, check in read_checks(bucket, recipe, missing).items()
    }
    rows = [
        DatasetClip.model_validate(
            record.model_dump(include={"source_id", "start_s", "end_s", "labels"})
            | {"clip_id": record.clip_id, "split": splits[record.source_id]}
            | files[record.clip_id]
        )
        for record in records
    ]
    return {split: tuple(row for row in rows if row.split == split) for split in SPLITS}


def _splits(
    recipe: Recipe, clips: Sequence[ClipRecord], placed: Mapping[str, str]
) -> dict[str, str]:
    """A split for each source; a placed one keeps its own whatever the catalog says now."""
    shares = shares_of(recipe.validation.train, recipe.validation.val)
    labels = source_labels(clips)
    kept = held_out_sources(clips) if recipe.validation.keep_catalog_split else {}
    others = {source: label for source, label in labels.items() if source not in kept}
    splits = assign_splits(others, shares_left(shares, kept.values()), recipe.seed, placed)
    return splits | kept | {source: placed[source] for source in kept if source in placed}


def count_sources(clips: Mapping[str, Iterable[DatasetClip]]) -> dict[str, int]:
    """Sources in each split."""
    return {split: len({clip.source_id for clip in clips[split]}) for split in SPLITS}


def remarks(recipe: Recipe, clips: Mapping[str, Iterable[DatasetClip]]) -> list[str]:
    """What a user should know of the splits, in sentences."""
    splits = {clip.source_id: split for split in SPLITS for clip in clips[split]}
    empty = empty_splits(splits, shares_of(recipe.validation.train, recipe.validation.val))
    return [
        f"{len(splits)} source(s) are too few for all splits: {split} has none. More clips of "
        "these sources do not help, clips of other sources do"
        for split in empty
    ]
