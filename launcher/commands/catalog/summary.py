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
    known_split,
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
        odd_splits: of a list's few clips with a split that is not known, the splits; they may be
            the rest of a label with a comma.
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
    odd_splits: list[str] = field(default_factory=list)
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
    summary.odd_splits = _odd_splits(summary.splits, options)
    return summary


def _odd_splits(splits: Counter[str], options: FormatOptions) -> list[str]:
    unknown = [name for name in splits if name and not known_split(name, options.split_names)]
    n_clips = sum(splits[name] for name in unknown)
    return sorted(unknown) if 2 * n_clips < splits.total() else []


@dataclass(frozen=True)
class Difference:
    """What two catalogs do not agree on.

    Attributes:
        n_both: clips of both.
        only_first: clips of the first alone.
        only_second: clips of the second alone.
        n_relabelled: clips of both that have other labels in each; a list without labels has none.
        n_moved: clips of both that have another split in each; a list without splits has none.
    """

    n_both: int
    only_first: int
    only_second: int
    n_relabelled: int
    n_moved: int

    @property
    def is_none(self) -> bool:
        """Whether they agree."""
        return not (self.only_first or self.only_second or self.n_relabelled or self.n_moved)


def compare(first: Path, second: Path, options: FormatOptions) -> Difference:
    """Compare the clips of two catalogs, whatever their formats; those of the first are held.

    Raises:
        CatalogError: if one is in no format that is known.
    """
    in_first = {clip.clip_id: (clip.labels, clip.split) for clip in _clips(first, options)}
    n_first = len(in_first)
    only_second = n_relabelled = n_moved = 0
    has_labels = [any(labels for labels, _ in in_first.values()), False]
    has_splits = [any(split for _, split in in_first.values()), False]
    for clip in _clips(second, options):
        has_labels[1] |= bool(clip.labels)
        has_splits[1] |= bool(clip.split)
        known = in_first.pop(clip.clip_id, None)
        if known is None:
            only_second += 1
            continue
        labels, split = known
        n_relabelled += labels != clip.labels
        n_moved += not _is_same(split, clip.split, options)
    return Difference(
        n_both=n_first - len(in_first),
        only_first=len(in_first),
        only_second=only_second,
        n_relabelled=n_relabelled * all(has_labels),
        n_moved=n_moved * all(has_splits),
    )


def _is_same(split: str | None, other: str | None, options: FormatOptions) -> bool:
    """Whether two splits are one, however they are spelled."""
    known = known_split(split, options.split_names)
    if known is None:
        return (split or "").casefold() == (other or "").casefold()
    return known == known_split(other, options.split_names)


def _clips(path: Path, options: FormatOptions) -> Iterator[ClipRecord]:
    for row in read_rows(path, choose_format(path, str(path), options)):
        if not isinstance(row, RowProblem):
            yield row
