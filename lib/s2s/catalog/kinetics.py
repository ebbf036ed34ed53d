"""Kinetics' catalogs: CSV with a header, JSON, and lists of file names.

CSV has the columns `label,youtube_id,time_start,time_end,split` and in Kinetics-400 `is_cc`; files
for testing have no label. JSON is one object with an entry a video. A list has a file name a line,
`<label>/<id>_<start, 6 digits>_<end, 6 digits>.mp4`, with or without a label in front of it or a
class number behind it.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from s2s.catalog.labels import folder_name, label_of_folder
from s2s.catalog.rows import (
    LineFormat,
    Row,
    clip_or_problem,
    make_clip,
    number,
    seconds,
    split_line,
    unwritable,
)
from s2s.records import ClipRecord

__all__ = ["KINETICS_COLUMNS", "KineticsCsv", "KineticsJson", "KineticsList"]

KINETICS_COLUMNS = ("youtube_id", "time_start", "time_end")
_ALL_COLUMNS = ("label", *KINETICS_COLUMNS, "split", "is_cc")
_NEEDS_QUOTES = re.compile(r'[ ,"]')
_FILE_NAME = re.compile(
    r"((?P<label>[^/]+)/)?(?P<id>[A-Za-z0-9_-]{11})_(?P<start>\d{6})_(?P<end>\d{6})(\.\w+)?( \d+)?"
)


@dataclass(frozen=True)
class KineticsCsv(LineFormat):
    """Kinetics as CSV.

    Attributes:
        columns: names in the first line.
    """

    name: ClassVar[str] = "kinetics"
    columns: tuple[str, ...] = _ALL_COLUMNS

    @property
    def header(self) -> str:
        """See `LineFormat.header`."""
        return ",".join(self.columns)

    def clip(self, line: bytes) -> ClipRecord:
        """See `LineFormat.clip`."""
        fields = split_line(line)
        if len(fields) != len(self.columns):
            raise ValueError(
                f"has {len(fields)} columns, not {len(self.columns)} as the first line; "
                "a label with a comma needs quotes"
            )
        row = dict(zip(self.columns, fields, strict=True))
        is_cc = {"0": False, "1": True, "": None}.get(row.get("is_cc", ""), row.get("is_cc"))
        return make_clip(
            row["youtube_id"],
            seconds(row["time_start"], "time_start"),
            seconds(row["time_end"], "time_end"),
            [row.get("label", "")],
            row.get("split"),
            is_cc=is_cc,
        )

    def line(self, clip: ClipRecord) -> str:
        """See `LineFormat.line`."""
        row = {
            "label": _quoted(_one_label(clip)),
            "youtube_id": clip.source_id,
            "time_start": number(clip.start_s),
            "time_end": number(clip.end_s),
            "split": _quoted(clip.split or ""),
            "is_cc": "" if clip.is_cc is None else str(int(clip.is_cc)),
        }
        if homeless := [name for name in row if name not in self.columns and row[name]]:
            raise ValueError(f"there is no column {homeless[0]}")
        return ",".join(row.get(name, "") for name in self.columns)


class KineticsJson:
    """Kinetics as one JSON object: an entry a video, by its id."""

    name: ClassVar[str] = "kinetics"

    def read(self, path: Path) -> Iterator[Row]:
        """See `CatalogFormat.read`; a row's number is that of the entry."""
        import ijson  # noqa: PLC0415 - only collection has it

        entry = 0
        with path.open("rb") as file:
            try:
                for entry, item in enumerate(ijson.kvitems(file, "", use_float=True), start=1):
                    yield entry, clip_or_problem(_clip_of_entry, item)
            except (ijson.JSONError, UnicodeDecodeError) as error:
                yield entry + 1, f"is not JSON from here on: {error}"

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


class KineticsList(LineFormat):
    """A list of Kinetics' files, as Kinetics-600 comes in."""

    name: ClassVar[str] = "kinetics"

    def clip(self, line: bytes) -> ClipRecord:
        """See `LineFormat.clip`."""
        match = _FILE_NAME.fullmatch(line.decode("utf-8").strip())
        if match is None:
            raise ValueError("is no file name such as [label/]<id>_000001_000011.mp4")
        label = label_of_folder(match["label"] or "")
        return make_clip(match["id"], int(match["start"]), int(match["end"]), [label])

    def line(self, clip: ClipRecord) -> str:
        """See `LineFormat.line`."""
        label = _one_label(clip)
        folder = f"{folder_name(label)}/" if label else ""
        if any(time_s % 1 for time_s in (clip.start_s, clip.end_s)):
            raise ValueError("its times are no whole seconds")
        return f"{folder}{clip.source_id}_{clip.start_s:06.0f}_{clip.end_s:06.0f}.mp4"


def _clip_of_entry(item: tuple[str, Any]) -> ClipRecord:
    source_id, entry = item
    annotations = entry.get("annotations") if isinstance(entry, dict) else None
    segment = annotations.get("segment") if isinstance(annotations, dict) else None
    if annotations is None or not isinstance(segment, list) or len(segment) != 2:
        raise ValueError(f"{source_id}: there is no annotations.segment with a start and an end")
    start_s, end_s = (seconds(value, "segment") for value in segment)
    label = annotations.get("label") or ""
    return make_clip(source_id, start_s, end_s, [str(label)], entry.get("subset"))


def _entry_of_clip(clip: ClipRecord) -> dict[str, Any]:
    annotations: dict[str, Any] = {"segment": [clip.start_s, clip.end_s]}
    if label := _one_label(clip):
        annotations["label"] = label
    return {
        "annotations": annotations,
        "duration": clip.duration_s,
        "subset": clip.split or "",
        "url": f"https://www.youtube.com/watch?v={clip.source_id}",
    }


def _one_label(clip: ClipRecord) -> str:
    if len(clip.labels) > 1:
        raise ValueError(f"it has {len(clip.labels)} labels, and there is a place for one")
    return "".join(clip.labels)


def _quoted(text: str) -> str:
    """As the published files have it: in quotes where there is a space."""
    return '"' + text.replace('"', '""') + '"' if _NEEDS_QUOTES.search(text) else text
