"""What a catalog holds, counted row by row, and what two of them do not agree on."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from s2s.catalog import (
    DistinctNames,
    FormatOptions,
    RowProblem,
    choose_format,
    is_label_table,
    read_label_table,
    read_rows,
)
from s2s.records import ClipRecord

__all__ = ["Difference", "Summary", "compare", "summarize"]

_KEPT_PROBLEMS = 20


@dataclass
class Summary:
    """What a catalog holds.

    Attributes:
        path: the file.
        layout: its format.
        n_clips: rows that are a clip.
        n_sources: different sources.
        n_problems: rows that are none.
        problems: the first of them.
        labels: clips of each label.
        splits: clips of each split; "" for none.
        duration_s: length of all clips.
        n_dashes: sources whose id starts with a dash.
    """

    path: Path
    layout: str
    n_clips: int = 0
    n_sources: int = 0
    n_problems: int = 0
    problems: list[RowProblem] = field(default_factory=list)
    labels: Counter[str] = field(default_factory=Counter)
    splits: Counter[str] = field(default_factory=Counter)
    duration_s: float = 0.0
    n_dashes: int = 0

    @property
    def n_rows(self) -> int:
        """All rows: clips and problems, or labels where there is nothing else."""
        return self.n_clips + self.n_problems or len(self.labels)


def summarize(path: Path, options: FormatOptions) -> Summary:
    """Count what a catalog holds; memory does not grow with its rows.

    AudioSet's table of labels has no clips: its labels are counted.

    Raises:
        CatalogError: if the file is in no format that is known.
    """
    if options.format == "auto" and is_label_table(path):
        names = read_label_table(path)
        return Summary(path, "audioset label table", labels=Counter(names.values()))
    layout = choose_format(path, str(path), options)
    summary = Summary(path, layout.name)
    with closing(DistinctNames()) as sources:
        for row in read_rows(path, layout):
            if isinstance(row, RowProblem):
                summary.n_problems += 1
                if len(summary.problems) < _KEPT_PROBLEMS:
                    summary.problems.append(row)
                continue
            summary.n_clips += 1
            summary.duration_s += row.duration_s
            summary.labels.update(row.labels)
            summary.splits[row.split or ""] += 1
            if sources.first_line(row.source_id, summary.n_clips) == summary.n_clips:
                summary.n_dashes += row.source_id.startswith("-")
        summary.n_sources = len(sources)
    return summary


@dataclass(frozen=True)
class Difference:
    """What two catalogs do not agree on.

    Attributes:
        n_both: clips of both.
        only_first: clips of the first alone.
        only_second: clips of the second alone.
        n_relabelled: clips of both that have other labels in each; a list without labels has none.
    """

    n_both: int
    only_first: int
    only_second: int
    n_relabelled: int

    @property
    def is_none(self) -> bool:
        """Whether they agree."""
        return not (self.only_first or self.only_second or self.n_relabelled)


def compare(first: Path, second: Path, options: FormatOptions) -> Difference:
    """Compare the clips of two catalogs, whatever their formats; those of the first are held.

    Raises:
        CatalogError: if one is in no format that is known.
    """
    labels_in_first = {clip.clip_id: clip.labels for clip in _clips(first, options)}
    n_first = len(labels_in_first)
    only_second = n_relabelled = 0
    for clip in _clips(second, options):
        labels = labels_in_first.pop(clip.clip_id, None)
        only_second += labels is None
        n_relabelled += bool(labels and clip.labels and labels != clip.labels)
    n_both = n_first - len(labels_in_first)
    return Difference(n_both, len(labels_in_first), only_second, n_relabelled)


def _clips(path: Path, options: FormatOptions) -> Iterator[ClipRecord]:
    for row in read_rows(path, choose_format(path, str(path), options)):
        if not isinstance(row, RowProblem):
            yield row
