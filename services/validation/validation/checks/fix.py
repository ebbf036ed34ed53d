"""What `--fix` does: cut files of clips that are of no use are removed or put aside.

Sources are never touched, nor are files that a data set version names. What was fixed is recorded
among preprocessing's failures, so that it is not cut again; `--retry-failed` there cuts it anyway.
"""

import tempfile
from collections.abc import Iterable
from pathlib import Path

from s2s.errors import ObjectNotFoundError
from s2s.layout import failure_key, processed_prefix, quarantine_prefix
from s2s.reasons import Status
from s2s.records import Outcome
from s2s.settings import Recipe
from s2s.storage import Bucket

__all__ = ["fix_clips"]


def fix_clips(bucket: Bucket, recipe: Recipe, outcomes: Iterable[Outcome], folder: Path) -> int:
    """Remove, or put aside, the cut files of clips.

    Args:
        bucket: where they are.
        recipe: its `validation.checks.fix` says what to do.
        outcomes: of clips that are of no use and in no version.
        folder: for temporary files.

    Returns:
        how many clips were fixed.
    """
    prefix, number = processed_prefix(recipe), 0
    for outcome in outcomes:
        message = f"validation put it out ({recipe.validation.fix}): {outcome.message}"
        failure = outcome.model_copy(update={"status": Status.FAILED, "message": message})
        key = failure_key(prefix, outcome.clip_id)
        bucket.write(key, failure.model_dump_json().encode(), overwrite=True)
        for suffix in (".mp4", ".wav"):
            name = outcome.clip_id + suffix
            if recipe.validation.fix == "quarantine":
                _copy(bucket, prefix + name, quarantine_prefix(recipe) + name, folder)
            bucket.delete(prefix + name)
        number += 1
    return number


def _copy(bucket: Bucket, key: str, target: str, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        path = Path(scratch, "file")
        try:
            bucket.download(key, path)
        except ObjectNotFoundError:
            return  # an earlier run was killed after it had removed this one
        bucket.upload(path, target, overwrite=True)
