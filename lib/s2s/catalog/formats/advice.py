"""What is said of a file that is in no format: what it seems to be, and what to do."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from s2s.catalog.formats.columns import mapping_meant
from s2s.catalog.formats.fitting import are_most, count_fitting, is_number
from s2s.catalog.formats.head import DELIMITERS, Head
from s2s.catalog.formats.published.audioset import AudioSet
from s2s.catalog.formats.published.avspeech import AVSpeech
from s2s.catalog.formats.published.vggsound import VGGSound
from s2s.catalog.formats.table import FormatOptions
from s2s.catalog.formats.text import cells_of
from s2s.catalog.formats.values import seconds, source_id_of
from s2s.catalog.splits import known_split

__all__ = ["advice_on"]

# What some put between cells, and is not read: labels may hold it.
_OTHER_SEPARATORS = {" ": "spaces", ":": "colons", "^": "'^'"}
_READ = "commas, tabs, semicolons or '|'"
_YOUTUBE_ID = re.compile(r"[A-Za-z0-9_-]{11}")
_QUOTED = re.compile(rb'"[^"]*"')
_ANY_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_FILE = re.compile(
    r"(.*/)?[^/]+\.(3gp|avi|flv|m4v|mkv|mov|mp4|mpe?g|ogv|ts|webm|wmv)(\s+[0-9]+)?",
    re.IGNORECASE,
)


def advice_on(head: Head, options: FormatOptions) -> str:
    """A sentence on a file whose rows are in no format; empty where nothing can be told."""
    rows = _rows(head)
    return (
        _on_returns(head)
        or _on_separators(head, options)
        or _on_names(rows, options)
        or _on_files(rows)
        or _on_lost_header(rows, options)
    )


def _on_returns(head: Head) -> str:
    """What is said of a file with a carriage return in the middle of a row."""
    for number, line in head.filled:
        if b"\r" in _QUOTED.sub(b"", line):
            return (
                f"Line {number} has a carriage return in the middle: put a space in its place, or "
                "the end of a line"
            )
    return ""


def _on_separators(head: Head, options: FormatOptions) -> str:
    """What is said of a file that would fit with another character between its cells."""
    for separator, called in _OTHER_SEPARATORS.items():
        if not any(separator.encode() in line for _, line in head.filled):
            continue
        lines = [
            (at, re.sub(re.escape(separator.encode()) + b"+", b",", line))
            for at, line in head.filled
        ]
        other = replace(head, lines=lines)
        ids = (("youtube_id",), ("video_id",), (options.columns.source_id,))
        layouts = (VGGSound(options.duration_s), AVSpeech(), AudioSet(options.label_names))
        fits = (are_most(count_fitting(each, lines), len(lines)) for each in layouts)
        has_header = any(other.header(each) and not head.header(each) for each in ids)
        if has_header or any(fits):
            return f"Its cells seem to be separated by {called}: put {_READ} between them"
    return ""


def _rows(head: Head) -> list[list[str]]:
    """The first rows as cells, separated by what makes most of them equally wide."""
    tables = [[cells_of(line, each) for _, line in head.filled] for each in DELIMITERS]
    return max(tables, key=_n_even)


def _n_even(rows: Sequence[Sequence[str]]) -> int:
    """How many rows have the most frequent width, if that is not one."""
    width, n_rows = Counter(map(len, rows)).most_common(1)[0]
    return n_rows if width > 1 else 0


def _on_names(rows: list[list[str]], options: FormatOptions) -> str:
    """What is said of a first line that names columns, and not the source's."""
    first = [cell for cell in rows[0] if cell]
    meant = mapping_meant(first, options.columns)
    if not meant or any(map(is_number, first)):
        return ""
    return (
        f"Its first line seems to name columns, {', '.join(first)}, and none is "
        f"{options.columns.source_id}. Say in the recipe which is which, times in seconds: {meant}"
    )


def _on_files(rows: list[list[str]]) -> str:
    """What is said of a list of files that are not named for clips."""
    names = [row[0].replace("\\", "/") for row in rows]
    if not are_most(sum(map(bool, map(_FILE.fullmatch, names))), len(names)):
        return ""
    return (
        "Its rows are names of files, and those are not named for their clip, as "
        "<id>_000001_000011.mp4 is. The folder with the files is a catalog itself: "
        "collection: {catalog: FOLDER, format: folder}, where a folder's name is the label, and "
        "train, val or test above it the split"
    )


def _on_lost_header(rows: list[list[str]], options: FormatOptions) -> str:
    """What is said of a table without a first line that names its columns."""
    width = Counter(map(len, rows)).most_common(1)[0][0]
    whole = [row for row in rows if len(row) == width]
    columns = [[row[place] for row in whole] for place in range(width)]
    place = _place_of_ids(columns)
    if place is None:
        return ""
    names = _names_for(columns, place, options)
    untold = [] if options.columns.start_s in names else ["starts at 0"]
    if options.columns.end_s not in names:
        untold.append("lasts spec.duration_s")
    clips = f"; a clip {' and '.join(untold)}" if untold else ", times in seconds"
    return (
        "It seems to have no first line that names its columns. If its cells mean that, put this "
        f"line in front: {','.join(names)}{clips}"
    )


def _place_of_ids(columns: Sequence[Sequence[str]]) -> int | None:
    """The column that names the sources: with YouTube's ids or URLs, else the most different."""
    places = [place for place, cells in enumerate(columns) if _most(_is_youtube, cells)]
    if not places and len(columns) > 1:
        places = [
            place
            for place, cells in enumerate(columns)
            if _most(_ANY_ID.fullmatch, cells) and not _most(is_number, cells)
        ]
    return max(places, key=lambda place: len(set(columns[place])), default=None)


def _names_for(
    columns: Sequence[Sequence[str]], place_of_ids: int, options: FormatOptions
) -> list[str]:
    """A name for each column, by what is in it."""
    free = {key: getattr(options.columns, key) for key in ("start_s", "end_s", "split", "labels")}
    names: list[str] = []
    for place, cells in enumerate(columns):
        if place == place_of_ids:
            names.append(options.columns.source_id)
            continue
        if _most(_is_time, cells):
            kinds = ["start_s", "end_s"]
        else:
            kinds = ["split"] if _most(known_split, cells) else ["labels"]
        key = next((key for key in kinds if key in free), None)
        names.append(free.pop(key) if key else f"column_{place + 1}")
    return names


def _most(is_one: Callable[[str], object], cells: Sequence[str]) -> bool:
    return are_most(sum(bool(is_one(cell)) for cell in cells), len(cells))


def _is_youtube(cell: str) -> bool:
    if _YOUTUBE_ID.fullmatch(cell):
        return True
    try:
        return source_id_of(cell) != cell
    except ValueError:
        return False


def _is_time(cell: str) -> bool:
    try:
        seconds(cell, "time")
    except ValueError:
        return is_number(cell)
    return True
