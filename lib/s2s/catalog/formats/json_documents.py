"""Catalogs that are one JSON document: Kinetics' and ActivityNet's objects, arrays of rows.

Kinetics has an entry a video, `{id: {"annotations": {"label", "segment"}, "subset"}}`. ActivityNet
has several segments in one: `{"database": {id: {"annotations": [{"label", "segment"}], …}}}`.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

from s2s.catalog.formats.head import HEAD_LINES
from s2s.catalog.formats.rows import CutOff, Row, clip_or_problem, make_clip, unwritable
from s2s.catalog.formats.table import Table
from s2s.catalog.formats.text import open_text
from s2s.catalog.formats.values import label_texts, seconds
from s2s.records import ClipRecord

__all__ = ["ActivityNet", "KineticsJson", "TableJson", "first_keys"]

_KEYS_LOOKED_AT = 20
# No catalog is nested more deeply than six.
_DEEPEST = 100
_OPENS, _CLOSES = ("start_map", "start_array"), ("end_map", "end_array")


class KineticsJson:
    """Kinetics as one JSON object: an entry a video, by its id."""

    name: ClassVar[str] = "kinetics"

    def read(self, path: Path) -> Iterator[Row]:
        """See `CatalogFormat.read`; a row's number is that of the entry."""
        rows = _items(path, lambda ijson, events: ijson.kvitems(events, ""))
        for entry, item in rows:
            yield entry, item if isinstance(item, str) else clip_or_problem(_clip_of_entry, item)

    def write(self, clips: Iterable[ClipRecord], path: Path) -> None:
        """See `CatalogFormat.write`."""
        seen: set[str] = set()
        with path.open("w", encoding="utf-8") as file:
            for clip in clips:
                if clip.source_id in seen:
                    raise unwritable(clip, self.name, "JSON has a place for one clip of a video")
                try:
                    entry = json.dumps(_entry_of_clip(clip))
                except ValueError as error:
                    raise unwritable(clip, self.name, error) from error
                file.write(f"{',' if seen else '{'}\n{json.dumps(clip.source_id)}: {entry}")
                seen.add(clip.source_id)
            file.write("\n}\n" if seen else "{}\n")


