"""Columns of a table of one's own: are those there that are meant, each once?"""

import re
from collections.abc import Iterable, Mapping, Sequence

from s2s.catalog.formats.published.kinetics import KINETICS_COLUMNS
from s2s.catalog.formats.published.vggsound import VGGSOUNDER_COLUMNS
from s2s.errors import CatalogError
from s2s.settings import ColumnNames

__all__ = ["check_columns", "mapping_meant"]

# What others call these columns, without what stands between words. They are not read: a guess
# that is wrong would cut other clips, and say nothing.
_OTHER_NAMES = {
    "start_s": (
        "start starts startsec startsecs startsecond startseconds starttime starttimes "
        "starttimesec starttimeseconds timestart tstart startat begin begins beginsec begintime "
        "timebegin beginning onset onsets"
    ),
    "end_s": (
        "end ends endsec endsecs endsecond endseconds endtime endtimes endtimesec "
        "endtimeseconds timeend tend endat stop stops stopsec stoptime timestop finish offset"
    ),
    "duration_s": (
        "duration durations durationsec durationsecs durationseconds dur length lengths lengthsec "
        "lengthseconds len clipduration cliplength segmentduration segmentlength"
    ),
    "labels": (
        "label labels labelname labelnames class classes classname classnames classlabel "
        "classlabels category categories tag tags"
    ),
    "split": "split splits splitname set subset subsets partition datasplit datasetsplit",
    "face_x": "facex",
    "face_y": "facey",
}
_SOURCES = (
    "sourceid source videoid ytid youtubeid vid clipid id url link youtubeurl videourl video clip "
    "filename file videoname clipname name path filepath videopath"
)
_PUBLISHED = (set(KINETICS_COLUMNS), set(VGGSOUNDER_COLUMNS))
_BETWEEN_WORDS = re.compile(r"[\W_]+")
_NO_SECONDS = re.compile(r"(ms|msecs?|millis|milliseconds?|frames?)$")
_TIMES = ("start_s", "end_s", "duration_s")


def check_columns(columns: Iterable[str], names: ColumnNames, catalog: str) -> None:
    """Make sure that a table's columns are those that are read.

    Args:
        columns: the table's columns.
        names: how the recipe names them.
        catalog: the table's name, for messages.

    Raises:
        CatalogError: if a column that the recipe names is missing, one that is read comes twice, or
            one is called otherwise that is obviously meant.
    """
    found = list(columns)
    _check_named(found, names, catalog)
    _check_distinct(found, names, catalog)
    _check_other_names(found, names, catalog)


def _check_named(found: Sequence[str], names: ColumnNames, catalog: str) -> None:
    folded = set(map(str.casefold, found))
    wanted = sorted({"source_id"} | names.model_fields_set)
    missing = [c for key in wanted if (c := getattr(names, key)).casefold() not in folded]
    if missing:
        meant = mapping_meant(found, names)
        raise CatalogError(
            f"catalog {catalog}: has no column {missing[0]!r}, it has {', '.join(found)}. "
            "collection.columns of the recipe names the columns"
            + f", times in seconds; they seem to be {meant}"
            * bool(meant)
        )


def _check_distinct(found: Sequence[str], names: ColumnNames, catalog: str) -> None:
    """Names that differ in their case are two columns, if the recipe's is one of them."""
    for name in names.model_dump().values():
        alike = [column for column in found if column.casefold() == name.casefold()]
        if len(alike) > 1 and alike.count(name) != 1:
            raise CatalogError(
                f"catalog {catalog}: has {len(alike)} columns {name!r}, it has {', '.join(found)}. "
                "It is not known which to read: rename one"
            )


def _check_other_names(found: Sequence[str], names: ColumnNames, catalog: str) -> None:
    there = set(map(str.casefold, found))
    if not names.model_fields_set and any(each <= there for each in _PUBLISHED):
        return  # published, and only told to be read as a table of sources
    if meant := _columns_meant(found, names):
        told = {**{key: getattr(names, key) for key in sorted(names.model_fields_set)}, **meant}
        raise CatalogError(
            f"catalog {catalog}: of its columns {', '.join(found)} these would be passed over: "
            f"{', '.join(map(repr, meant.values()))}. Unless the recipe names others, clips are "
            f"made of {', '.join(meant)}. Say which is which, times in seconds: "
            f"{_mapping_of(told)}; or rename one that means something else"
        )


def mapping_meant(found: Iterable[str], names: ColumnNames) -> str:
    """The setting for columns of which none is the source's, as far as it is obvious.

    Returns:
        what a recipe says; empty where no column is obviously meant.
    """
    columns = [column for column in found if column]
    ids = [column for name in _SOURCES.split() for column in columns if _folded(column) == name]
    meant = _columns_meant(columns, names)
    if not ids and not meant:
        return ""
    which = "" if ids else ", with the column that names the source or its video for …"
    return f"{_mapping_of({'source_id': ids[0] if ids else '…', **meant})}{which}"


def _columns_meant(columns: Sequence[str], names: ColumnNames) -> dict[str, str]:
    """Columns that are called otherwise and obviously meant, by our name of each."""
    read = {name.casefold() for name in names.model_dump().values()}
    there = set(map(str.casefold, columns))
    free = [column for column in columns if column.casefold() not in read]
    meant = {
        key: column
        for key, others in _OTHER_NAMES.items()
        if key not in names.model_fields_set and getattr(names, key) not in there
        for column in reversed(free)
        if _NO_SECONDS.sub("", word := _folded(column)) in others.split() or word in others.split()
    }

    def is_known(key: str) -> bool:
        return key in meant or getattr(names, key).casefold() in there

    # By itself, or beside an end, it may be the whole video's.
    if is_known("end_s") or not is_known("start_s"):
        meant.pop("duration_s", None)
    return meant


def _mapping_of(columns: Mapping[str, str]) -> str:
    """The setting that says which column is which, as a recipe has it.

    Of times that are not in seconds, by their column's name, it says what to do with them.
    """
    wrong = [key for key in _TIMES if key in columns and _NO_SECONDS.search(_folded(columns[key]))]
    cells = [f"{key}: {_quoted(column)}" for key, column in columns.items() if key not in wrong]
    made = [f"{key} made of {columns[key]!r}, which by name is not in seconds" for key in wrong]
    mapping = [f"collection.columns: {{{', '.join(cells)}}}"] if cells else []
    return ", and ".join([*mapping, *made])


def _folded(column: str) -> str:
    return _BETWEEN_WORDS.sub("", column.casefold())


def _quoted(column: str) -> str:
    return column if column.isidentifier() else repr(column)
