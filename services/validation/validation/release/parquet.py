"""Split manifests as Parquet, for those who query them."""

from pathlib import Path

import duckdb

__all__ = ["write_parquet"]

_TYPES = {
    "start_s": "DOUBLE",
    "end_s": "DOUBLE",
    "size": "BIGINT",
    "wav_size": "BIGINT",
    "fold": "INTEGER",
    "duration_s": "DOUBLE",
    "fps": "DOUBLE",
    "width": "INTEGER",
    "height": "INTEGER",
    "loudness_dbfs": "DOUBLE",
    "mean_dbfs": "DOUBLE",
    "face_x": "DOUBLE",
    "face_y": "DOUBLE",
}


def write_parquet(manifest: Path, output: Path) -> None:
    """Write a manifest's rows as Parquet, in their order; labels become a list.

    Args:
        manifest: the CSV.
        output: the Parquet file.
    """
    with duckdb.connect(config={"threads": 1}) as database:
        rows = database.read_csv(str(manifest), header=True, all_varchar=True)
        columns = ", ".join(_column(name) for name in rows.columns)
        rows.project(columns).write_parquet(str(output), compression="zstd")


def _column(name: str) -> str:
    if name == "labels":
        return "CASE WHEN labels IS NULL THEN [] ELSE string_split(labels, '|') END AS labels"
    if name in _TYPES:
        return f'CAST("{name}" AS {_TYPES[name]}) AS "{name}"'
    return f'"{name}"'
