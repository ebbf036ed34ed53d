"""From a file to the format that it is in: said, or found from its first rows."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from s2s.catalog.formats.advice import advice_on
from s2s.catalog.formats.columns import check_columns
from s2s.catalog.formats.fitting import are_most, count_fitting
from s2s.catalog.formats.folders import SplitFolders
from s2s.catalog.formats.head import (
    DELIMITERS,
    HEAD_LINES,
    PARQUET,
    Head,
    check_first_rows,
    check_whole,
    is_row,
)
from s2s.catalog.formats.json_documents import ActivityNet, KineticsJson, TableJson, first_keys
from s2s.catalog.formats.published.audioset import AVE, LABEL_TABLE_COLUMNS, AudioSet
from s2s.catalog.formats.published.avspeech import AVSpeech
from s2s.catalog.formats.published.kinetics import KINETICS_COLUMNS, FileList, KineticsCsv
from s2s.catalog.formats.published.vas import VAS
from s2s.catalog.formats.published.vggsound import (
    VGGSOUNDER_COLUMNS,
    VGGSound,
    VGGSounder,
    VGGSoundFiles,
)
from s2s.catalog.formats.rows import CatalogFormat, LineFormat
from s2s.catalog.formats.table import FormatOptions, TableCsv, TableJsonLines, TableParquet
from s2s.catalog.formats.text import numbered_lines
from s2s.errors import CatalogError
from s2s.records import ClipRecord

__all__ = ["choose_format", "is_label_table"]

_SAY_IT = "Say which with collection.format in the recipe, or --format"


def choose_format(path: Path, name: str, options: FormatOptions) -> CatalogFormat:
    """Choose the format that a file is in.

    Args:
        path: the file.
        name: what it is called, for messages.
        options: the format's name, if it is said, and what it needs.

    Raises:
        CatalogError: if the file is empty or has a header alone, is in no format that is known,
            could be in several, lacks a column that the recipe names, has times that seem to be
            milliseconds, or is cut off in its first rows.
    """
    head = Head.of(path, name)
    layout = _with_splits(_choose(head, options), head, options)
    check_first_rows(
        layout, path, name, duration_s=None if options.time_unit == "s" else options.duration_s
    )
    return layout


def _choose(head: Head, options: FormatOptions) -> CatalogFormat:
    name = head.name
    if not head.filled:
        raise CatalogError(
            f"catalog {name} is empty: it needs a row for each clip. Was its download cut short? "
            "Fetch it again"
        )
    if options.format != "auto":
        return _SAID[options.format](head, options)
    if _is_label_table(head):
        raise CatalogError(
            f"catalog {name}: is AudioSet's table of labels, which lists no clip. Name it in "
            "collection.label_table, and the segments' file in collection.catalog"
        )
    found = _by_content(head, options) or _by_rows(head, options)
    if len(found) == 1:
        return found[0]
    names = " and ".join(dict.fromkeys(each.name for each in found))
    raise CatalogError(f"catalog {name}: could be {names}. {_SAY_IT}")


def _with_splits(layout: CatalogFormat, head: Head, options: FormatOptions) -> CatalogFormat:
    """A list of files knows splits' folders as the recipe does.

    Where splits are to be kept, all of its paths are looked at for where these folders stand.
    """
    if not isinstance(layout, FileList | VAS | VGGSoundFiles):
        return layout
    splits = SplitFolders(options.split_names)
    if options.keep_splits:
        lines = (line for _, line in numbered_lines(head.path) if line.strip())
        splits = SplitFolders.of_paths(map(layout.folders_of, lines), options.split_names)
    return replace(layout, splits=splits)


def is_label_table(path: Path) -> bool:
    """Whether a file is AudioSet's table of labels."""
    return _is_label_table(Head.of(path, str(path)))


def _is_label_table(head: Head) -> bool:
    return tuple(map(str.casefold, head.columns())) == LABEL_TABLE_COLUMNS


def _by_content(head: Head, options: FormatOptions) -> list[CatalogFormat]:
    """Formats that can be told by how they begin: a signature, an object, a header."""
    if head.start == PARQUET:
        return [TableParquet(options.table)]
    if head.start[:1] in {b"{", b"["}:
        return [_json(head, options)]
    if AVE.begins_with(head.first):
        return [AVE()]
    found: list[CatalogFormat] = []
    if header := head.header(KINETICS_COLUMNS):
        found.append(KineticsCsv(*header))
    if header := head.header(VGGSOUNDER_COLUMNS):
        found.append(VGGSounder(options.duration_s, *header))
    if header := head.header((options.columns.source_id,)):
        found.append(TableCsv(options.table, *header) if found else _csv(head, options))
    return found


def _json(head: Head, options: FormatOptions) -> CatalogFormat:
    """The format of a file that begins as JSON does.

    Raises:
        CatalogError: if it is JSON of another shape.
    """
    if head.start.startswith(b"["):
        return _json_array(head, options)
    if head.keys and (len(head.filled) > 1 or is_row(head.first, options.columns.source_id)):
        return _json_lines(head, options)
    return _checked(head, ActivityNet() if "database" in first_keys(head.path) else KineticsJson())


