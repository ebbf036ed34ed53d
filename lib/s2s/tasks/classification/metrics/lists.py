"""Lists of others that say something about held-out clips, as files beside the recipe."""

import csv
from pathlib import Path

from s2s.errors import SettingsError
from s2s.tasks.classification.settings.evaluation import MODALITIES

__all__ = ["read_modalities", "read_source_ids"]

_ID_COLUMNS = ("source_id", "youtube_id", "video_id", "YTID")


def read_modalities(path: Path) -> dict[tuple[str, int, str], str]:
    """VGGSounder's table (Zverev et al. 2025): `video_id,label,modality,…`, a label a row.

    Returns:
        by source id, second at which the clip starts, and label, one of `MODALITIES`.

    Raises:
        SettingsError: if it cannot be read, has other columns, or names a clip in another way.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        if not rows:
            raise ValueError("it has no rows")
        return {
            (*_place_of(row["video_id"]), row["label"]): row["modality"]
            for row in rows
            if row["modality"] in MODALITIES
        }
    except (OSError, UnicodeDecodeError, KeyError, ValueError, csv.Error) as error:
        raise SettingsError(
            f"evaluation.modality_table: {path} cannot be read ({error}): it must have the columns "
            "video_id, such as dQw4w9WgXcQ_000030, label and modality, as VGGSounder's table has"
        ) from error


def _place_of(video_id: str) -> tuple[str, int]:
    """The source, and the second at which a clip starts: several clips may be of one source."""
    source_id, _, start_s = video_id.rpartition("_")
    if not source_id:
        raise ValueError(f"{video_id!r} has no start")
    return source_id, int(start_s)


def read_source_ids(path: Path) -> frozenset[str]:
    """Ids of sources: one a line, or in a column of a CSV file.

    The column is the one called `source_id`, `youtube_id`, `video_id` or `YTID`; in a file without
    a header the first.

    Raises:
        SettingsError: if it cannot be read, or is empty.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file) if row and row[0].strip()]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SettingsError(
            f"evaluation.pretraining_list: {path} cannot be read ({error}): it must have the id of "
            "a source a line, or be a CSV file with a column source_id, youtube_id or video_id"
        ) from error
    header = rows[0] if rows else []
    named = [header.index(name) for name in _ID_COLUMNS if name in header]
    column, first = (named[0], 1) if named else (0, 0)
    ids = frozenset(row[column].strip() for row in rows[first:] if len(row) > column)
    if not ids:
        raise SettingsError(
            f"evaluation.pretraining_list: {path} names no source: remove the setting"
        )
    return ids
