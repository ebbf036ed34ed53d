"""Reading a catalog of two million rows: seconds, and the most memory that it takes.

    python benchmarks/catalog_memory.py [--rows 2000000]

Each reader is a process of its own: all rows of a catalog in VGGSound's format, 100 clips of each
label, what `./s2s catalog` counts, what collection does before it downloads.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

N_LABELS = 300


def write_catalog(path: Path, n_rows: int) -> None:
    """Write a catalog in VGGSound's format; two rows a source."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(n_rows):
            source_id = f"-{number // 2:010x}"
            label = f'"label {number % N_LABELS}, with a comma"'
            file.write(f"{source_id},{number % 2 * 30},{label},{'test' * (number % 9 == 0)}\n")


def read_all(path: Path) -> int:
    """Read every row and keep none."""
    from s2s.catalog import FormatOptions, choose_format, read_rows  # noqa: PLC0415

    return sum(1 for _ in read_rows(path, choose_format(path, path.name, FormatOptions())))


def read_sample(path: Path) -> int:
    """Read every row and keep some clips of each label."""
    from s2s.catalog import (  # noqa: PLC0415
        FormatOptions,
        RowProblem,
        choose_format,
        read_rows,
        select_clips,
    )
    from s2s.tasks.generation.settings import GenerationRecipe  # noqa: PLC0415

    collection = {"catalog": path.name, "sample_per_label": 100}
    recipe = GenerationRecipe.model_validate({"name": "r", "collection": collection})
    rows = read_rows(path, choose_format(path, path.name, FormatOptions()))
    clips = (row for row in rows if not isinstance(row, RowProblem))
    return len(list(select_clips(clips, recipe)))


def take_in(path: Path) -> int:
    """Take the catalog in as collection does, with a limit, and read it as later stages do."""
    from collection.selected_clips import select_from_catalog  # noqa: PLC0415
    from s2s.catalog import stored_catalog  # noqa: PLC0415
    from s2s.settings import Settings  # noqa: PLC0415
    from s2s.storage import DirectoryBucket  # noqa: PLC0415
    from s2s.tasks.generation.settings import GenerationRecipe  # noqa: PLC0415

    collection = {"catalog": path.name, "limit": 100}
    bucket = DirectoryBucket(path.parent / "bucket")
    settings = Settings(
        recipe=GenerationRecipe.model_validate({"name": "r", "collection": collection}),
        recipe_path=path.with_name("r.yaml"),
        bucket_url=bucket.url,
    )
    select_from_catalog(settings, bucket, path.parent)
    return len(stored_catalog(bucket, settings.recipe).clips)


def summarize(path: Path) -> int:
    """Count what `./s2s catalog` shows."""
    from launcher.commands.catalog.summary import summarize as count  # noqa: PLC0415
    from s2s.catalog import FormatOptions  # noqa: PLC0415

    return count(path, FormatOptions()).n_sources


READERS = {
    "all rows": read_all,
    "100 clips a label": read_sample,
    "./s2s catalog": summarize,
    "collection --limit 100": take_in,
}


def main() -> None:
    """Measure every reader in a process of its own, or be one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--reader", choices=READERS)
    parser.add_argument("--file", type=Path)
    options = parser.parse_args()
    if options.reader:
        started = time.process_time()
        found = READERS[options.reader](options.file)
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(found, round(time.process_time() - started, 2), round(peak_mb))
        return
    table = Table("reader", "found", "CPU s", "peak MB", title=f"{options.rows:,} rows")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "catalog.csv"
        write_catalog(path, options.rows)
        for reader in READERS:
            command = [sys.executable, __file__, "--reader", reader, "--file", str(path)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            table.add_row(reader, *done.stdout.split())
    Console().print(table)


if __name__ == "__main__":
    main()
