"""Split manifests as Parquet, for queries."""

from pathlib import Path

__all__ = ["parquet_problem", "write_parquet"]

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
    import duckdb  # noqa: PLC0415 - slow to import, and most commands make no version

    with duckdb.connect(config={"threads": 1}) as database:
        rows = database.read_csv(_literal(manifest), header=True, all_varchar=True)
        columns = ", ".join(_column(name) for name in rows.columns)
        rows.project(columns).write_parquet(str(output), compression="zstd")


def parquet_problem(manifest: Path, stored: Path) -> str:
    """What is wrong with a Parquet file that should have a manifest's rows; empty if nothing.

    Only columns that it has are compared, since an older version may have fewer.

    Args:
        manifest: the CSV.
        stored: the Parquet file.
    """
    import duckdb  # noqa: PLC0415

    with duckdb.connect(config={"threads": 1}) as database:
        try:
            found = database.read_parquet(_literal(stored))
            names = found.columns
            rows = found.fetchall()
        except duckdb.Error as error:
            return f"cannot be read as Parquet ({str(error).splitlines()[0]})"
        written = database.read_csv(_literal(manifest), header=True, all_varchar=True)
        if unknown := set(names) - set(written.columns):
            return f"has columns that no manifest has: {', '.join(sorted(unknown))}"
        if missing := {"clip_id", "labels", "key", "sha256", "wav_sha256"} - set(names):
            return f"lacks columns {', '.join(sorted(missing))}"
        expected = written.project(", ".join(_column(name) for name in names)).fetchall()
    if len(rows) != len(expected):
        return f"has {len(rows)} rows, the manifest as CSV has {len(expected)}"
    differ = sum(one != other for one, other in zip(rows, expected, strict=True))
    return f"{differ} of its rows are not those of the manifest as CSV" if differ else ""


def _literal(path: Path) -> str:
    """A path in which nothing stands for other names."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in str(path))


def _column(name: str) -> str:
    if name == "labels":
        return "CASE WHEN labels IS NULL THEN [] ELSE string_split(labels, '|') END AS labels"
    if name in _TYPES:
        return f'CAST("{name}" AS {_TYPES[name]}) AS "{name}"'
    return f'"{name}"'