class ActivityNet:
    """ActivityNet's JSON: the videos of its `database`, each with its segments."""

    name: ClassVar[str] = "activitynet"

    def read(self, path: Path) -> Iterator[Row]:
        """See `CatalogFormat.read`; a row's number is that of the segment."""
        place = 0
        videos = _items(path, lambda ijson, events: ijson.kvitems(events, "database"))
        for _, item in videos:
            for segment in [item] if isinstance(item, str) else _segments(item):
                place += 1
                is_problem = isinstance(segment, str)
                yield place, segment if is_problem else clip_or_problem(_clip_of_entry, segment)

    def write(self, clips: Iterable[ClipRecord], path: Path) -> None:
        """See `CatalogFormat.write`; the clips are held, as a video's stand together."""
        database: dict[str, dict[str, Any]] = {}
        for clip in clips:
            try:
                entry = _entry_of_clip(clip)
            except ValueError as error:
                raise unwritable(clip, self.name, error) from error
            video = database.setdefault(
                clip.source_id, {"subset": entry["subset"], "url": entry["url"], "annotations": []}
            )
            if video["subset"] != entry["subset"]:
                raise unwritable(clip, self.name, "another clip of its video is in another split")
            video["annotations"].append(entry["annotations"])
        path.write_text(json.dumps({"database": database}, indent=1) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class TableJson:
    """A table as a JSON array: an object a row.

    Attributes:
        table: what the columns mean.
    """

    name: ClassVar[str] = "json"
    table: Table

    def columns(self, path: Path) -> list[str]:
        """Keys of the first rows."""
        rows = islice(_rows(path), HEAD_LINES)
        return list(dict.fromkeys(key for _, row in rows if isinstance(row, dict) for key in row))

    def read(self, path: Path) -> Iterator[Row]:
        """See `CatalogFormat.read`; a row's number is its place."""
        for place, row in _rows(path):
            yield place, row if isinstance(row, str) else clip_or_problem(self.table.clip_of, row)

    def write(self, clips: Iterable[ClipRecord], path: Path) -> None:
        """See `CatalogFormat.write`."""
        with path.open("w", encoding="utf-8") as file:
            start = "[\n"
            for clip in clips:
                file.write(start + json.dumps(self.table.row_of(clip), ensure_ascii=False))
                start = ",\n"
            file.write("\n]\n" if start == ",\n" else "[]\n")


def _rows(path: Path) -> Iterator[tuple[int, Any]]:
    return _items(path, lambda ijson, events: ijson.items(events, "item"))


def first_keys(path: Path) -> set[str]:
    """Some keys of a JSON document's outermost object, and of the first object in it."""
    import ijson  # noqa: PLC0415 - only collection has it

    found: set[str] = set()
    with open_text(path) as file:
        try:
            for prefix, event, value in _events(ijson, file):
                if event == "map_key" and "." not in prefix:
                    found.add(value if not prefix else f".{value}")
                if len(found) >= _KEYS_LOOKED_AT:
                    break
        except (ijson.JSONError, UnicodeDecodeError, RecursionError):
            pass  # what came before it counts
    return found


def _items(path: Path, items: Callable[[Any, Any], Iterable[Any]]) -> Iterator[tuple[int, Any]]:
    """Parts of a document, numbered from 1; where it goes wrong, why, as text."""
    import ijson  # noqa: PLC0415 - only collection has it

    place = 0
    with open_text(path) as file:
        text = _Text(file)
        try:
            for place, item in enumerate(items(ijson, _events(ijson, text)), start=1):
                yield place, {} if isinstance(item, str) else item
        except (ijson.JSONError, UnicodeDecodeError, RecursionError) as error:
            kind = CutOff if text.breaks_off() or "premature EOF" in str(error) else str
            yield place + 1, kind(f"is not JSON from here on: {_what_is_wrong(error)}")


class _Text:
    """A document as it is read, of which the last piece is remembered."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._last = file, b""

    def read(self, size: int) -> bytes:
        piece = self._file.read(size)
        self._last = piece.rstrip() or self._last
        return piece

    def breaks_off(self) -> bool:
        """Whether all was read, and a document cannot end so."""
        return not self._file.read(1) and not self._last.endswith((b"]", b"}"))


def _events(ijson: Any, file: Any) -> Iterator[tuple[str, str, Any]]:
    """What ijson meets in a document, each with its place, down to `_DEEPEST`.

    ijson writes a place out in full: a document of 100 kB that only opens arrays would take 25 GB.

    Raises:
        RecursionError: if it is nested more deeply.
    """

    def not_too_deep() -> Iterator[tuple[str, Any]]:
        depth = 0
        for event in ijson.basic_parse(file, use_float=True):
            if event[0] in _OPENS:
                depth += 1
                if depth > _DEEPEST:
                    raise RecursionError(f"more than {_DEEPEST} arrays and objects in each other")
            elif event[0] in _CLOSES:
                depth -= 1
            yield event

    return ijson.parse(not_too_deep())


def _what_is_wrong(error: Exception) -> str:
    """One line of what ijson says: what follows in its own words points into the text."""
    first, _, excerpt = str(error).strip().partition("\n")
    if "NaN" in excerpt:
        return f"{first} JSON has no NaN: write null (pandas' to_json does)"
    return first


def _segments(item: tuple[str, Any]) -> Iterator[tuple[str, Any] | str]:
    """A video's segments, each as an entry of Kinetics'."""
    source_id, video = item
    annotations = video.get("annotations") if isinstance(video, dict) else None
    if not isinstance(annotations, list) or not annotations:
        yield f"{source_id}: there are no annotations with a segment"
        return
    for annotation in annotations:
        yield source_id, {"annotations": annotation, "subset": video.get("subset")}


def _clip_of_entry(item: tuple[str, Any]) -> ClipRecord:
    source_id, entry = item
    annotations = entry.get("annotations") if isinstance(entry, dict) else None
    segment = annotations.get("segment") if isinstance(annotations, dict) else None
    if annotations is None or not isinstance(segment, list) or len(segment) != 2:
        raise ValueError(f"{source_id}: there is no annotations.segment with a start and an end")
    start_s, end_s = (seconds(value, "segment") for value in segment)
    return make_clip(
        source_id, start_s, end_s, label_texts([annotations.get("label")]), entry.get("subset")
    )


def _entry_of_clip(clip: ClipRecord) -> dict[str, Any]:
    if len(clip.labels) > 1:
        raise ValueError(f"it has {len(clip.labels)} labels, and there is a place for one")
    annotations: dict[str, Any] = {"segment": [clip.start_s, clip.end_s]}
    if clip.labels:
        annotations["label"] = clip.labels[0]
    return {
        "annotations": annotations,
        "duration": clip.duration_s,
        "subset": clip.split or "",
        "url": f"https://www.youtube.com/watch?v={clip.source_id}",
    }