def _checked(head: Head, layout: CatalogFormat) -> CatalogFormat:
    """Make sure that most of the first rows are in a format that is told by its first letter.

    Raises:
        CatalogError: if they are not.
    """
    numbered = list(islice(layout.read(head.path), HEAD_LINES))
    check_whole(numbered, head.name)
    rows = [row for _, row in numbered]
    n_fitting = sum(isinstance(row, ClipRecord) for row in rows)
    if n_fitting and are_most(n_fitting, len(rows)):
        return layout
    why = next((f" The first that cannot: {row}." for row in rows if isinstance(row, str)), "")
    keys = ", ".join(sorted(key.strip(".") for key in first_keys(head.path))[:8])
    raise CatalogError(
        f"catalog {head.name}: is JSON, but no catalog that is known: {n_fitting} of its first "
        f"{len(rows)} rows can be read as {layout.name}.{why} Keys in it: {keys or 'none'}. "
        "Kinetics' JSON is {id: {annotations: {label, segment}, subset}}, ActivityNet's has a "
        "database; a table of your own is an array of objects, or JSON Lines, its columns named "
        "in collection.columns"
    )


def _by_rows(head: Head, options: FormatOptions) -> list[CatalogFormat]:
    """Formats without a header: those that most of the first rows are in.

    Raises:
        CatalogError: if there is none.
    """
    formats = list(_headless(head, options))
    n_fitting = [count_fitting(each, head.lines) for each in formats]
    most = max(n_fitting)
    best = formats[n_fitting.index(most)]
    # As that format counts them: a quoted cell may go over several lines.
    n_rows = sum(1 for _ in best.rows(head.lines))
    if most and are_most(most, n_rows):
        return [each for each, n in zip(formats, n_fitting, strict=True) if n == most]
    nearly = f" {most} of its first {n_rows} rows can be read as {best.name}." if most else ""
    number, line = head.filled[0]
    of_ones_own = "for a table of your own name its columns in collection.columns"
    why = advice_on(head, options) or f"Is it a web page, or cut short? {_SAY_IT}; {of_ones_own}"
    raise CatalogError(
        f"catalog {head.name}: is in none of the formats that are known "
        f"({', '.join(sorted(_SAID))}). Line {number}: {line[:60].decode('utf-8', 'replace')!r}."
        f"{nearly} {why}"
    )


def _headless(head: Head, options: FormatOptions) -> Iterator[LineFormat]:
    for delimiter in DELIMITERS:
        yield VGGSound(options.duration_s, delimiter)
        yield VGGSoundFiles(options.duration_s, delimiter)
        yield AVSpeech(delimiter)
        yield AudioSet(options.label_names, delimiter)
    yield AVE(has_header=False)
    yield _file_list(head)
    yield VAS(options.duration_s)


def _file_list(head: Head) -> FileList:
    return FileList.of_lines(line for _, line in head.filled)


def _csv(head: Head, options: FormatOptions) -> TableCsv:
    columns, delimiter = head.header((options.columns.source_id,)) or (head.columns(), ",")
    try:
        check_columns(columns, options.columns, head.name)
    except CatalogError as error:
        is_told = "collection.columns: {" in str(error)
        advice = "" if is_told else advice_on(head, options)
        raise CatalogError(f"{error}{'. ' * bool(advice)}{advice}") from error
    return TableCsv(options.table, columns, delimiter)


def _json_array(head: Head, options: FormatOptions) -> CatalogFormat:
    layout = TableJson(options.table)
    if columns := layout.columns(head.path):
        check_columns(columns, options.columns, head.name)
    return _checked(head, layout)


def _json_lines(head: Head, options: FormatOptions) -> TableJsonLines:
    check_columns(head.keys, options.columns, head.name)
    return TableJsonLines(options.table)


def _kinetics(head: Head, options: FormatOptions) -> CatalogFormat:  # noqa: ARG001
    if head.start.startswith(b"{"):
        return _checked(head, KineticsJson())
    if header := head.header(KINETICS_COLUMNS):
        return KineticsCsv(*header)
    if count_fitting(_file_list(head), head.lines):
        return _file_list(head)
    raise CatalogError(
        f"catalog {head.name}: a catalog of Kinetics begins with a header that names "
        f"{', '.join(KINETICS_COLUMNS)}; this one begins with {head.first[:60]!r}"
    )


def _vggsounder(head: Head, options: FormatOptions) -> VGGSounder:
    header = head.header(VGGSOUNDER_COLUMNS)
    if header is None:
        raise CatalogError(
            f"catalog {head.name}: VGGSounder's table begins with a header that names "
            f"{', '.join(VGGSOUNDER_COLUMNS)}; this one begins with {head.first[:60]!r}"
        )
    return VGGSounder(options.duration_s, *header)


def _most_fitting(head: Head, *formats: LineFormat) -> LineFormat:
    """Of a format's forms the one that most rows are in; the first where none is."""
    return max(formats, key=lambda each: count_fitting(each, head.lines))


def _vggsound(head: Head, options: FormatOptions) -> LineFormat:
    kinds = (VGGSound, VGGSoundFiles)
    return _most_fitting(
        head, *(kind(options.duration_s, each) for kind in kinds for each in DELIMITERS)
    )


_SAID: dict[str, Callable[[Head, FormatOptions], CatalogFormat]] = {
    "activitynet": lambda head, _: _checked(head, ActivityNet()),
    "audioset": lambda head, options: _most_fitting(
        head, *(AudioSet(options.label_names, each) for each in DELIMITERS)
    ),
    "ave": lambda head, _: AVE(has_header=AVE.begins_with(head.first)),
    "avspeech": lambda head, _: _most_fitting(head, *map(AVSpeech, DELIMITERS)),
    "csv": _csv,
    "json": _json_array,
    "jsonl": _json_lines,
    "kinetics": _kinetics,
    "parquet": lambda _, options: TableParquet(options.table),
    "vas": lambda _, options: VAS(options.duration_s),
    "vggsound": _vggsound,
    "vggsounder": _vggsounder,
}
