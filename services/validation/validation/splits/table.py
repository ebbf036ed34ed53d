"""A data set version as a table: clips of each label in each split."""

from collections import Counter

from rich.table import Table

from s2s.dataset import SPLITS, DatasetVersion
from s2s.logs import plural

__all__ = ["split_table"]

_MOST_ROWS = 30


def split_table(version: DatasetVersion) -> Table:
    """Clips by label and split, a row a label; the largest labels where there are many."""
    table = Table(title=f"{version.name}: clips by label and split")
    table.add_column("label")
    for name in (*SPLITS, "all"):
        table.add_column(name, justify="right")
    counts = {
        split: Counter(label for clip in version.split(split) for label in clip.labels)
        for split in SPLITS
    }
    total = sum(counts.values(), Counter[str]())
    for label, number in sorted(total.most_common(_MOST_ROWS)):
        table.add_row(label, *(str(counts[split][label]) for split in SPLITS), str(number))
    if len(total) > _MOST_ROWS:
        more = len(total) - _MOST_ROWS
        table.add_row(f"… {more} more {plural(more, 'label')}", "", "", "", "")
    table.add_section()
    clips = [len(version.split(split)) for split in SPLITS]
    sources = [len({clip.source_id for clip in version.split(split)}) for split in SPLITS]
    for name, numbers in (("clips", clips), ("sources", sources)):
        table.add_row(name, *map(str, numbers), str(sum(numbers)), style="bold")
    return table
